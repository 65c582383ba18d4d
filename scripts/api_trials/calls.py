"""Calls of the API that are well made: what a fuzzer spoils, and what a load is made of."""

import base64
import json
from dataclasses import dataclass
from typing import Any

from bench.api import EILEEN_AT_S, GRACE_AT_S, picture_at

NAMESPACE = "home"
SOMETHING = "0b1f3a52-7c0e-4b6f-9d43-2f4e8f1c9a10"
"""An id in the form that ids have."""


@dataclass(frozen=True, slots=True)
class Call:
    """A method, a path with its query, and the body as JSON would have it; None where there is none."""

    method: str
    path: str
    body: Any = None


def request(
    port: int, call: Call, token: str | None, *, headers: tuple[tuple[str, str], ...] = (), keep: bool = False
) -> bytes:
    """The call as bytes of HTTP/1.1; the connection ends with it unless it is to be kept."""
    body = b"" if call.body is None else json.dumps(call.body).encode()
    fields = [("Host", f"127.0.0.1:{port}"), *headers]
    named = {name.lower() for name, _ in headers}
    if token is not None and "authorization" not in named:
        fields.append(("Authorization", f"Bearer {token}"))
    if body:
        fields += [("Content-Type", "application/json")] if "content-type" not in named else []
        fields += [("Content-Length", str(len(body)))]
    if not keep:
        fields.append(("Connection", "close"))
    head = "".join(f"{name}: {value}\r\n" for name, value in fields)
    return f"{call.method} {call.path} HTTP/1.1\r\n{head}\r\n".encode("utf-8", "surrogateescape") + body


def small_picture() -> str:
    """A JPEG with one face in it, base64."""
    return base64.b64encode(picture_at(EILEEN_AT_S)).decode()


def another_picture() -> str:
    """A JPEG with another face in it, base64."""
    return base64.b64encode(picture_at(GRACE_AT_S)).decode()


SEARCH: dict[str, Any] = {
    "limit": 5,
    "offset": 1,
    "start": 1_700_000_000_000,
    "end": 4_000_000_000_000,
    "sortBy": "ASC",
    "ids": [SOMETHING],
    "feedIds": ["hall"],
    "customIds": None,
}


def every_call() -> list[Call]:
    """One well made call of each kind; ids in them are nobody's."""
    recognition = "/v2/recognition"
    job = {
        "images": [{"blob": small_picture(), "customId": "one"}, {"url": "http://127.0.0.1:9/none.jpg"}],
        "webhookUrl": "http://127.0.0.1:9/hook",
        "customId": "visit",
        "feedId": "reception",
    }
    zones = {"type": "GRID", "size": 32, "zones": [[0, 1] * 16] * 32}
    detect = {"images": job["images"][:1], "classes": [{"class": "face", "exclusionZones": zones}]}
    change = {"customId": "c", "images": {"add": [SOMETHING], "remove": []}, "edge": {"name": "Ada"}}
    calls = [
        Call("POST", f"{recognition}/recognize/{NAMESPACE}", job),
        Call("POST", f"/v2/recognize?namespace={NAMESPACE}", job),
        Call("GET", f"{recognition}/recognize/{NAMESPACE}/{SOMETHING}"),
        Call("GET", f"/v2/recognize/{SOMETHING}?namespace={NAMESPACE}"),
        Call("POST", "/v2/detect", detect),
        Call("GET", f"/v2/detect/{SOMETHING}"),
        Call("GET", "/v2/detect?customId=visit&feedId=hall&before=4000000000000&after=1"),
        Call("POST", f"{recognition}/identities/{NAMESPACE}", {"customId": "a", "imageIds": [SOMETHING]}),
        Call("GET", f"{recognition}/identities/{NAMESPACE}/{SOMETHING}"),
        Call("PATCH", f"{recognition}/identities/{NAMESPACE}/{SOMETHING}", change),
        Call("DELETE", f"{recognition}/identities/{NAMESPACE}/{SOMETHING}"),
        Call("POST", f"{recognition}/identities/{NAMESPACE}/{SOMETHING}/images", {"images": job["images"]}),
        Call("POST", f"{recognition}/identities/{NAMESPACE}/{SOMETHING}/merge", {"ids": [SOMETHING]}),
        Call("GET", f"{recognition}/images/{NAMESPACE}/{SOMETHING}"),
        Call("GET", f"{recognition}/images/{NAMESPACE}/{SOMETHING}/picture"),
        Call("GET", f"{recognition}/pictures/{NAMESPACE}/{SOMETHING}"),
        Call("GET", f"{recognition}/groups/{NAMESPACE}/{SOMETHING}"),
        Call("POST", "/v2/webhooks", {"url": "http://127.0.0.1:9/hook", "secretKey": "12345678"}),
        Call("GET", "/v2/webhooks"),
        Call("DELETE", f"/v2/webhooks/{SOMETHING}"),
        Call("DELETE", "/v2/oauth/token"),
        Call("POST", "/v2/oauth/token", {"clientId": "nobody", "clientSecret": "nothing at all"}),
        Call("GET", "/openapi.json"),
        Call("GET", "/docs"),
        Call("GET", "/healthz"),
        Call("GET", "/readyz"),
    ]
    kinds = ("recognize", "identities", "images", "groups")
    return calls + [Call("POST", f"{recognition}/{kind}/{NAMESPACE}/search", SEARCH) for kind in kinds]
