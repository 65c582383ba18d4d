"""Connections to addresses that requests name: resolved once, checked, and made to what was checked.

A name that resolves to an allowed address when it is checked and to a forbidden one when it is connected to
(DNS rebinding) gains nothing: it is resolved once, and the connection goes to the address that was checked.
"""

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

from edged.api.addresses import AddressRules
from edged.api.fetching import FetchError
from edged.domain.moment import Clock

_RESOLVE_S: Final = 5.0
_MOST_RESOLVING: Final = 8
"""The system's resolver has no time limit of ours: names that hang must not make threads without end."""
_MOST_ADDRESSES: Final = 4
"""Addresses of one name that are tried; the time is shared among them."""
_TRUST_MS: Final = 3_600_000

FORBIDDEN: Final = (
    "the address may not be reached: it is not in the Internet, nor in `requests.fetch.allow_networks`"
)
_STOPPING: Final = "the daemon is stopping"
_NO_NAME: Final = "the name of the server cannot be resolved"

Resolve = Callable[..., Sequence[tuple[Any, ...]]]
"""`socket.getaddrinfo`, or what stands for it."""


class Guard:
    """Makes connections for fetches and for webhooks. Any thread may call anything."""

    def __init__(
        self, allow_networks: Sequence[str], clock: Clock, *, resolve: Resolve = socket.getaddrinfo
    ) -> None:
        self._rules = AddressRules(allow_networks)
        self._clock = clock
        self._resolve = resolve
        self._resolving = threading.BoundedSemaphore(_MOST_RESOLVING)
        self._lock = threading.Lock()
        self._waits: set[threading.Event] = set()
        self._connecting: set[socket.socket] = set()
        self._is_aborted = False
        self._context: ssl.SSLContext | None = None
        self._context_ms = 0

    def connect(self, host: str, port: int, timeout_s: float, *, tls: bool) -> socket.socket:
        """A connection to the host, made within `timeout_s` in all, which its socket has as time-out too.

        Of several addresses the forbidden ones are passed over; nothing is ever sent to one. With `tls` the
        certificate is verified against the host's name, by the system's authorities. Raises FetchError.
        """
        until_ms = self._clock.moment().steady_ms + int(timeout_s * 1000)
        addresses = self.addresses(host, port, timeout_s)
        for index, address in enumerate(addresses):
            left_s = (until_ms - self._clock.moment().steady_ms) / 1000
            if left_s <= 0:
                break
            connected = self._connected(address, port, left_s / (len(addresses) - index))
            if connected is not None:
                return self._made_ready(connected, host, timeout_s, tls=tls)
        raise FetchError("no connection to the server could be made")

    def addresses(self, host: str, port: int, timeout_s: float = _RESOLVE_S) -> tuple[str, ...]:
        """The addresses of a host that may be reached, at least one; raises FetchError."""
        found = dict.fromkeys(str(entry[4][0]) for entry in self._resolved(host, port, timeout_s))
        allowed = tuple(address for address in found if self._rules.allow(address))
        if not allowed:
            raise FetchError(FORBIDDEN if found else _NO_NAME)
        return allowed[:_MOST_ADDRESSES]

    def abort(self) -> None:
        """End every connection that is being made, and every later one."""
        with self._lock:
            self._is_aborted = True
            for wait in self._waits:
                wait.set()
            for connecting in self._connecting:
                with contextlib.suppress(OSError):
                    connecting.shutdown(socket.SHUT_RDWR)

    def _resolved(self, host: str, port: int, timeout_s: float) -> Sequence[tuple[Any, ...]]:
        if not self._resolving.acquire(blocking=False):
            raise FetchError("too many names are being resolved at the moment")
        found: list[Sequence[tuple[Any, ...]]] = []
        done = threading.Event()

        def resolve() -> None:
            try:
                # A name that does not exist, or is none at all, gives nothing.
                with contextlib.suppress(OSError, UnicodeError):
                    found.append(self._resolve(host, port, type=socket.SOCK_STREAM))
            finally:
                self._resolving.release()
                done.set()

        with self._lock:
            self._waits.add(done)
            if self._is_aborted:
                done.set()
        try:
            threading.Thread(target=resolve, name="resolve", daemon=True).start()
            in_time = done.wait(min(timeout_s, _RESOLVE_S))
        finally:
            with self._lock:
                self._waits.discard(done)
        self._raise_if_aborted()
        if not in_time or not found:
            raise FetchError(_NO_NAME)
        return found[0]

    def _connected(self, address: str, port: int, timeout_s: float) -> socket.socket | None:
        """None where the address does not answer; raises FetchError at a stop."""
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        sock = socket.socket(family, socket.SOCK_STREAM)
        sock.settimeout(timeout_s)
        is_right = False
        try:
            with self._abortable(sock):
                sock.connect((address, port))
                # What the kernel says is at the other end, whatever brought us there.
                is_right = self._rules.allow(sock.getpeername()[0])
        except OSError:
            is_right = False
        finally:
            if not is_right:
                sock.close()
        self._raise_if_aborted()
        return sock if is_right else None

    def _made_ready(self, sock: socket.socket, host: str, timeout_s: float, *, tls: bool) -> socket.socket:
        sock.settimeout(timeout_s)
        if not tls:
            return sock
        try:
            with self._abortable(sock):
                # Closes the socket itself where it fails.
                return self._trust().wrap_socket(sock, server_hostname=host)
        except ssl.SSLCertVerificationError:
            raise FetchError("the server's certificate is not trusted") from None
        except (OSError, ValueError):
            self._raise_if_aborted()
            raise FetchError("no secure connection to the server could be made") from None
        finally:
            # Wrapped, it has handed its descriptor over.
            sock.close()

    def _trust(self) -> ssl.SSLContext:
        """The system's authorities, read again now and then: they are renewed while the daemon runs."""
        now_ms = self._clock.moment().steady_ms
        with self._lock:
            if self._context is None or now_ms - self._context_ms > _TRUST_MS:
                self._context = ssl.create_default_context()
                self._context_ms = now_ms
            return self._context

    @contextmanager
    def _abortable(self, sock: socket.socket) -> Iterator[None]:
        # A descriptor of our own: wrapping in TLS takes the socket's away.
        handle = sock.dup()
        with self._lock:
            self._connecting.add(handle)
        try:
            self._raise_if_aborted()
            yield
        finally:
            with self._lock:
                self._connecting.discard(handle)
            handle.close()

    def _raise_if_aborted(self) -> None:
        if self._is_aborted:
            raise FetchError(_STOPPING)
