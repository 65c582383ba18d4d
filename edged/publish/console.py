"""The sink `console`: JSON lines on standard output."""

import errno
import os
import select
from collections.abc import Sequence
from typing import Final

from edged.delivery.lateness import body_to_send
from edged.delivery.outcome import DELIVERED, UNTRIED, Fate, Outcome
from edged.delivery.parcel import Parcel
from edged.domain.moment import Clock
from edged.publish.lines import line_of
from edged.publish.sink import Alarm

_CHUNK_BYTES: Final = select.PIPE_BUF
"""Written at once: a pipe that says it can be written takes this much without blocking (pipe(7))."""
_LOOK_S: Final = 0.2
_GRACE_LOOKS: Final = 5
"""A line that was begun is finished, if its reader still reads, before a stop."""


class ConsoleSink(Alarm):
    """Writes each message as one line to a file descriptor, past Python's own buffers.

    A reader that is slow holds this sink up and no other. One that has gone for good ends it: what waits
    stays in the outbox.
    """

    batch = 64

    def __init__(self, sink_id: str, clock: Clock, descriptor: int = 1) -> None:
        super().__init__()
        self.id = sink_id
        self._clock = clock
        self._descriptor = descriptor
        self._closed_because = ""

    @property
    def condition(self) -> str:
        """How it is doing, for people."""
        return self._closed_because or "writing to standard output"

    @property
    def is_finished(self) -> bool:
        """Whether nobody reads any more, and nobody ever will."""
        return bool(self._closed_because)

    def is_ready(self) -> bool:
        """Whether somebody may be reading."""
        return not self.is_finished

    def deliver(self, parcels: Sequence[Parcel]) -> list[Outcome]:
        """Write the lines; each counts once it has left for its reader."""
        outcomes: list[Outcome] = []
        for parcel in parcels:
            if self.is_stopping() or self.is_finished:
                outcomes.append(UNTRIED)
                continue
            body = body_to_send(parcel, self._clock.moment(), event_max_age_ms=None)
            outcomes.append(self._written(line_of(body)))
        return outcomes

    def close(self) -> None:
        """Nothing to let go of: standard output is not ours."""

    def _written(self, line: bytes) -> Outcome:
        looks_left = _GRACE_LOOKS
        sent = 0
        try:
            while sent < len(line):
                if self._can_write():
                    sent += self._write_some(line[sent : sent + _CHUNK_BYTES])
                    continue
                looks_left -= self.is_stopping()
                if self.is_stopping() and (sent == 0 or looks_left <= 0):
                    return UNTRIED
        except OSError as error:
            return self._broken(error)
        return DELIVERED

    def _can_write(self) -> bool:
        poll = select.poll()
        poll.register(self._descriptor, select.POLLOUT)
        # A closed pipe counts as writable: writing then says what is wrong with it.
        return bool(poll.poll(_LOOK_S * 1000))

    def _write_some(self, chunk: bytes) -> int:
        try:
            return os.write(self._descriptor, chunk)
        except BlockingIOError:
            # Somebody made the terminal non-blocking, and it is full after all.
            self.wait(_LOOK_S)
            return 0

    def _broken(self, error: OSError) -> Outcome:
        reason = f"standard output cannot be written: {error.strerror}"
        if error.errno in {errno.EPIPE, errno.EBADF}:
            self._closed_because = "nobody reads standard output any more"
            reason = self._closed_because
        return Outcome(Fate.UNREACHABLE, reason)
