"""From the recogniser to the disk: what is known of unknown people, written down by a thread of its own."""

from collections.abc import Callable
from typing import Final

from edged.domain.group import GroupedTrack, GroupNews
from edged.pipeline.keeper import Bounds, Keeper, Records

QUEUE_SIZE: Final = 64
"""News that may wait; each has a few chips, 0.3 MB at most. Beyond it the oldest is given up: groups are a
convenience, and never hold up recognition."""

_BOUNDS: Final = Bounds(QUEUE_SIZE, 24_000_000)
GroupRecords = Records[GroupNews]
"""The groups of all namespaces, as they are written."""


class GroupKeeper(Keeper[GroupNews]):
    """Keeps the groups of unknown people."""

    def __init__(
        self, records: GroupRecords, jitter: Callable[[], float], now_ns: Callable[[], int] = lambda: 0
    ) -> None:
        super().__init__(
            "group-keeper", "Groups of unknown people", records, jitter, _BOUNDS, _bytes_of, now_ns
        )


def _bytes_of(news: GroupNews) -> int:
    if not isinstance(news, GroupedTrack):
        return 0
    faces = sum(face.embedding.nbytes + (0 if face.chip is None else face.chip.nbytes) for face in news.faces)
    return news.mean.nbytes + faces
