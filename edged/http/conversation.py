"""One request and its answer, as the endpoints see them."""

import asyncio
from collections.abc import Mapping
from typing import Final

from starlette.datastructures import Headers
from starlette.types import Receive, Scope, Send

from edged.http.answer import Answer

_KEY: Final = "edged.conversation"
_LINGER_BYTES: Final = 1_000_000
"""What is still read and thrown away of a body that was refused. A connection that is closed on bytes nobody
read is reset, and the reset may overtake the answer."""


class ClientGoneError(Exception):
    """The client hung up: nobody waits for an answer."""


class Conversation:
    """A request, and the one answer to it.

    Attributes:
        method: of HTTP; HEAD is like GET, but for the body.
        headers: of the request.
        address: where it comes from.
        client_id: who asks; empty until an access token said so.
        operation: what is asked for: an operation of the API, or a page; empty where there is no such thing.
        status: of the answer; 0 before there is one.
        sent_bytes: of the answer's body.
    """

    def __init__(self, scope: Scope, receive: Receive, send: Send, linger_s: float) -> None:
        self._linger_s = linger_s
        self._scope = scope
        self._receive = receive
        self._send = send
        self.method: str = scope["method"]
        self.headers = Headers(scope=scope)
        self.address = ""
        self.client_id = ""
        self.operation = ""
        self.status = 0
        self.sent_bytes = 0
        self._is_read = "transfer-encoding" not in self.headers and self.declared_bytes in {None, 0}
        self._has_asked_for_body = False
        scope[_KEY] = self

    @classmethod
    def of(cls, scope: Scope) -> "Conversation":
        """The one that a request belongs to."""
        found = scope[_KEY]
        assert isinstance(found, cls)  # noqa: S101 - narrows what the scope's type cannot say
        return found

    @property
    def declared_bytes(self) -> int | None:
        """Length of the body as its header says; None where it comes in chunks, or there is none."""
        text = self.headers.get("content-length")
        return None if text is None else int(text)

    @property
    def path_parameters(self) -> Mapping[str, str]:
        """What the path names."""
        parameters: Mapping[str, str] = self._scope["path_params"]
        return parameters

    @property
    def query(self) -> bytes:
        """What stands behind the `?`."""
        query: bytes = self._scope["query_string"]
        return query

    @property
    def peer(self) -> str:
        """The address at the other end of the connection, be it a proxy's; empty where there is none."""
        return str(self._scope["client"][0]) if self._scope["client"] else ""

    @property
    def address_path(self) -> str:
        """The path as it was asked for, without what stands behind the `?`."""
        return bytes(self._scope["raw_path"]).decode("ascii", "replace")

    async def piece(self) -> bytes | None:
        """The next piece of the body, None after the last; raises ClientGoneError."""
        if self._is_read:
            return None
        self._has_asked_for_body = True
        message = await self._receive()
        if message["type"] != "http.request":
            raise ClientGoneError
        self._is_read = not message.get("more_body", False)
        return bytes(message.get("body", b""))

    async def answer(self, answer: Answer) -> None:
        """Send the answer. The connection is closed after it where the request was not read to its end."""
        self.status = answer.status
        headers = answer.headers()
        if not self._is_read:
            headers.append((b"connection", b"close"))
        await self._send({"type": "http.response.start", "status": answer.status, "headers": headers})
        body = b"" if self.method == "HEAD" else answer.body
        self.sent_bytes = len(body)
        if not self._is_read and self._is_body_coming:
            await self._send({"type": "http.response.body", "body": body, "more_body": True})
            await self._linger()
            body = b""
        await self._send({"type": "http.response.body", "body": body, "more_body": False})

    @property
    def _is_body_coming(self) -> bool:
        """Whether the client sends its body unasked, or was asked for it."""
        return self._has_asked_for_body or self.headers.get("expect", "").lower() != "100-continue"

    async def _linger(self) -> None:
        thrown_away = 0
        try:
            async with asyncio.timeout(self._linger_s):
                while thrown_away < _LINGER_BYTES:
                    piece = await self.piece()
                    if piece is None:
                        return
                    thrown_away += len(piece)
        except (TimeoutError, ClientGoneError):
            return
