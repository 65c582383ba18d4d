"""Good requests made bad: one thing wrong with each, chosen by a seeded chance."""

import base64
import copy
import json
import string
from collections.abc import Callable
from random import Random
from typing import Any

from api_trials.calls import Call, request, small_picture
from api_trials.oddities import HEADERS, METHODS, ODD_ADDRESS, ODD_VALUE, RAW_VALUE, TYPES

Spoiler = Callable[[Random, int, Call, str], bytes]


def spoiled(random: Random, port: int, calls: list[Call], token: str) -> tuple[str, bytes]:
    """One bad request, and what is wrong with it in a word."""
    spoiler = random.choice(_SPOILERS)
    has_body = spoiler in _OF_BODIES
    call = random.choice([one for one in calls if one.body is not None] if has_body else calls)
    if "/oauth/" in call.path:
        # Such a call may make the token worthless that it is sent with.
        token = token[::-1]
    return spoiler.__name__.removeprefix("_"), spoiler(random, port, call, token)


def _wrong_value(random: Random, port: int, call: Call, token: str) -> bytes:
    """Something in the body is something else, gone, or twice."""
    body = copy.deepcopy(call.body)
    for _ in range(random.choice((1, 1, 1, 2, 5))):
        body = _with_a_change(random, body)
    return request(port, Call(call.method, call.path, body), token)


def _with_a_change(random: Random, body: Any) -> Any:
    places = list(_places(body))
    if not places:
        return random.choice(ODD_VALUE)
    parent, place = random.choice(places)
    odd = copy.deepcopy(random.choice(ODD_VALUE))
    match random.choice(("other", "gone", "wrapped", "more")):
        case "gone":
            del parent[place]
        case "wrapped":
            parent[place] = [parent[place]]
        case "more" if isinstance(parent, list):
            parent.extend([copy.deepcopy(parent[place])] * random.choice((1, 20, 64, 1000)))
        case "more":
            parent[random.choice(("", "\x00", "\ud800", "id", "__class__", "edge"))] = odd
        case _:
            parent[place] = odd
    return body


def _places(node: Any) -> Any:
    """Every place in a tree of JSON, as its parent and the key or index."""
    if isinstance(node, dict | list):
        for key in list(node) if isinstance(node, dict) else range(len(node)):
            yield node, key
            yield from _places(node[key])


def _broken_json(random: Random, port: int, call: Call, token: str) -> bytes:
    """The body is no JSON any more, or JSON that few parsers agree on."""
    body = random.choice(_BREAKERS)(random, json.dumps(call.body).encode())
    return _with_body(port, call, token, body)


def _cut_off(random: Random, body: bytes) -> bytes:
    return body[: random.randrange(len(body))]


def _overwritten(random: Random, body: bytes) -> bytes:
    changed = bytearray(body)
    for _ in range(random.choice((1, 3, 20))):
        changed[random.randrange(len(changed))] = random.randrange(256)
    return bytes(changed)


def _deep(random: Random, _body: bytes) -> bytes:
    return random.choice((b"[", b'{"images":')) * random.choice((100, 1000, 100_000))


def _with_something_before(random: Random, body: bytes) -> bytes:
    return random.choice((b"\xef\xbb\xbf", b"\xff\xfe", b"\x00", b"\n")) + body


def _with_something_behind(random: Random, body: bytes) -> bytes:
    return body + random.choice((b"{}", b"]", b"\x00", b" " * 100_000, b",", b"/* */"))


def _with_an_odd_picture(random: Random, _body: bytes) -> bytes:
    return b'{"images":[{"url":' + random.choice(RAW_VALUE) + b"}]}"


def _with_an_odd_number(random: Random, _body: bytes) -> bytes:
    return b'{"limit":' + random.choice(RAW_VALUE) + b',"limit":2}'


_BREAKERS: tuple[Callable[[Random, bytes], bytes], ...] = (
    _cut_off,
    _overwritten,
    _deep,
    _with_something_before,
    _with_something_behind,
    _with_an_odd_picture,
    _with_an_odd_number,
)


def _with_body(port: int, call: Call, token: str, body: bytes) -> bytes:
    headers = (("Content-Type", "application/json"), ("Content-Length", str(len(body))))
    return request(port, Call(call.method, call.path), token, headers=headers) + body


def _wrong_picture(random: Random, port: int, _call: Call, token: str) -> bytes:
    """A picture that is none, or wants to be more than it is; an address that is better not fetched."""
    picture = base64.b64decode(small_picture())
    forms: tuple[dict[str, Any], ...] = (
        {"blob": base64.b64encode(random.randbytes(random.choice((0, 1, 100, 20_000)))).decode()},
        {"blob": base64.b64encode(picture[: random.randrange(len(picture))]).decode()},
        {"blob": base64.b64encode(_png_bomb(random)).decode()},
        {"blob": base64.b64encode(b"GIF89a" + b"\xff" * 7).decode()},
        {"blob": base64.b64encode(b"<svg xmlns='http://www.w3.org/2000/svg'/>").decode()},
        {"blob": "".join(random.choices(string.printable, k=200))},
        {"blob": base64.b64encode(_with_flips(random, picture)).decode()},
        {"url": random.choice(ODD_ADDRESS)},
        {"url": random.choice(ODD_ADDRESS), "blob": ""},
        {},
    )
    body = {"images": [random.choice(forms) for _ in range(random.choice((1, 1, 3, 65)))]}
    return request(port, Call("POST", "/v2/recognition/recognize/home", body), token)


def _png_bomb(random: Random) -> bytes:
    """The head of a PNG that says it is enormous."""
    side = random.choice((0, 1, 30_000, 2**31 - 1, 2**32 - 1))
    header = side.to_bytes(4, "big") * 2 + bytes((8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + header + random.randbytes(4)


def _with_flips(random: Random, data: bytes) -> bytes:
    flipped = bytearray(data)
    for _ in range(random.choice((1, 10, 200))):
        flipped[random.randrange(len(flipped))] ^= 1 << random.randrange(8)
    return bytes(flipped)


def _wrong_type(random: Random, port: int, call: Call, token: str) -> bytes:
    """Another content type than JSON, or another method."""
    if random.choice((True, False)):
        return request(port, call, token, headers=(("Content-Type", random.choice(TYPES)),))
    return request(port, Call(random.choice(METHODS), call.path, call.body), token)


def _wrong_token(random: Random, port: int, call: Call, token: str) -> bytes:
    """No token, half a token, another scheme, rubbish."""
    odd = (
        "",
        "Bearer",
        "Bearer ",
        f"Bearer {token[:-1]}",
        f"Bearer {token}x",
        f"Bearer {token} {token}",
        f"bearer\t{token}",
        f"Basic {token}",
        f"Token {token}",
        "Bearer " + "x" * 20_000,
        "Bearer \xff\xfe",
        "Bearer é😀",
        token,
    )
    headers = (("Authorization", random.choice(odd)),) * random.choice((1, 1, 1, 2))
    return request(port, call, token, headers=headers)


def _wrong_path(random: Random, port: int, call: Call, token: str) -> bytes:
    """A path or a query that is spelled oddly, or leads nowhere."""
    path, _, query = call.path.partition("?")
    parts = path.split("/")
    place = random.randrange(1, len(parts))
    parts[place] = random.choice(
        (
            "%00",
            "%2e%2e",
            "..",
            ".",
            "",
            "%",
            "%zz",
            "%ff%fe",
            "%2f",
            "a" * 9000,
            "é".encode().decode("latin-1"),
            "device",
            "office",
            "x" * 129,
            parts[place].upper(),
            parts[place] + "/",
            parts[place] + ";x=1",
        )
    )
    odd_query = random.choice(
        (
            *(
                "",
                "?",
                "?namespace=",
                "?namespace=home&namespace=office",
                "?limit=-1",
                f"?{query}",
                f"?{query}",
            ),
            *(
                "?before=x",
                "?before=nan",
                "?after=1e999",
                "?%ff=%00",
                "?" + "a=1&" * 2000,
                "?customId=" + "x" * 5000,
            ),
        )
    )
    return request(port, Call(call.method, "/".join(parts) + odd_query, call.body), token)


def _wrong_header(random: Random, port: int, call: Call, token: str) -> bytes:
    """Headers that ask for what there is not."""
    chosen = random.sample(HEADERS, random.choice((1, 1, 2, 4)))
    return request(port, call, token, headers=tuple(chosen))


_OF_BODIES = (_wrong_value, _broken_json)
_SPOILERS: tuple[Spoiler, ...] = (
    *(_wrong_value,) * 5,
    *(_broken_json,) * 4,
    *(_wrong_picture,) * 3,
    _wrong_type,
    _wrong_token,
    *(_wrong_path,) * 2,
    _wrong_header,
)
