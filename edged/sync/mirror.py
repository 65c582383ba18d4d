"""Pages from a web server, by their hash: `<mirror>/<namespace>/<sha256>`, as `PageShelf` lays them out.

One small thread fetches one page at a time, and is there only while there is something to fetch. What comes
is verified by whoever asked. Where the mirror does not serve, everything asked for fails at once, so that the
broker is asked instead, and the mirror is left alone for a while.
"""

import contextlib
import http.client
import logging
import socket
import threading
from collections import deque
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, urlsplit

from edged.domain.errors import ConfigurationError
from edged.domain.moment import Clock
from edged.publish.network_words import in_words

if TYPE_CHECKING:
    from urllib3.connection import HTTPConnection

MOST_WANTED: Final = 4096
"""Pages that wait to be fetched; what is asked for beyond fails at once."""
MOST_WAITING: Final = 16
"""Pages that came and that nobody took yet: 1.5 MB. Then the thread waits to be asked what came."""
TIMEOUT_S: Final = 20.0
"""For one page, its connection included."""
_FIRST_REST_MS: Final = 5_000
_LONGEST_REST_MS: Final = 300_000
_OK: Final = 200
_TROUBLED: Final = (429, 500)
"""A mirror that says this, or a greater status than the last, is left alone for a while."""

_LOG: Final = logging.getLogger(__name__)


class MirrorError(Exception):
    """A page did not come. `is_general`: no other page will come either, for now."""

    def __init__(self, reason: str, *, is_general: bool) -> None:
        super().__init__(reason)
        self.reason = reason
        self.is_general = is_general


class Mirror:
    """A `PageSource`: the pages of one namespace, below an address. Any thread may call it.

    Args:
        address: `http://` or `https://`, without user and password.
        namespace: which.
        ca_file: certificates to trust instead of the system's, PEM.
        clock: who knows the time.
        timeout_s: for one page.
    """

    def __init__(
        self, address: str, namespace: str, ca_file: str | None, clock: Clock, timeout_s: float = TIMEOUT_S
    ) -> None:
        self._fetcher = _Fetcher(address, namespace, ca_file, timeout_s)
        self._clock = clock
        self._lock = threading.Lock()
        self._wanted: deque[tuple[str, int]] = deque()
        self._under_way: set[str] = set()
        self._came: list[tuple[str, bytes | None]] = []
        self._thread: threading.Thread | None = None
        self._is_closed = False
        self._rest_ms = 0
        self._rest_until_ms = 0
        self._trouble = ""
        self.served = 0
        """Pages that came, since the start."""
        self.failed = 0
        """Pages that did not."""

    @property
    def trouble(self) -> str:
        """Why the mirror does not serve, in words; empty where it does."""
        return self._trouble

    def want(self, sha256: str, size_bytes: int) -> None:
        """Begin to fetch a page; asking twice changes nothing. Where the mirror rests, it fails at once."""
        with self._lock:
            if self._is_closed or sha256 in self._under_way:
                return
            self._under_way.add(sha256)
            is_resting = self._clock.moment().steady_ms < self._rest_until_ms
            if is_resting or len(self._wanted) >= MOST_WANTED:
                self._fail(sha256)
            else:
                self._wanted.append((sha256, size_bytes))
                self._begin()

    def came(self) -> list[tuple[str, bytes | None]]:
        """What came since the last call: each with its bytes, unverified, or None where it failed."""
        with self._lock:
            came, self._came = self._came, []
            self._under_way.difference_update(sha256 for sha256, _ in came)
            self._begin()
            return came

    def close(self) -> None:
        """Fetch nothing more; what goes on is cut short."""
        with self._lock:
            self._is_closed = True
            self._wanted.clear()
            thread = self._thread
        self._fetcher.cut()
        if thread is not None:
            thread.join(TIMEOUT_S)

    def _begin(self) -> None:
        """Have a thread while there is something to do; the lock is held."""
        if self._thread is None and self._wanted and self._has_room() and not self._is_closed:
            self._thread = threading.Thread(target=self._run, name="sync mirror", daemon=True)
            self._thread.start()

    def _has_room(self) -> bool:
        return sum(sealed is not None for _, sealed in self._came) < MOST_WAITING

    def _run(self) -> None:
        while (wanted := self._next()) is not None:
            sha256, size_bytes = wanted
            try:
                sealed = self._fetcher.fetch(sha256, size_bytes)
            except MirrorError as error:
                self._missed(sha256, error)
            except Exception:  # noqa: BLE001 - the thread's top: the broker is asked instead
                _LOG.exception("Fetching from the mirror %s failed", self._fetcher.where)
                self._missed(sha256, MirrorError("a fault of edged, see the log", is_general=True))
            else:
                self._fetched(sha256, sealed)

    def _next(self) -> tuple[str, int] | None:
        """The next page to fetch; None: the thread ends, which nobody else may miss."""
        with self._lock:
            if self._wanted and self._has_room() and not self._is_closed:
                return self._wanted.popleft()
            self._fetcher.close()
            self._thread = None
            return None

    def _fetched(self, sha256: str, sealed: bytes) -> None:
        with self._lock:
            self._came.append((sha256, sealed))
            self.served += 1
            self._rest_ms = self._rest_until_ms = 0
            was, self._trouble = self._trouble, ""
        if was:
            _LOG.info("The mirror %s serves again", self._fetcher.where)

    def _missed(self, sha256: str, error: MirrorError) -> None:
        with self._lock:
            if self._is_closed:
                return
            self._fail(sha256)
            if error.is_general:
                self._rest_ms = min(max(2 * self._rest_ms, _FIRST_REST_MS), _LONGEST_REST_MS)
                self._rest_until_ms = self._clock.moment().steady_ms + self._rest_ms
                while self._wanted:
                    self._fail(self._wanted.popleft()[0])
            was, self._trouble = self._trouble, error.reason
        if error.reason != was:
            words = "The mirror %s does not serve a page: %s; the broker is asked for what it does not serve"
            _LOG.warning(words, self._fetcher.where, error.reason)

    def _fail(self, sha256: str) -> None:
        self._came.append((sha256, None))
        self.failed += 1


class _Fetcher:
    """One connection, kept open between pages. One thread fetches; any may cut."""

    def __init__(self, address: str, namespace: str, ca_file: str | None, timeout_s: float) -> None:
        parts = urlsplit(address)
        self.where = f"{parts.scheme}://{parts.netloc}"
        self._is_tls = parts.scheme == "https"
        self._host, self._port = parts.hostname or "", parts.port or (443 if self._is_tls else 80)
        self._path = f"{parts.path.rstrip('/')}/{quote(namespace, safe='')}/"
        self._query = f"?{parts.query}" if parts.query else ""
        self._ca_file = ca_file
        self._timeout_s = timeout_s
        self._connection: HTTPConnection | None = None

    def fetch(self, sha256: str, size_bytes: int) -> bytes:
        """The bytes that lie there, as many as there are to be; raises MirrorError."""
        was_idle = self._connection is not None
        try:
            return self._exchange(sha256, size_bytes)
        except (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError) as error:
            self.close()
            if not was_idle:
                raise MirrorError(in_words(EOFError()), is_general=True) from error
        # It was closed while it was idle.
        try:
            return self._exchange(sha256, size_bytes)
        except (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError) as error:
            self.close()
            raise MirrorError(in_words(EOFError()), is_general=True) from error

    def close(self) -> None:
        """Close the connection."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def cut(self) -> None:
        """Make whoever reads see the end."""
        sock = getattr(self._connection, "sock", None)
        if sock is not None:
            with contextlib.suppress(OSError):
                # Not SSLSocket's own, which would take its TLS away under the thread that reads.
                socket.socket.shutdown(sock, socket.SHUT_RDWR)

    def _exchange(self, sha256: str, size_bytes: int) -> bytes:
        # A MiB and a half, for a node that has a mirror.
        from urllib3.exceptions import HTTPError  # noqa: PLC0415

        overdue = threading.Event()
        limit = threading.Timer(self._timeout_s, self._end, (overdue,))
        try:
            connection = self._connected()
            # A server that sends a byte a second never exceeds the socket's own time-out.
            limit.start()
            headers = {"accept-encoding": "identity"}
            target = f"{self._path}{sha256}{self._query}"
            connection.request("GET", target, headers=headers, preload_content=False)
            response = connection.getresponse()
            if response.status != _OK:
                self._refuse(response.status)
            sealed = response.read(size_bytes + 1, decode_content=False)
        except (OSError, http.client.HTTPException, HTTPError) as error:
            self.close()
            if isinstance(error, http.client.RemoteDisconnected | ConnectionResetError | BrokenPipeError):
                if not overdue.is_set():
                    raise
            elif not overdue.is_set():
                raise MirrorError(in_words(error.__cause__ or error), is_general=True) from error
            raise MirrorError("no answer in time", is_general=True) from error
        except ConfigurationError as error:
            raise MirrorError(error.what, is_general=True) from error
        finally:
            limit.cancel()
        if overdue.is_set():
            self.close()
            raise MirrorError("no answer in time", is_general=True)
        if len(sealed) != size_bytes:
            self.close()
            raise MirrorError("what lies there is not as long as the manifest says", is_general=False)
        return bytes(sealed)

    def _refuse(self, status: int) -> None:
        """The body does not matter, nor where it redirects to."""
        self.close()
        is_general = status == _TROUBLED[0] or status >= _TROUBLED[1]
        raise MirrorError(f"it answers with status {status}", is_general=is_general)

    def _end(self, overdue: threading.Event) -> None:
        overdue.set()
        self.cut()

    def _connected(self) -> "HTTPConnection":
        if self._connection is None:
            from urllib3.connection import HTTPConnection, HTTPSConnection  # noqa: PLC0415

            from edged.publish.tls import verifying_context  # noqa: PLC0415

            if self._is_tls:
                context = verifying_context(self._ca_file)
                self._connection = HTTPSConnection(
                    self._host, self._port, timeout=self._timeout_s, ssl_context=context
                )
            else:
                self._connection = HTTPConnection(self._host, self._port, timeout=self._timeout_s)
        return self._connection
