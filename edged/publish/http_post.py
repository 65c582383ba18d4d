"""One HTTP connection that posts, with a limit on the whole of an exchange, and an end from any thread."""

import contextlib
import http.client
import socket
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, NoReturn, Protocol

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError, NewConnectionError
from urllib3.response import BaseHTTPResponse
from urllib3.util import Url, make_headers, parse_url

from edged.api.fetching import FetchError
from edged.publish.network_words import in_words
from edged.publish.tls import verifying_context

_ANSWER_BYTES: Final = 64 * 1024
"""Nothing in an answer's body matters to us; more of it than this is not waited for."""

_LATE: Final = "no answer in time"
_HUNG_UP: Final = (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError)


class PostError(Exception):
    """No answer came. `was_sent`: the request may have reached the receiver."""

    def __init__(self, reason: str, *, was_sent: bool) -> None:
        super().__init__(reason)
        self.reason = reason
        self.was_sent = was_sent


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: the status, and `Retry-After` where there was one."""

    status: int
    retry_after: str | None


class Reach(Protocol):
    """Whoever makes connections to addresses that may not be trusted, and refuses some."""

    def connect(self, host: str, port: int, timeout_s: float, *, tls: bool) -> socket.socket:
        """A connection, with TLS verified where it is asked for; raises FetchError."""
        ...

    def abort(self) -> None:
        """End every connection that is being made; any thread may call it."""
        ...


class Poster:
    """Posts to one address over one connection, kept open between posts. One thread posts.

    With `reach`, that makes the connections, and `ca_file` does not matter.
    """

    def __init__(
        self, url: str, ca_file: str | None, timeout_s: float, *, reach: Reach | None = None
    ) -> None:
        self._reach = reach
        self._url = parse_url(url)
        self._ca_file = ca_file
        self._timeout_s = timeout_s
        self._connection: HTTPConnection | None = None
        self._is_aborted = False
        self._own_headers = {"host": self._url.netloc or ""} | _credentials(self._url)

    @property
    def where(self) -> str:
        """The receiver, without what may be secret in its address: user, password, path and query."""
        return f"{self._url.scheme}://{self._url.netloc}"

    def post(self, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Send and wait for the answer, for `timeout_s` in all once connected; raises PostError.

        A connection that the receiver closed while it was idle is made anew, once, without a word.
        """
        if self._connection is not None and not self._connection.is_connected:
            self.close()
        was_idle = self._connection is not None
        try:
            return self._exchange(body, headers)
        except _HUNG_UP as error:
            self.close()
            if not was_idle or self._is_aborted:
                raise PostError(in_words(EOFError()), was_sent=True) from error
        return self._exchange_anew(body, headers)

    def abort(self) -> None:
        """End the post that goes on, and every later one; any thread may call it."""
        self._is_aborted = True
        self._cut()

    def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _exchange_anew(self, body: bytes, headers: Mapping[str, str]) -> Answer:
        try:
            return self._exchange(body, headers)
        except _HUNG_UP as error:
            self.close()
            raise PostError(in_words(EOFError()), was_sent=True) from error

    def _exchange(self, body: bytes, headers: Mapping[str, str]) -> Answer:
        connection = self._connected()
        # A receiver that sends a byte a second never exceeds the socket's own time-out.
        overdue = threading.Event()
        limit = threading.Timer(self._timeout_s, self._cut, (overdue,))
        limit.start()
        try:
            connection.request(
                "POST", self._url.request_uri, body, dict(headers) | self._own_headers, preload_content=False
            )
            response = connection.getresponse()
            if overdue.is_set() or self._is_aborted:
                # Cut in the middle of the headers, which then look complete.
                self._give_up(_LATE)
            self._read_rest(response)
        except (OSError, http.client.HTTPException, HTTPError) as error:
            if isinstance(error, _HUNG_UP) and not overdue.is_set():
                raise
            self._give_up(_LATE if overdue.is_set() else in_words(error))
        finally:
            limit.cancel()
            limit.join()
        if overdue.is_set():
            self.close()
        return Answer(response.status, response.headers.get("retry-after"))

    def _read_rest(self, response: BaseHTTPResponse) -> None:
        """Leave the connection ready for the next post, or closed: what the body says does not matter."""
        try:
            is_too_much = len(response.read(_ANSWER_BYTES + 1)) > _ANSWER_BYTES
        except (OSError, http.client.HTTPException, HTTPError):
            is_too_much = True
        if is_too_much:
            self.close()

    def _give_up(self, reason: str) -> NoReturn:
        self.close()
        raise PostError(reason, was_sent=True)

    def _connected(self) -> HTTPConnection:
        if self._is_aborted:
            raise PostError("stopping", was_sent=False)
        if self._connection is None:
            connection = self._made()
            try:
                self._connect(connection)
            except FetchError as error:
                raise PostError(error.reason, was_sent=False) from error
            except NewConnectionError as error:
                connection.close()
                raise PostError(in_words(error.__cause__ or error), was_sent=False) from error
            except (OSError, HTTPError, urllib3.exceptions.LocationParseError) as error:
                connection.close()
                raise PostError(in_words(error), was_sent=False) from error
            self._connection = connection
        return self._connection

    def _connect(self, connection: HTTPConnection) -> None:
        if self._reach is None:
            connection.connect()
            return
        # Never by itself: only by whoever says what may be reached.
        connection.auto_open = 0
        connection.sock = self._reach.connect(
            connection.host, connection.port, self._timeout_s, tls=self._url.scheme == "https"
        )

    def _made(self) -> HTTPConnection:
        host = (self._url.host or "").strip("[]")
        port = self._url.port or (443 if self._url.scheme == "https" else 80)
        # What `reach` connects has its TLS already.
        if self._url.scheme == "https" and self._reach is None:
            context = verifying_context(self._ca_file)
            return HTTPSConnection(host, port, timeout=self._timeout_s, ssl_context=context)
        return HTTPConnection(host, port, timeout=self._timeout_s)

    def _cut(self, overdue: threading.Event | None = None) -> None:
        """Make whoever reads from the connection see its end."""
        if overdue is not None:
            overdue.set()
        connection = self._connection
        sock = getattr(connection, "sock", None)
        if sock is not None:
            with contextlib.suppress(OSError):
                # Not SSLSocket's own, which would take its TLS away under the thread that reads.
                socket.socket.shutdown(sock, socket.SHUT_RDWR)


def _credentials(url: Url) -> dict[str, str]:
    if not url.auth:
        return {}
    return {"authorization": str(make_headers(basic_auth=url.auth)["authorization"])}
