"""The HTTP server, in a thread of its own."""

import asyncio
import logging
import socket
import ssl
import threading
from concurrent.futures import Future
from typing import Any, Final

import uvicorn

from edged import __version__
from edged.domain.moment import Clock
from edged.http.application import Application
from edged.http.limits import Limits
from edged.http.listening import listening_sockets, server_context
from edged.http.ports import Served
from edged.http.protocol import BoundedProtocol
from edged.settings.http import Http

_log = logging.getLogger(__name__)

_USUAL: Final = Limits()
_LONGEST_HEADERS: Final = 16_384
_START_S: Final = 30.0
_REST_S: Final = 0.5
"""After a connection could not be accepted, for want of file descriptors, say."""


class HttpServer:
    """Serves from `start` to `stop`.

    Args:
        served: the API and the rest.
        settings: the section `http`, its paths absolute.
        clock: for the log.
        limits: what one connection may take.
    """

    def __init__(self, served: Served, settings: Http, clock: Clock, limits: Limits = _USUAL) -> None:
        self._served = served
        self._settings = settings
        self._clock = clock
        self._limits = limits
        self._server: _Server | None = None
        self._application: Application | None = None
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Return when it listens; raises ConfigurationError where it cannot."""
        tls = None if self._settings.tls is None else server_context(self._settings.tls)
        sockets = listening_sockets(self._settings.listen)
        self._application = Application(self._served, self._settings, self._clock, __version__, self._limits)
        self._server = _Server(_config(self._application, self._limits), sockets, tls, self._limits)
        self._thread = threading.Thread(target=self._server.serve_until_told, name="http", daemon=True)
        self._thread.start()
        self._server.listening.result(_START_S)
        _log.info("listening at %s%s", self._settings.listen, "" if tls is None else ", with TLS")

    def stop(self, timeout_s: float) -> bool:
        """Take no further request, finish those begun; whether that was done in time."""
        if self._server is None or self._thread is None or self._application is None:
            return True
        self._server.should_exit = True
        self._thread.join(timeout_s)
        self._application.close()
        return not self._thread.is_alive()

    @property
    def is_alive(self) -> bool:
        """Whether its thread runs."""
        return self._thread is not None and self._thread.is_alive()

    @property
    def beats(self) -> int:
        """Counts the turns of its loop: whoever watches sees that it goes on."""
        return 0 if self._server is None else self._server.beats

    @property
    def answered(self) -> dict[tuple[str, int], int]:
        """Requests answered since the start, by operation and status; any thread may ask."""
        return {} if self._application is None else self._application.answered


def _config(application: Application, limits: Limits) -> uvicorn.Config:
    return uvicorn.Config(
        application.asgi,
        loop="asyncio",
        http=BoundedProtocol,
        ws="none",
        lifespan="off",
        interface="asgi3",
        log_config=None,
        log_level="warning",
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=limits.idle_s,
        timeout_graceful_shutdown=limits.grace_s,
        h11_max_incomplete_event_size=_LONGEST_HEADERS,
    )


class _Server(uvicorn.Server):
    """uvicorn's server, which accepts connections by itself: so many at once and no more, TLS or not."""

    def __init__(
        self,
        config: uvicorn.Config,
        listeners: list[socket.socket],
        tls: ssl.SSLContext | None,
        limits: Limits,
    ) -> None:
        super().__init__(config)
        self.listening: Future[None] = Future()
        self.beats = 0
        self._listeners = listeners
        self._tls = tls
        self._limits = limits
        self._accepting: list[asyncio.Task[None]] = []
        self._admitting: dict[asyncio.Task[None], BoundedProtocol] = {}
        """What is being admitted. uvicorn counts a connection a little before its admission has ended."""
        self._accepted: set[socket.socket] = set()
        """Connections whose admission has not begun; one that is cancelled before that never runs."""

    async def on_tick(self, counter: int) -> bool:
        """What the loop does every tenth of a second."""
        self.beats += 1
        return await super().on_tick(counter)

    def serve_until_told(self) -> None:
        """The thread: serve until `should_exit`."""
        try:
            with asyncio.Runner(loop_factory=asyncio.SelectorEventLoop) as runner:
                runner.get_loop().set_exception_handler(_log_mishap)
                runner.run(self.serve())
        except Exception as error:  # noqa: BLE001 - the top of the thread
            _log.exception("the HTTP server ended")
            if not self.listening.done():
                self.listening.set_exception(error)
        finally:
            for listener in self._listeners:
                listener.close()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to accept."""
        del sockets
        await self.lifespan.startup()
        self.servers = []
        self._accepting = [asyncio.create_task(self._accept(one)) for one in self._listeners]
        self.started = True
        self.listening.set_result(None)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Accept nothing more, finish what was begun."""
        for task in [*self._accepting, *self._admitting]:
            task.cancel()
        await asyncio.gather(*self._accepting, *self._admitting, return_exceptions=True)
        for connection in self._accepted:
            connection.close()
        for listener in self._listeners:
            listener.close()
        await super().shutdown(sockets)

    async def _accept(self, listener: socket.socket) -> None:
        while True:
            await _readable(listener)
            try:
                # Not by the loop's `sock_accept`: one that is cancelled just then loses what it has accepted.
                connection, _ = listener.accept()
            except BlockingIOError:
                continue
            except OSError as error:
                _log.warning("a connection cannot be accepted: %s", error.strerror)
                await asyncio.sleep(_REST_S)
                continue
            if len(self.server_state.connections.union(self._admitting.values())) >= self._limits.connections:
                _log.warning("more than %d connections: one is closed at once", self._limits.connections)
                connection.close()
                continue
            connection.setblocking(False)
            self._accepted.add(connection)
            protocol = self._protocol()
            task = asyncio.create_task(self._admit(connection, protocol))
            self._admitting[task] = protocol
            task.add_done_callback(self._admitting.pop)

    async def _admit(self, connection: socket.socket, protocol: BoundedProtocol) -> None:
        """Shake hands, where there is TLS; from then on the protocol has the connection."""
        self._accepted.discard(connection)
        limits: dict[str, Any] = {}
        if self._tls is not None:
            limits = {
                "ssl_handshake_timeout": self._limits.handshake_s,
                "ssl_shutdown_timeout": self._limits.handshake_s,
            }
        try:
            await asyncio.get_running_loop().connect_accepted_socket(
                lambda: protocol, connection, ssl=self._tls, **limits
            )
        except OSError:
            # Scanners, and browsers that do not trust the certificate: nothing to act on.
            connection.close()

    def _protocol(self) -> BoundedProtocol:
        return BoundedProtocol(
            self._limits, config=self.config, server_state=self.server_state, app_state=self.lifespan.state
        )


async def _readable(listener: socket.socket) -> None:
    """Wait until somebody wants to connect."""
    loop = asyncio.get_running_loop()
    ready = asyncio.Event()
    loop.add_reader(listener, ready.set)
    try:
        await ready.wait()
    finally:
        loop.remove_reader(listener)


def _log_mishap(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    del loop
    _log.warning("a connection failed: %s", context.get("message"), exc_info=context.get("exception"))
