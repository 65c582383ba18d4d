"""Which frames are looked at, when, and how many that are in a second. Pure: times in, answers out."""

from collections import deque
from typing import Final

PATIENCE_S: Final = 0.5
"""A clip that lags more than this behind its own time does not catch up: it goes on from now."""


class Sampler:
    """Chooses frames so that at most so many a second are looked at, evenly over time.

    Due times lie on a grid. A frame up to a quarter of a step early is taken, so that a camera of just the
    asked rate, whose frames come a little early or late, loses none.
    """

    def __init__(self, fps: float) -> None:
        self._step_s = 1.0 / fps
        self._next_s: float | None = None

    def set_fps(self, fps: float) -> None:
        """Go on at another rate: the next frame is due one step of it after the last one that was."""
        step_s = 1.0 / fps
        if self._next_s is not None:
            self._next_s += step_s - self._step_s
        self._step_s = step_s

    def is_due(self, at_s: float) -> bool:
        """Whether the frame of this time, in seconds of any start, is looked at; asked in order of time."""
        if self._next_s is None:
            self._next_s = at_s
        if at_s < self._next_s - self._step_s / 4:
            return False
        behind = at_s - self._next_s > self._step_s
        self._next_s = (at_s if behind else self._next_s) + self._step_s
        return True


class Pacer:
    """Holds a source that is faster than time back to its own time."""

    def __init__(self) -> None:
        self._begin_s: float | None = None

    def wait_s(self, due_s: float, now_s: float) -> float:
        """How long until a frame is due: `due_s` in the source's time, `now_s` of a steady clock."""
        if self._begin_s is None or now_s - (self._begin_s + due_s) > PATIENCE_S:
            self._begin_s = now_s - due_s
        return max(0.0, self._begin_s + due_s - now_s)


class Rate:
    """Events in a second, over a sliding window."""

    def __init__(self, window_s: float = 10.0) -> None:
        self._window_s = window_s
        self._first_s: float | None = None
        self._times_s: deque[float] = deque()

    def note(self, at_s: float) -> None:
        """Note one event."""
        if self._first_s is None:
            self._first_s = at_s
        self._times_s.append(at_s)
        self._forget(at_s)

    def per_second(self, now_s: float) -> float:
        """Events a second over the window, or over the time since the first event where that is shorter."""
        self._forget(now_s)
        if self._first_s is None or not self._times_s:
            return 0.0
        return len(self._times_s) / min(self._window_s, max(now_s - self._first_s, 1.0))

    def _forget(self, now_s: float) -> None:
        while self._times_s and self._times_s[0] <= now_s - self._window_s:
            self._times_s.popleft()
