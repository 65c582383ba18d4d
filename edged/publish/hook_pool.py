"""A few threads that deliver for all hooks: webhooks that clients of the API asked for."""

import logging
import threading
from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from edged.delivery.hook_turns import HookTurns, Standing
from edged.delivery.outcome import Fate
from edged.domain.backoff import Backoff
from edged.domain.errors import StoreError
from edged.domain.hook import HOOK_PREFIX, Hook
from edged.domain.moment import Clock
from edged.publish.complaints import Complaints
from edged.publish.hook_courier import Courier, HookOutbox, Turn
from edged.publish.worker import WorkerStatus

if TYPE_CHECKING:
    from edged.publish.http_post import Reach

THREADS: Final = 4
POOL_NAME: Final = f"{HOOK_PREFIX}*"
_LOOK_MS: Final = 1000
"""A retry that is due, or mail that another program put into the outbox, is seen so late."""
_REMEMBERED: Final = 1000
"""Webhooks whose trouble was logged; beyond that it may be logged again."""

_OF_REQUESTS: Final = (
    "Webhooks that requests name cannot be reached, or do not take what they are sent (`edged outbox` lists"
    " those with mail)"
)

_LOG = logging.getLogger(__name__)


class HookPool:
    """Serves all hooks, each at its own pace; a receiver that does not answer holds up no other for long."""

    def __init__(
        self,
        outbox: HookOutbox,
        reach: "Reach",
        clock: Clock,
        jitter: Callable[[], float],
        *,
        threads: int = THREADS,
    ) -> None:
        self._outbox = outbox
        self._clock = clock
        self._jitter = jitter
        self._courier = Courier(outbox, reach, clock, jitter)
        self._changed = threading.Condition()
        self._turns = HookTurns(threads)
        self._due: dict[str, Hook] = {}
        self._is_stale = True
        self._looked_ms = 0
        self._outcomes: Counter[Fate] = Counter()
        self._trouble = ""
        self._beats = 0
        self._stopping = threading.Event()
        self._store_trouble = Complaints(_LOG, clock)
        self._complaints: dict[str, Complaints] = {}
        self._threads = tuple(
            threading.Thread(target=self._run, name=f"hooks-{number}", daemon=True)
            for number in range(1, threads + 1)
        )

    @property
    def status(self) -> WorkerStatus:
        """How the hooks are doing, all together; any thread may ask."""
        with self._changed:
            condition = f"{len(self._due)} webhooks of API clients with mail, {self._turns.busy} being served"
            return WorkerStatus(POOL_NAME, condition, dict(self._outcomes), self._trouble, self._beats)

    def is_idle(self) -> bool:
        """Whether nothing waits, except for receivers that do not take it at the moment."""
        try:
            due = self._outbox.due_hooks(self._clock.moment())
        except StoreError:
            return False
        with self._changed:
            return not self._turns.busy and all(
                self._turns.standing(hook.id) is Standing.FAILING for hook in due
            )

    def start(self) -> None:
        """Begin to deliver."""
        for thread in self._threads:
            thread.start()

    def wake(self) -> None:
        """Say that something was committed; any thread may call it."""
        with self._changed:
            self._is_stale = True
            self._changed.notify()

    def interrupt(self) -> None:
        """Say that it is to stop, without waiting for it."""
        self._stopping.set()
        self._courier.interrupt()
        with self._changed:
            self._changed.notify_all()

    def stop(self, timeout_s: float) -> bool:
        """Stop; what was not sent stays in the outbox. False where a thread still hangs after `timeout_s`."""
        self.interrupt()
        until_ms = self._clock.moment().steady_ms + int(timeout_s * 1000)
        for thread in self._threads:
            if thread.ident is not None:
                thread.join(max(0.0, (until_ms - self._clock.moment().steady_ms) / 1000))
        return not any(thread.is_alive() for thread in self._threads)

    def _run(self) -> None:
        backoff = Backoff(first_s=0.2, most_s=10.0)
        while not self._stopping.is_set():
            self._beats += 1
            try:
                self._step()
            except StoreError as error:
                with self._changed:
                    self._store_trouble.tell(f"Webhooks cannot use the outbox: {error}", level=logging.ERROR)
                self._stopping.wait(backoff.failed(self._jitter()))
            except Exception:  # noqa: BLE001 - the top of the thread
                _LOG.exception("The webhooks of API clients met a fault of edged itself")
                self._stopping.wait(backoff.failed(self._jitter()))
            else:
                backoff.succeeded()

    def _step(self) -> None:
        hook = self._next()
        if hook is None:
            return
        turn = None
        try:
            turn = self._courier.serve(hook)
        finally:
            self._end(hook, turn)
        if turn.is_gone and self._outbox.remove_hook(hook.id):
            _LOG.warning("%s answered 410 Gone: it is removed", _called(hook))

    def _next(self) -> Hook | None:
        """The hook whose turn it is, or None after a wait."""
        with self._changed:
            moment = self._clock.moment()
            if self._is_stale or moment.steady_ms - self._looked_ms >= _LOOK_MS:
                self._is_stale = False
                self._looked_ms = moment.steady_ms
                self._due = {hook.id: hook for hook in self._outbox.due_hooks(moment)}
                self._turns.offer(self._due.keys())
            hook_id = self._turns.take(moment.steady_ms)
            if hook_id is not None:
                return self._due[hook_id]
            if not self._stopping.is_set():
                self._changed.wait(self._idle_s(moment.steady_ms))
            return None

    def _idle_s(self, now_ms: int) -> float:
        next_ms = self._turns.next_ms()
        wait_ms = _LOOK_MS if next_ms is None or next_ms <= now_ms else min(next_ms - now_ms, _LOOK_MS)
        return wait_ms / 1000

    def _end(self, hook: Hook, turn: Turn | None) -> None:
        """Note what the turn came to; None: a fault of ours."""
        now_ms = self._clock.moment().steady_ms
        with self._changed:
            if turn is None:
                self._turns.end(hook.id, Standing.FAILING, now_ms + _LOOK_MS)
            else:
                standing = Standing.PROVEN if turn.fates[Fate.DELIVERED] and not turn.trouble else None
                standing = standing or (Standing.FAILING if turn.trouble else self._turns.standing(hook.id))
                self._turns.end(hook.id, standing, now_ms + int(turn.pause_s * 1000))
                self._outcomes.update(turn.fates)
                self._trouble = turn.trouble
                self._complain(hook, turn)
            self._is_stale = True
            self._changed.notify_all()

    def _complain(self, hook: Hook, turn: Turn) -> None:
        """A registered webhook is told of by itself; of requests', which anybody may name, all in one."""
        key = hook.id if hook.is_registered else ""
        if not turn.trouble:
            if complaints := self._complaints.pop(hook.id, None):
                complaints.settle(f"{_called(hook)} takes messages again")
            return
        if len(self._complaints) > _REMEMBERED:
            self._complaints.clear()
        complaints = self._complaints.setdefault(key, Complaints(_LOG, self._clock))
        complaints.tell(f"{_called(hook)} fails: {turn.trouble}" if key else _OF_REQUESTS)


def _called(hook: Hook) -> str:
    whose = f" of the client `{hook.client_id}`" if hook.client_id else ""
    return f"The webhook {hook.where}{whose}"
