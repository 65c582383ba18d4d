"""A namespace at the exchange that only notes what happens to it, and a clock that does not let one wait."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace

from edged.domain.moment import Moment
from edged.domain.sync_state import NamespaceSync, NodeLag, SyncRole, SyncState
from edged.sync.exchange import Exchange
from edged.sync.participant import Connection, Letter
from edged.system.clock import SystemClock

_PATIENCE_MS = 20_000


class Notebook:
    """A namespace that sends what it is told to, and notes what comes."""

    def __init__(self, namespace: str = "home", *reads: str, most: int = 20_000) -> None:
        self.namespace = namespace
        self.is_synced = True
        self.is_connected = False
        self.reads = set(reads)
        self.again: set[str] = set()
        self.most = most
        self.outbox: list[Letter] = []
        self.came: list[tuple[str, bytes]] = []
        self.acknowledgements: list[int] = []
        self.counts: Counter[str] = Counter()
        self.fault: Exception | None = None
        self.fault_of_closing: Exception | None = None
        self._tickets = 0

    def post(self, topic: str, payload: bytes = b"x", *, is_retained: bool = False) -> int:
        self._tickets += 1
        self.outbox.append(Letter(topic, payload, is_retained, self._tickets))
        return self._tickets

    def connected(self, _connection: Connection, _now: Moment) -> None:
        self.counts["connected"] += 1
        self.is_connected = True

    def disconnected(self, _now: Moment) -> None:
        self.counts["disconnected"] += 1
        self.is_connected = False

    def subscriptions(self) -> frozenset[str]:
        return frozenset(self.reads)

    def asks_again(self) -> frozenset[str]:
        again, self.again = frozenset(self.again), set()
        return again

    def most_payload_bytes(self) -> int:
        return self.most

    def takes(self, topic: str) -> bool:
        return topic.startswith(f"{self.namespace}/")

    def arrived(self, topic: str, payload: bytes, _now: Moment) -> None:
        self.came.append((topic, payload))

    def turn(self, _now: Moment) -> list[Letter]:
        fault, self.fault = self.fault, None
        if fault is not None:
            raise fault
        if not self.is_connected:
            return []
        letters, self.outbox = self.outbox, []
        return letters

    def acknowledged(self, ticket: int, _now: Moment) -> None:
        self.acknowledgements.append(ticket)

    def standing(self, _now: Moment) -> NamespaceSync:
        return NamespaceSync(self.namespace, SyncRole.MEMBER, SyncState.IN_STEP)

    def lags(self, _now: Moment) -> tuple[NodeLag, ...]:
        return ()

    def close(self) -> None:
        self.counts["closed"] += 1
        fault, self.fault_of_closing = self.fault_of_closing, None
        if fault is not None:
            raise fault


class QuickClock:
    """The system's, whose steady hand goes twenty times as fast: what is told now and then is told sooner."""

    def moment(self) -> Moment:
        now = SystemClock().moment()
        return replace(now, steady_ms=now.steady_ms * 20)


def turned(exchange: Exchange, is_done: Callable[[], bool], what: str) -> None:
    """Turn an exchange until something holds, in short turns; fails, saying what, where it does not."""
    end_ms = SystemClock().moment().steady_ms + _PATIENCE_MS
    while not is_done():
        assert SystemClock().moment().steady_ms < end_ms, what
        exchange.turn(0.01)
