"""What is hardly HTTP at all: bytes on a socket that a server has to put up with."""

from collections.abc import Callable
from random import Random

_SEARCH = b"/v2/recognition/images/home/search"


def garbage(random: Random, port: int, token: str) -> tuple[str, bytes]:
    """Bytes, and what they are in a word. None of them is a request that must be answered."""
    maker = random.choice(_MAKERS)
    return maker.__name__.removeprefix("_"), maker(random, port, token.encode())


def _post(port: int, token: bytes, *headers: bytes, body: bytes = b"") -> bytes:
    known = (
        b"Host: 127.0.0.1:%d" % port,
        b"Authorization: Bearer " + token,
        b"Content-Type: application/json",
    )
    return b"POST " + _SEARCH + b" HTTP/1.1\r\n" + b"\r\n".join((*known, *headers)) + b"\r\n\r\n" + body


def _wrong_chunks(random: Random, port: int, token: bytes) -> bytes:
    chunks = (
        b"5\r\n{}\r\n0\r\n\r\n",
        b"-1\r\n{}\r\n0\r\n\r\n",
        b"zz\r\n{}\r\n0\r\n\r\n",
        b"FFFFFFFFFFFFFFFFF\r\n{}",
        b"7fffffff\r\n{}",
        b"2;" + b"x" * 70_000 + b"\r\n{}\r\n0\r\n\r\n",
        b"2\r\n{}\r\n",
        b"2\n{}\n0\n\n",
        b"2\r\n{}\r\n0\r\nTrailer: x\r\nContent-Length: 5\r\n\r\n",
        b"1\r\n{\r\n1\r\n}\r\n0\r\n\r\n" * 2,
        b"\r\n",
    )
    return _post(port, token, b"Transfer-Encoding: chunked", body=random.choice(chunks))


def _wrong_length(random: Random, port: int, token: bytes) -> bytes:
    lengths = (
        (b"Content-Length: -1",),
        (b"Content-Length: 5",),
        (b"Content-Length: 99999999999999999999",),
        (b"Content-Length: 2", b"Content-Length: 3"),
        (b"Content-Length: 2, 2",),
        (b"Content-Length: two",),
        (b"Content-Length: 0x2",),
        (b"Content-Length: +2",),
        (b"Content-Length: 2", b"Transfer-Encoding: chunked"),
        (b"Transfer-Encoding: chunked", b"Transfer-Encoding: identity"),
        (b"Transfer-Encoding: gzip, chunked",),
        (b"Transfer-Encoding: xchunked",),
        (b"Content-Length: 17000000",),
    )
    return _post(port, token, *random.choice(lengths), body=random.choice((b"{}", b"", b"{}\r\n" * 100)))


def _wrong_headers(random: Random, port: int, token: bytes) -> bytes:
    headers = (
        (b"no colon here",),
        (b": no name",),
        (b"Name : space before the colon",),
        (b"Folded: a\r\n  b",),
        (b"Nul: a\x00b",),
        (b"Bell: \x07",),
        (b"Latin: \xe9\xff",),
        (b"Long: " + b"x" * 100_000,),
        tuple(b"Many-%d: x" % number for number in range(1000)),
        (b"Bare: return\rX: y",),
        (b"\x80\x81: x",),
        (b"",) * 3,
    )
    return _post(port, token, *random.choice(headers), b"Content-Length: 2", body=b"{}")


def _wrong_line(random: Random, _port: int, _token: bytes) -> bytes:
    lines = (
        b"GET /healthz\r\n\r\n",
        b"GET /healthz HTTP/0.9\r\n\r\n",
        b"GET /healthz HTTP/2.0\r\nHost: x\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\n\r\n",
        b"GET  /healthz  HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET http://evil.example/healthz HTTP/1.1\r\nHost: evil.example\r\n\r\n",
        b"CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example\r\n\r\n",
        b"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n",
        b"G\x00T / HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /\xff\xfe HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /#fragment HTTP/1.1\r\nHost: x\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"\r\n" * 100,
        b"\n\n\n",
        b"",
    )
    return random.choice(lines)


def _another_protocol(random: Random, _port: int, _token: bytes) -> bytes:
    hello = bytes.fromhex("16030100c8010000c40303") + random.randbytes(200)
    return random.choice(
        (hello, b"SSH-2.0-OpenSSH_9.2\r\n", b"\x10\x0c\x00\x04MQTT\x05\x02\x00<", random.randbytes(2000))
    )


def _half_a_request(random: Random, port: int, token: bytes) -> bytes:
    whole = _post(port, token, b"Content-Length: 2", body=b"{}")
    return whole[: random.randrange(len(whole))]


def _several_at_once(random: Random, port: int, token: bytes) -> bytes:
    """Requests behind each other on one connection, and rubbish behind them."""
    one = _post(port, token, b"Content-Length: 2", body=b"{}")
    return one * random.choice((2, 5, 50)) + random.choice((b"", b"\x00" * 100, b"GET /heal"))


_MAKERS: tuple[Callable[[Random, int, bytes], bytes], ...] = (
    *(_wrong_chunks,) * 2,
    *(_wrong_length,) * 2,
    *(_wrong_headers,) * 2,
    _wrong_line,
    _another_protocol,
    _half_a_request,
    _several_at_once,
)
