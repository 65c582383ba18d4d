"""Fetching the pages that a member lacks: a few at a time, and again where one does not come."""

import heapq
from collections.abc import Callable, Collection, Iterable
from typing import Final

from edged.domain.moment import Moment
from edged.replication.following import ask_again_ms
from edged.replication.people import page_name
from edged.replication.refusal import Refusal, RefusedError
from edged.replication.statements import PageEntry
from edged.replication.topics import SyncTopics
from edged.sync.parts import PageSource

WINDOW: Final = 8
"""Pages that are asked for at once, and that wait in memory to be staged: 768 kB."""
MOST_LATE: Final = 64
"""Late pages that are read all the while: as many as a report names."""
_LONGEST_SLOT: Final = 4
"""A page that does not come keeps its place among those that are asked for so many times `ask_every` at
most: others have their turn meanwhile."""


class PageFetching:
    """Which pages are wanted, asked for, and here but not staged. Nothing here waits or touches a file.

    Args:
        topics: of the namespace.
        ask_every_ms: until a page is asked for again, the first time.
        jitter: gives numbers from 0 to below 1, by chance.
        mirror: where pages are asked for first; None: the broker alone.

    Attributes:
        requests: how often a page was asked for.
    """

    def __init__(
        self,
        topics: SyncTopics,
        ask_every_ms: int,
        jitter: Callable[[], float],
        mirror: PageSource | None = None,
    ) -> None:
        self.requests = 0
        self._topics = topics
        self._ask_every_ms = ask_every_ms
        self._jitter = jitter
        self._mirror = mirror
        self._wanted: dict[str, PageEntry] = {}
        self._tries: dict[str, int] = {}
        self._waiting: list[tuple[int, int, str]] = []
        """A heap: when it is asked for (steady), its place in the manifest, its name."""
        self._asked: dict[str, int] = {}
        """Until when each is waited for, steady."""
        self._by_mirror: set[str] = set()
        self._came: dict[str, bytes] = {}
        self._again: set[str] = set()

    def want(self, entries: Collection[PageEntry]) -> None:
        """Fetch these and no others; what came of them already stays."""
        self._wanted = {entry.sha256: entry for entry in entries if entry.sha256 not in self._came}
        self._came = {name: self._came[name] for name in self._came.keys() & {e.sha256 for e in entries}}
        self.restart()

    def restart(self) -> None:
        """Ask for all anew: the broker is another one, or is there again."""
        self._tries.clear()
        self._asked.clear()
        self._by_mirror.clear()
        self._again.clear()
        self._waiting = [(0, place, name) for place, name in enumerate(self._wanted)]

    @property
    def missing(self) -> int:
        """How many pages are not here."""
        return len(self._wanted)

    @property
    def has_room(self) -> bool:
        """Whether another page may come before the others are staged."""
        return len(self._came) < WINDOW

    def late(self, most: int) -> tuple[str, ...]:
        """Names of pages that were asked for more than once and did not come; at most so many, sorted."""
        return tuple(sorted(name for name, tries in self._tries.items() if tries > 1)[:most])

    def subscriptions(self) -> frozenset[str]:
        """The topics of pages that are asked of the broker now, and of those that are late.

        A late page may come when the authority publishes it again, and at no other time: some clusters keep a
        retained message only on the node that took it.
        """
        asked = self._asked.keys() - self._by_mirror
        return frozenset(self._topics.page(name) for name in asked.union(self.late(MOST_LATE)))

    def asks_again(self) -> frozenset[str]:
        """Of these the ones that were asked for before; each call empties it."""
        again, self._again = frozenset(self._again), set()
        return again

    def arrived(self, name: str, sealed: bytes) -> None:
        """A page came. Raises RefusedError where it is not wanted, or is not what its name says."""
        entry = self._wanted.get(name)
        if entry is None:
            if name in self._came or not sealed:
                return
            raise RefusedError(Refusal.UNLISTED, "a page came that is not wanted")
        if not sealed or not self.has_room:
            # Cleared from the broker, or more than was asked for: it is asked for again.
            return
        if len(sealed) > entry.bytes:
            raise RefusedError(Refusal.OVERSIZED, "a page is larger than the manifest says")
        if len(sealed) != entry.bytes or page_name(sealed) != name:
            raise RefusedError(Refusal.ALTERED, "a page is not what its name says: cut off, or altered")
        self._came[name] = sealed
        del self._wanted[name]
        self._tries.pop(name, None)
        self._asked.pop(name, None)
        self._by_mirror.discard(name)

    def came(self) -> Iterable[tuple[str, bytes]]:
        """Pages to be staged, (name, sealed bytes) each."""
        return tuple(self._came.items())

    def staged(self) -> None:
        """They are."""
        self._came.clear()

    def turn(self, now: Moment) -> list[RefusedError]:
        """Give up what did not come in time, ask for what is due; returns what a mirror gave that is none."""
        refused = self._take_from_mirror(now)
        for name in [name for name, until_ms in self._asked.items() if until_ms <= now.steady_ms]:
            self._give_up(name, now.steady_ms)
        while len(self._asked) < WINDOW and self._waiting and self._waiting[0][0] <= now.steady_ms:
            _, _, name = heapq.heappop(self._waiting)
            if name in self._wanted and name not in self._asked:
                self._ask(name, now.steady_ms)
        return refused

    def _ask(self, name: str, steady_ms: int) -> None:
        tries = self._tries[name] = self._tries.get(name, 0) + 1
        self.requests += 1
        self._asked[name] = steady_ms + self._ask_every_ms * min(tries, _LONGEST_SLOT)
        if self._mirror is not None and tries % 2:
            # The broker has it too, unless its owner has all pages on the mirror.
            self._by_mirror.add(name)
            self._mirror.want(name, self._wanted[name].bytes)
        elif tries > 1:
            self._again.add(self._topics.page(name))

    def _give_up(self, name: str, steady_ms: int, *, rest: bool = True) -> None:
        del self._asked[name]
        self._by_mirror.discard(name)
        wait_ms = ask_again_ms(self._tries[name], self._ask_every_ms, self._jitter) if rest else 0
        heapq.heappush(self._waiting, (steady_ms + wait_ms, self._tries[name], name))

    def _take_from_mirror(self, now: Moment) -> list[RefusedError]:
        refused: list[RefusedError] = []
        if self._mirror is None:
            return refused
        for name, sealed in self._mirror.came():
            try:
                if sealed is not None:
                    self.arrived(name, sealed)
            except RefusedError as error:
                refused.append(error)
            if name in self._by_mirror:
                # It has none, or no good one: the broker is asked at once.
                self._give_up(name, now.steady_ms, rest=False)
        return refused
