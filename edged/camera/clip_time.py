"""The time of a clip's frames: strictly increasing, and going on when the clip begins again. Pure."""

from typing import Final

_FALLBACK_FPS: Final = 25.0
"""For a stream that says nothing of its rate, as FFmpeg assumes of raw H.264."""

_LEAST_FPS: Final = 0.001
_MOST_FPS: Final = 1000.0


class ClipTime:
    """Turns what a container says of its frames into seconds since the first frame of the first round."""

    def __init__(self) -> None:
        self._step_s = 1.0 / _FALLBACK_FPS
        self._round_begins_s = 0.0
        self._first_s: float | None = None
        self._last_s: float | None = None

    def begin_round(self, fps: float) -> None:
        """The clip begins, for the first time or again. `fps` as the container says, 0 where it does not."""
        # NaN fails every comparison, and is refused so.
        self._step_s = 1.0 / (fps if _LEAST_FPS <= fps <= _MOST_FPS else _FALLBACK_FPS)
        self._first_s = None
        if self._last_s is not None:
            self._round_begins_s = self._last_s + self._step_s

    def restart(self) -> None:
        """The next frame is the first of all again."""
        self._round_begins_s, self._last_s, self._first_s = 0.0, None, None

    def of_frame(self, position_s: float) -> float:
        """The time of the next frame.

        Args:
            position_s: what the container says. Where it does not go forward (raw streams say 0 of every
                frame; broken ones jump back), the frame comes one step after the one before.
        """
        if self._first_s is None:
            self._first_s = position_s
            self._last_s = self._round_begins_s
            return self._last_s
        last_s = self._last_s or 0.0
        wanted_s = self._round_begins_s + position_s - self._first_s
        self._last_s = wanted_s if wanted_s > last_s else last_s + self._step_s
        return self._last_s
