"""One hook's turn: claim a few messages, post them, settle; with a back-off that outlives the turn."""

import logging
import threading
from collections import Counter, OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

from edged.api.addresses import target_of
from edged.api.fetching import FetchError
from edged.delivery.outcome import Fate, Outcome
from edged.delivery.parcel import Parcel
from edged.delivery.settlement import Settlement, Settler
from edged.delivery.signature import hook_key
from edged.domain.backoff import Backoff
from edged.domain.errors import StoreError
from edged.domain.hook import Hook
from edged.domain.moment import Clock, Moment
from edged.publish.worker import LEASE_S, Outbox
from edged.settings.quantities import Duration
from edged.settings.sinks import WebhookSink as Settings

if TYPE_CHECKING:
    # urllib3 comes with them, which only a daemon that really posts needs.
    from edged.publish.http_post import Reach
    from edged.publish.webhook import WebhookSink

TIMEOUT_S: Final = 10.0
"""How long connecting, and how long an exchange, may take. A turn ends at the first that does not answer."""
_FIRST_S: Final = 1.0
_MOST_S: Final = 300.0
_ATTEMPTS: Final = 1000
"""More than there are in the day after which a hook's mail is given up: the day decides."""
_REMEMBERED: Final = 2000
"""Back-offs that are kept; a hook whose back-off is forgotten begins with a first one again."""

_LOG = logging.getLogger(__name__)


class HookOutbox(Outbox, Protocol):
    """What the hooks need of the outbox besides. Each may raise `StoreError`."""

    def due_hooks(self, moment: Moment) -> list[Hook]:
        """The hooks that have mail now."""
        ...

    def remove_hook(self, hook_id: str) -> bool:
        """Forget a hook and its mail."""
        ...


@dataclass(frozen=True, slots=True)
class Turn:
    """What a turn came to.

    Attributes:
        fates: how many of the messages came to each fate.
        trouble: why one failed; empty where none did.
        pause_s: how long the hook is to be left alone.
        is_gone: its receiver wants nothing any more.
    """

    fates: Counter[Fate]
    trouble: str = ""
    pause_s: float = 0.0
    is_gone: bool = False


class Courier:
    """Serves hooks, several at once in several threads, each hook in one at a time.

    A connection lives for a turn: its receiver's addresses are checked anew at the next, and a thousand hooks
    hold no thousand connections.
    """

    def __init__(self, outbox: HookOutbox, reach: "Reach", clock: Clock, jitter: Callable[[], float]) -> None:
        self._outbox = outbox
        self._reach = reach
        self._clock = clock
        self._jitter = jitter
        self._lock = threading.Lock()
        self._settlers: OrderedDict[str, Settler] = OrderedDict()
        self._sinks: set[WebhookSink] = set()
        self._stopping = threading.Event()

    def serve(self, hook: Hook) -> Turn:
        """Post what waits, a few messages at most; raises StoreError where the outbox cannot be used."""
        sink = self._sink(hook)
        limit = sink.batch if sink is not None else 1
        parcels = self._outbox.claim(hook.sink_id, limit, self._clock.moment(), LEASE_S)
        fault = Outcome(Fate.FAILED, "a fault of edged itself, see the log")
        outcomes = [fault] * len(parcels)
        try:
            outcomes = self._delivered(sink, parcels)
        finally:
            settlement = self._settler(hook).settle(parcels, outcomes)
            self._settle(hook, settlement)
        return Turn(
            fates=Counter(outcome.fate for outcome in outcomes),
            trouble=next((outcome.reason for outcome in reversed(outcomes) if outcome.reason), ""),
            pause_s=settlement.pause_s,
            is_gone=any(outcome.is_gone for outcome in outcomes),
        )

    def interrupt(self) -> None:
        """End every turn that goes on, and every later one."""
        self._stopping.set()
        self._reach.abort()
        with self._lock:
            for sink in self._sinks:
                sink.interrupt()

    def _sink(self, hook: Hook) -> "WebhookSink | None":
        """None where its address is one that is not taken (any more)."""
        try:
            target = target_of(hook.url)
        except FetchError:
            return None
        settings = Settings(url=target.url, timeout=Duration(TIMEOUT_S))
        key = None if hook.secret is None else hook_key(hook.secret)
        from edged.publish.webhook import WebhookSink  # noqa: PLC0415

        return WebhookSink(hook.sink_id, settings, self._clock, key=key, reach=self._reach)

    def _delivered(self, sink: "WebhookSink | None", parcels: Sequence[Parcel]) -> list[Outcome]:
        if sink is None:
            return [Outcome(Fate.REFUSED, "its address is not taken")] * len(parcels)
        with self._lock:
            self._sinks.add(sink)
            if self._stopping.is_set():
                sink.interrupt()
        try:
            return sink.deliver(parcels)
        finally:
            with self._lock:
                self._sinks.discard(sink)
            sink.close()

    def _settler(self, hook: Hook) -> Settler:
        with self._lock:
            settler = self._settlers.get(hook.id)
            if settler is None:
                settler = Settler(
                    first_s=_FIRST_S, most_s=_MOST_S, attempts_most=_ATTEMPTS, jitter=self._jitter
                )
                self._settlers[hook.id] = settler
            self._settlers.move_to_end(hook.id)
            if len(self._settlers) > _REMEMBERED:
                self._settlers.popitem(last=False)
            return settler

    def _settle(self, hook: Hook, settlement: Settlement) -> None:
        """What is delivered must not be sent again for want of room on the disk: tried until the stop."""
        backoff = Backoff(first_s=0.2, most_s=10.0)
        while True:
            try:
                self._outbox.settle(hook.sink_id, settlement, self._clock.moment())
            except StoreError as error:
                if self._stopping.is_set():
                    return
                _LOG.error("What became of a webhook's messages cannot be written down: %s", error)
                self._stopping.wait(backoff.failed(self._jitter()))
            else:
                return
