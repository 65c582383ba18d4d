"""HTTP/1.1 on one connection, with a limit to everything that the other side may delay."""

import asyncio
from contextlib import suppress
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from edged.api.problem import Code, Problem
from edged.http.answer import of_problem
from edged.http.limits import Limits


class BoundedProtocol(H11Protocol):
    """uvicorn's protocol, which waits for ever for headers that come slowly and for answers to be read."""

    def __init__(self, limits: Limits, **options: Any) -> None:
        super().__init__(**options)
        self._limits = limits
        self._awaiting_headers: asyncio.TimerHandle | None = None
        self._awaiting_reader: asyncio.TimerHandle | None = None
        self._awaiting_end: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A client is there: its first request is awaited."""
        super().connection_made(transport)
        self._watch_headers()

    def connection_lost(self, exc: Exception | None) -> None:
        """The client is gone."""
        _cancel(self._awaiting_headers)
        self._awaiting_headers = None
        _cancel(self._awaiting_reader)
        self._awaiting_reader = None
        # A timer holds the connection, and with it all that it needed: thousands of them, where many end.
        _cancel(self._awaiting_end)
        self._awaiting_end = None
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Bytes came: of headers, of a body, or of the next request."""
        super().data_received(data)
        self._watch_headers()

    def pause_writing(self) -> None:
        """The other side reads slower than we write."""
        super().pause_writing()
        if self._awaiting_reader is None:
            self._awaiting_reader = self.loop.call_later(self._limits.unread_s, self.transport.abort)

    def resume_writing(self) -> None:
        """It read."""
        _cancel(self._awaiting_reader)
        self._awaiting_reader = None
        super().resume_writing()

    def on_response_complete(self) -> None:
        """An answer is written; where it is the last, it need not wait for ever to be read."""
        super().on_response_complete()
        if self.conn.trailing_data[0]:
            self._watch_headers()
        if self.transport.is_closing():
            self._watch_end()

    def send_400_response(self, msg: str) -> None:
        """Refuse what is no HTTP, in the shape of all errors."""
        self._refuse(Problem(Code.MALFORMED, f"this is no HTTP/1.1 request: {msg}"))

    def _watch_headers(self) -> None:
        if self.conn.their_state is not h11.IDLE or self.transport.is_closing():
            _cancel(self._awaiting_headers)
            self._awaiting_headers = None
        elif self._awaiting_headers is None:
            self._awaiting_headers = self.loop.call_later(self._limits.headers_s, self._give_up_on_headers)

    def _give_up_on_headers(self) -> None:
        self._awaiting_headers = None
        if self.conn.their_state is h11.IDLE:
            self._refuse(Problem(Code.TIMEOUT, "the headers of the request came too slowly"))

    def _refuse(self, problem: Problem) -> None:
        answer = of_problem(problem)
        headers = [*answer.headers(), (b"connection", b"close")]
        # Where an answer was begun, there is no place for another one.
        with suppress(h11.LocalProtocolError):
            self._write(h11.Response(status_code=answer.status, headers=headers))
            self._write(h11.Data(data=answer.body))
            self._write(h11.EndOfMessage())
        self.transport.close()
        self._watch_end()

    def _watch_end(self) -> None:
        """Nothing more is said: what was is read within bounds, or not at all."""
        _cancel(self._awaiting_end)
        self._awaiting_end = self.loop.call_later(self._limits.unread_s, self.transport.abort)

    def _write(self, event: h11.Response | h11.Data | h11.EndOfMessage) -> None:
        output = self.conn.send(event)
        if output:
            self.transport.write(output)


def _cancel(timer: asyncio.TimerHandle | None) -> None:
    if timer is not None:
        timer.cancel()
