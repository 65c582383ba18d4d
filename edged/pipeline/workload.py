"""How the recogniser's time is spent: on each feed, and on requests."""

from collections.abc import Iterable

from edged.pipeline.governor import FeedWork


class Workload:
    """Counts up from the start. The recogniser's thread writes, any reads."""

    def __init__(self, feed_ids: Iterable[str]) -> None:
        self._looked = dict.fromkeys(feed_ids, 0)
        self._busy_ns = dict.fromkeys(self._looked, 0)
        self._requests_ns = 0

    def looked_at(self, feed_id: str, ns: int) -> None:
        """A frame of a feed took so long."""
        self._looked[feed_id] += 1
        self._busy_ns[feed_id] += ns

    def worked_on_requests(self, ns: int) -> None:
        """A step for requests took so long."""
        self._requests_ns += ns

    @property
    def requests_s(self) -> float:
        """Seconds spent on requests."""
        return self._requests_ns / 1e9

    def of_feed(self, feed_id: str, dropped: int) -> FeedWork:
        """What a feed took; `dropped` is what its slot counted."""
        return FeedWork(self._looked[feed_id], dropped, self._busy_ns[feed_id] / 1e9)
