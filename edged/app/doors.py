"""What others on the network find: the HTTP server, with the API where there are clients for it."""

from collections.abc import Callable
from typing import Final

from edged.domain.errors import ConfigurationError
from edged.domain.moment import Clock
from edged.http.ports import Backend, Exposition, Served
from edged.settings.http import Http, Metrics

SHORTEST_TOKEN: Final = 16


class Doors:
    """The HTTP server's life. The main thread calls all but the properties.

    Args:
        settings: the section `http`.
        clock: for the log.
        alive: whether the daemon makes progress.
        troubles: what keeps it from serving.
        metrics: makes the figures for Prometheus.
        api: the calls of the API; None where there is none.

    Raises ConfigurationError for a token that is too short.
    """

    def __init__(
        self,
        settings: Http,
        clock: Clock,
        *,
        alive: Callable[[], bool],
        troubles: Callable[[], tuple[str, ...]],
        metrics: Callable[[], bytes],
        api: Backend | None,
    ) -> None:
        # Half a dozen MiB and a tenth of a second, which only a daemon that serves needs.
        from edged.http.server import HttpServer  # noqa: PLC0415

        self._alive = alive
        self._troubles = troubles
        self._is_open = False
        exposition = None
        if settings.metrics is not None:
            exposition = Exposition(metrics, _token_of(settings.metrics))
        self._server = HttpServer(Served(self, api, exposition), settings, clock)

    def open(self) -> None:
        """Let requests in: everything else runs. Raises ConfigurationError where it cannot listen."""
        self._server.start()
        self._is_open = True

    def close(self, timeout_s: float) -> bool:
        """Take no further request; False where some were cut off."""
        self._is_open = False
        return self._server.stop(timeout_s)

    def is_alive(self) -> bool:
        """Whether the daemon makes progress; any thread may ask."""
        return self._alive()

    def not_ready(self) -> tuple[str, ...]:
        """What is missing before requests can be served; any thread may ask."""
        return self._troubles() if self._is_open else ("the daemon is starting or stopping",)

    @property
    def failure(self) -> BaseException | None:
        """Why the server ended by itself; None while it goes on."""
        if self._is_open and not self._server.is_alive:
            return RuntimeError("the HTTP server ended")
        return None

    @property
    def is_open(self) -> bool:
        """Whether requests are let in."""
        return self._is_open

    @property
    def beats(self) -> int:
        """Counts the turns of its loop."""
        return self._server.beats

    @property
    def answered(self) -> dict[tuple[str, int], int]:
        """Requests answered since the start, by operation and status."""
        return self._server.answered


def _token_of(settings: Metrics) -> str | None:
    if settings.token is None:
        return None
    token = settings.token.reveal()
    if len(token) < SHORTEST_TOKEN:
        raise ConfigurationError(
            f"`http.metrics.token`: `{settings.token.name}` has fewer than {SHORTEST_TOKEN} characters",
            remedy="make a new one, for example with `openssl rand -base64 24`",
        )
    return token
