"""Fetching what requests name: little, in time, from where it may be fetched, and no further."""

import contextlib
import http.client
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from edged import __version__
from edged.api.addresses import Target, target_of
from edged.api.fetching import FetchError
from edged.delivery.http_answer import described
from edged.domain.moment import Clock
from edged.http.guard import Guard
from edged.settings.requests import Fetch

_MOST_REDIRECTS: Final = 3
_CHUNK_BYTES: Final = 64 * 1024
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})

_LATE: Final = "the server did not send it in time"
_BROKEN: Final = "the connection to the server broke off"
_STOPPING: Final = "the daemon is stopping"


class Fetcher:
    """Fetches by GET, over a connection that `Guard` made. Several threads may use it at once.

    Nothing is taken from the environment: no proxy, no password. Redirects are followed on the same server
    only, and each is checked as the first address was.
    """

    def __init__(self, settings: Fetch, guard: Guard, clock: Clock) -> None:
        self._timeout_s = float(settings.timeout)
        self._max_bytes = int(settings.max_bytes)
        self._guard = guard
        self._clock = clock
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._is_aborted = False

    def fetch(self, url: str) -> bytes:
        """The bytes at the address, at most `max_bytes`, within `timeout` in all; raises FetchError."""
        until_ms = self._clock.moment().steady_ms + int(self._timeout_s * 1000)
        target = target_of(url)
        for _ in range(_MOST_REDIRECTS + 1):
            found = self._asked(target, until_ms)
            if isinstance(found, bytes):
                return found
            target = found
        raise FetchError(f"it redirects more than {_MOST_REDIRECTS} times")

    def abort(self) -> None:
        """End every fetch, those that go on and those to come; any thread may call it."""
        with self._lock:
            self._is_aborted = True
            for sock in self._open:
                _cut(sock)
        self._guard.abort()

    def _asked(self, target: Target, until_ms: int) -> bytes | Target:
        """What is there, or where it is said to be."""
        sock = self._guard.connect(
            target.host, target.port, self._left_s(until_ms), tls=target.scheme == "https"
        )
        overdue = threading.Event()
        with self._cut_in_time(sock, until_ms, overdue):
            try:
                found = self._exchanged(sock, target)
            except FetchError:
                # What was cut off may look like another mistake, or like all of it.
                self._raise_if_ended(overdue)
                raise
            except (OSError, http.client.HTTPException, ValueError) as error:
                self._raise_if_ended(overdue)
                late = isinstance(error, TimeoutError)
                raise FetchError(_LATE if late else _BROKEN) from None
            self._raise_if_ended(overdue)
            return found

    def _exchanged(self, sock: socket.socket, target: Target) -> bytes | Target:
        connection = http.client.HTTPConnection(target.host, target.port)
        # It never connects by itself: only to what was checked.
        connection.auto_open = 0
        connection.sock = sock
        try:
            connection.putrequest("GET", target.path, skip_host=True, skip_accept_encoding=True)
            for name, value in _headers(target).items():
                connection.putheader(name, value)
            connection.endheaders()
            with connection.getresponse() as response:
                if response.status in _REDIRECTS:
                    return target.redirected(_location(response))
                return self._body(response)
        finally:
            connection.close()

    def _body(self, response: http.client.HTTPResponse) -> bytes:
        if response.status != http.client.OK:
            raise FetchError(f"the server answered {described(response.status)}")
        _require_plain(response)
        if response.length is not None and response.length > self._max_bytes:
            raise self._too_much()
        announced = response.length
        body = bytearray()
        while chunk := response.read(_CHUNK_BYTES):
            body += chunk
            if len(body) > self._max_bytes:
                raise self._too_much()
        if announced is not None and len(body) < announced:
            raise FetchError(_BROKEN)
        return bytes(body)

    def _too_much(self) -> FetchError:
        return FetchError(f"it is larger than {self._max_bytes} bytes (`requests.fetch.max_bytes`)")

    def _left_s(self, until_ms: int) -> float:
        left_ms = until_ms - self._clock.moment().steady_ms
        if left_ms <= 0:
            raise FetchError(_LATE)
        return left_ms / 1000

    @contextmanager
    def _cut_in_time(self, sock: socket.socket, until_ms: int, overdue: threading.Event) -> Iterator[None]:
        """Cut the connection when its time is over, or at a stop."""

        def end() -> None:
            overdue.set()
            _cut(sock)

        # A server that sends a byte a second never exceeds the socket's own time-out.
        left_ms = until_ms - self._clock.moment().steady_ms
        limit = threading.Timer(max(left_ms, 0) / 1000, end)
        with self._lock:
            self._open.add(sock)
            if self._is_aborted:
                _cut(sock)
        limit.start()
        try:
            yield
        finally:
            limit.cancel()
            limit.join()
            with self._lock:
                self._open.discard(sock)
            sock.close()

    def _raise_if_ended(self, overdue: threading.Event) -> None:
        if self._is_aborted:
            raise FetchError(_STOPPING) from None
        if overdue.is_set():
            raise FetchError(_LATE) from None


def _headers(target: Target) -> dict[str, str]:
    return {
        "Host": target.authority,
        "User-Agent": f"edged/{__version__}",
        "Accept": "image/*,*/*;q=0.5",
        # A packed body could unpack to any size.
        "Accept-Encoding": "identity",
        "Connection": "close",
    }


def _require_plain(response: http.client.HTTPResponse) -> None:
    """Raise FetchError where the body is packed, on its way or for good."""
    packings = [*_values(response, "content-encoding"), *_values(response, "transfer-encoding")]
    if any(packing not in {"identity", "chunked"} for packing in packings):
        raise FetchError("the server sent it compressed, which was not asked for")


def _values(response: http.client.HTTPResponse, name: str) -> list[str]:
    return [
        value.strip().lower()
        for line in response.headers.get_all(name, [])
        for value in line.split(",")
        if value.strip()
    ]


def _location(response: http.client.HTTPResponse) -> str:
    location = response.headers.get("location")
    if location is None:
        raise FetchError("it redirects to nowhere")
    return str(location)


def _cut(sock: socket.socket) -> None:
    """Make whoever reads from the connection see its end."""
    with contextlib.suppress(OSError):
        socket.socket.shutdown(sock, socket.SHUT_RDWR)
