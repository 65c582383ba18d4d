"""How much of requests may wait in memory, and when to ask again where that is too much."""

import math
import threading
from dataclasses import dataclass
from typing import Final

from edged.api.problem import Code, Problem
from edged.domain.moment import Clock, Moment
from edged.settings.requests import Requests

_FIRST_GUESS_MS: Final = 200.0
"""What a picture takes, before one was looked at."""
_WEIGHT: Final = 0.1
"""Of the newest picture in the running mean of what they take."""
_LONGEST_WAIT_S: Final = 600


@dataclass(frozen=True, slots=True)
class Held:
    """What waits.

    Attributes:
        images: pictures that were taken on and are not done.
        bytes: of pictures, in memory.
        refused: requests that did not fit, since the start.
    """

    images: int
    bytes: int
    refused: int


class Admission:
    """Counts pictures and their bytes against the settings' bounds. Any thread may call anything.

    Downloads take their room when they begin. Where one waits for it, requests that bring their pictures
    along do not get in its way: its room counts as taken.
    """

    def __init__(self, settings: Requests, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._changed = threading.Condition()
        self._images = 0
        self._bytes = 0
        self._wanted_bytes = 0
        """Room that downloads wait for."""
        self._refused = 0
        self._is_closed = False
        self._per_image_ms = _FIRST_GUESS_MS
        self._busy_since: Moment | None = None

    @property
    def held(self) -> Held:
        """What waits now."""
        with self._changed:
            return Held(self._images, self._bytes, self._refused)

    @property
    def is_waited_for(self) -> bool:
        """Whether a download waits for room."""
        with self._changed:
            return self._wanted_bytes > 0

    def admit(self, images: int, size: int) -> None:
        """Take pictures on, of which those that came along have so many bytes.

        Raises Problem: 413 where they would never fit, 429 where they do not fit now.
        """
        settings = self._settings
        with self._changed:
            if images > settings.max_images or size > settings.max_bytes:
                self._refused += 1
                raise Problem(
                    Code.TOO_LARGE,
                    f"a request may have {settings.max_images} pictures and bring {settings.max_bytes} bytes"
                    f" of them along, and this one has {images} and {size}: send them in several requests",
                )
            over_images = self._images + images - settings.max_images
            taken = self._bytes + self._wanted_bytes
            over_bytes = taken + size - settings.max_bytes if size else 0
            if over_images > 0 or over_bytes > 0:
                self._refused += 1
                share = max(over_bytes, 0) / max(taken, 1)
                raise self._too_many(max(over_images, math.ceil(share * self._images), 1))
            if not self._images:
                self._busy_since = self._clock.moment()
            self._images += images
            self._bytes += size

    def finished(self, images: int = 1) -> None:
        """So many pictures are done."""
        with self._changed:
            now = self._clock.moment()
            if self._busy_since is not None:
                took_ms = (now.steady_ms - self._busy_since.steady_ms) / max(images, 1)
                self._per_image_ms += _WEIGHT * (took_ms - self._per_image_ms)
            self._busy_since = now
            self._images -= images
            self._changed.notify_all()

    def withdraw(self, images: int, size: int) -> None:
        """Pictures that were taken on are not looked at after all."""
        with self._changed:
            self._images -= images
            self._bytes -= size
            self._changed.notify_all()

    def release(self, size: int) -> None:
        """So many bytes are no longer held."""
        with self._changed:
            self._bytes -= size
            self._changed.notify_all()

    def reserve(self) -> int | None:
        """Wait until there is room for one picture that is to be fetched; its bytes, or None at the end."""
        most = self._settings.max_bytes
        size = min(self._settings.fetch.max_bytes, most)
        with self._changed:
            self._wanted_bytes += size
            # A single picture is always let through: the bound may be smaller than what it may have.
            self._changed.wait_for(lambda: self._is_closed or self._bytes + size <= most or not self._bytes)
            self._wanted_bytes -= size
            if self._is_closed:
                return None
            self._bytes += size
            return size

    def keep(self, reserved: int, used: int) -> None:
        """Give back what of a reservation was not used."""
        self.release(reserved - used)

    def close(self) -> None:
        """Let nobody wait any more."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()

    def _too_many(self, images: int) -> Problem:
        wait_s = min(max(math.ceil(images * self._per_image_ms / 1000), 1), _LONGEST_WAIT_S)
        return Problem(
            Code.TOO_MANY,
            f"{self._images} pictures wait, and there is no room for these: ask again in {wait_s} s",
            retry_after_s=wait_s,
        )
