"""Who is in each namespace: asked of its live feeds with every turn, told when it changed."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Protocol

from edged.domain.event import NamespacePresence, PersonInNamespace
from edged.domain.moment import Moment
from edged.recognition.gallery import Gallery
from edged.recognition.namespace_presence import NamespaceBook
from edged.recognition.presence import Sight
from edged.settings.presence import Presence


class Attended(Protocol):
    """What is asked of a feed."""

    namespace: str
    is_live: bool

    def sights(self) -> list[Sight]:
        """Who is in view now, each with when they were seen last."""
        ...

    def take_mistaken(self) -> set[str]:
        """Keys of people who were somebody else, since this was last asked."""
        ...


@dataclass(slots=True)
class _Room:
    """One namespace: its live feeds, its people, and what was told of them."""

    feeds: Mapping[str, Attended]
    book: NamespaceBook
    told: tuple[PersonInNamespace, ...] = ()
    gallery: Gallery | None = None


class Attendance:
    """Keeps who is in each namespace that has a live feed. Owned by the recogniser's thread.

    A clip that is replayed is not heeded: its time is not now.

    Args:
        device: the device's id.
        settings: when somebody has left.
        feeds: by their ids.
        tell: takes what is told; does not wait.
    """

    def __init__(
        self,
        device: str,
        settings: Presence,
        feeds: Mapping[str, Attended],
        tell: Callable[[NamespacePresence], None],
    ) -> None:
        self._device = device
        self._tell = tell
        live = {feed_id: feed for feed_id, feed in feeds.items() if feed.is_live}
        self._rooms = {
            namespace: _Room(
                {feed_id: feed for feed_id, feed in live.items() if feed.namespace == namespace},
                NamespaceBook(_leave_after_ms(settings)),
            )
            for namespace in dict.fromkeys(feed.namespace for feed in live.values())
        }

    def configure(self, settings: Presence) -> None:
        """Go on with other settings."""
        for room in self._rooms.values():
            room.book.leave_after_ms = _leave_after_ms(settings)

    def begin(self, at: Moment) -> None:
        """Nobody is there: whatever was told before the daemon started no longer holds."""
        for namespace in self._rooms:
            self._say(namespace, (), at)

    def look(self, at: Moment, gallery_of: Callable[[str], Gallery]) -> None:
        """Ask all feeds who is in view, and tell what changed."""
        for namespace, room in self._rooms.items():
            room.book.update(
                at,
                {feed_id: feed.sights() for feed_id, feed in room.feeds.items()},
                {feed_id: feed.take_mistaken() for feed_id, feed in room.feeds.items()},
            )
            gallery = gallery_of(namespace)
            if gallery is not room.gallery:
                room.gallery = gallery
                room.book.erase(gallery.absent(room.book.identities()))
            persons = room.book.persons()
            if persons != room.told:
                self._say(namespace, persons, at)

    def switched_off(self, feed_id: str, at: Moment, *, still_on: Collection[str]) -> None:
        """Forget what a feed saw; where no other feed of its namespace is on, say that nobody is there."""
        for namespace, room in self._rooms.items():
            if feed_id not in room.feeds:
                continue
            room.book.switched_off(feed_id)
            if not room.feeds.keys() & set(still_on):
                self._say(namespace, (), at)

    def end(self, at: Moment) -> None:
        """The daemon ends: nobody is said to be there any more."""
        self.begin(at)

    def _say(self, namespace: str, persons: tuple[PersonInNamespace, ...], at: Moment) -> None:
        self._rooms[namespace].told = persons
        self._tell(NamespacePresence(namespace=namespace, device=self._device, persons=persons, at=at.utc_ms))


def _leave_after_ms(settings: Presence) -> int:
    return round(settings.namespace_leave_after * 1000)
