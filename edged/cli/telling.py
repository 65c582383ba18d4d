"""Tells a person, line by line, what the daemon tells programs."""

from collections import Counter
from collections.abc import Callable, Iterable

import msgspec

from edged.domain.event import Event, EventType
from edged.domain.message import Message, MessageKind

SOMEBODY = "somebody unknown"


class Teller:
    """Turns the daemon's messages into lines such as `0:04  Eileen Collins came (97 %)`.

    Args:
        start_utc_ms: what the times on the lines are counted from.
        write: takes one line without its end.
    """

    def __init__(self, start_utc_ms: int, write: Callable[[str], None]) -> None:
        self._start_utc_ms = start_utc_ms
        self._write = write
        self._unknown_tracks: set[str] = set()
        self._visits: Counter[str] = Counter()
        self._final_jobs = 0

    def hear_all(self, messages: Iterable[Message]) -> None:
        """Take note of messages that were committed together."""
        for message in messages:
            self.hear(message)

    def hear(self, message: Message) -> None:
        """Take note of a message, and tell it when it says that somebody came or left."""
        if message.kind is MessageKind.EVENT:
            self._tell(msgspec.json.decode(message.body, type=Event))
        elif message.kind is MessageKind.JOB and message.is_final:
            self._final_jobs += 1

    def summary(self) -> str:
        """All that was heard, in one line."""
        visits = [f"{who} came {_times(count)}" for who, count in self._visits.items() if count]
        jobs = f"{self._final_jobs} job{'' if self._final_jobs == 1 else 's'}"
        return f"{', '.join(visits) or 'nobody came'}; {jobs}"

    def _tell(self, event: Event) -> None:
        minutes, seconds = divmod(max(event.at - self._start_utc_ms, 0) // 1000, 60)
        self._write(f"{minutes}:{seconds:02}  {self._words(event)}")

    def _words(self, event: Event) -> str:
        who = event.name or SOMEBODY
        # Rounded down: nobody is ever quite certain.
        sure = "" if event.confidence is None else f" ({int(event.confidence * 100)} %)"
        if event.type is EventType.LEFT:
            return f"{who} left"
        if event.type is EventType.UNKNOWN:
            self._unknown_tracks.add(event.track_id)
            self._visits.update([SOMEBODY])
            return f"{who} came"
        if event.track_id in self._unknown_tracks:
            self._unknown_tracks.discard(event.track_id)
            self._visits.subtract([SOMEBODY])
            self._visits.update([who])
            return f"{SOMEBODY} turns out to be {who}{sure}"
        self._visits.update([who])
        return f"{who} came{sure}"


def _times(count: int) -> str:
    return {1: "once", 2: "twice"}.get(count, f"{count} times")
