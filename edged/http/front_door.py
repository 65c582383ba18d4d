"""What every request passes: errors become answers, and a line in the log."""

import logging
from collections import Counter
from collections.abc import Sequence

from starlette.types import ASGIApp, Receive, Scope, Send

from edged.api.client_address import Network, client_address
from edged.api.problem import Code, Problem
from edged.domain.errors import EdgedError
from edged.domain.moment import Clock
from edged.http.answer import of_problem
from edged.http.conversation import ClientGoneError, Conversation

_log = logging.getLogger(__name__)

_QUIET: frozenset[str] = frozenset({"/healthz", "/readyz", "/metrics"})
"""Asked for every few seconds, by programs."""
_LONGEST_PATH = 200


class FrontDoor:
    """The outermost ASGI application.

    Args:
        inner: serves the request through its conversation; raises Problem.
        clock: for the log.
        proxies: whose `X-Forwarded-For` is believed.
        linger_s: for which a body that was refused is still read.
    """

    def __init__(self, inner: ASGIApp, clock: Clock, proxies: Sequence[Network], linger_s: float) -> None:
        self._inner = inner
        self._clock = clock
        self._proxies = proxies
        self._linger_s = linger_s
        self._answered: Counter[tuple[str, int]] = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; raises nothing."""
        begun_ms = self._clock.moment().steady_ms
        conversation = Conversation(scope, receive, send, self._linger_s)
        conversation.address = client_address(
            conversation.peer, conversation.headers.getlist("x-forwarded-for"), self._proxies
        )
        try:
            await self._inner(scope, receive, send)
        except ClientGoneError:
            pass
        except Problem as problem:
            await self._tell(conversation, problem)
        except Exception as error:  # noqa: BLE001 - a request must not end the server
            self._log_mistake(conversation, error)
            words = "something went wrong inside edged; its log says more"
            await self._tell(conversation, Problem(Code.INTERNAL, words))
        self._answered[conversation.operation, conversation.status] += 1
        self._log_access(conversation, self._clock.moment().steady_ms - begun_ms)

    @property
    def answered(self) -> dict[tuple[str, int], int]:
        """Requests since the start, by operation and status (0: nobody waited for it); any thread may ask."""
        return dict(self._answered)

    async def _tell(self, conversation: Conversation, problem: Problem) -> None:
        # Where an answer was begun it cannot be taken back: the server cuts the connection.
        if not conversation.status:
            await conversation.answer(of_problem(problem))

    def _log_mistake(self, conversation: Conversation, error: Exception) -> None:
        if isinstance(error, EdgedError):
            _log.error("%s cannot be served: %s", conversation.method, error.what)
        else:
            _log.error("%s failed", conversation.method, exc_info=error)

    def _log_access(self, conversation: Conversation, took_ms: int) -> None:
        # Who asks comes first: of each kind of line and its first argument one a second is written.
        path = conversation.address_path
        _log.log(
            logging.DEBUG if path in _QUIET else logging.INFO,
            "%s: %s %s %d, %d bytes, %d ms",
            conversation.client_id or conversation.address,
            conversation.method,
            path[:_LONGEST_PATH],
            conversation.status,
            conversation.sent_bytes,
            took_ms,
        )
