"""Where a face is going."""

import math
from typing import Final

from edged.domain.box import Box

_POSITION_NOISE: Final = 0.05**2
"""Variance of a detection's centre, in face sizes squared. Measured on faces of 50 to 75 pixels, the centre
jitters by 0.003 to 0.009 sizes; the rest is for heads that turn and hands that cover."""
_ACCELERATION_NOISE: Final = 2.5**2
"""How much velocity wanders, in face sizes squared per second cubed: 2.5 sizes/s within a second."""
_FIRST_SPEED: Final = 4.0**2
"""Variance of the velocity of a face just found, (face sizes per second) squared. Walking past is 3 to 9."""
_SIZE_TIME_CONSTANT_S: Final = 0.2
_CONTESTED: Final = 100.0
"""How much noisier a detection is taken where two faces overlap: the detector blends them into one box."""


class Path:
    """A face's centre, moving at nearly constant velocity, and its smoothed size.

    The centre is a Kalman filter with white-noise acceleration (Bar-Shalom, Li, Kirubarajan: Estimation with
    Applications to Tracking and Navigation, 2001, chapter 6). Both axes have the same noise, so one 2 x 2
    covariance serves both; it is in face sizes.
    """

    __slots__ = ("_both", "_speed", "_vx", "_vy", "height", "variance", "width", "x", "y")

    def __init__(self, box: Box) -> None:
        self.x, self.y = box.centre
        self.width = max(1.0, box.width)
        self.height = max(1.0, box.height)
        self.variance = _POSITION_NOISE
        """Of the centre, in face sizes squared."""
        self._vx = self._vy = 0.0
        self._both = 0.0
        self._speed = _FIRST_SPEED

    @property
    def size(self) -> float:
        """Mean of width and height, pixels, at least 1."""
        return (self.width + self.height) / 2

    @property
    def box(self) -> Box:
        """Where the face should be."""
        half_width, half_height = self.width / 2, self.height / 2
        return Box(self.x - half_width, self.y - half_height, self.x + half_width, self.y + half_height)

    @property
    def expected_spread(self) -> float:
        """Variance of the next detection's distance along one axis, face sizes squared."""
        return self.variance + _POSITION_NOISE

    def advance(self, elapsed_s: float) -> None:
        """Move on for so long, without seeing anything."""
        t = elapsed_s
        self.x += self._vx * t
        self.y += self._vy * t
        self.variance += 2 * t * self._both + t * t * self._speed + _ACCELERATION_NOISE * t**3 / 3
        self._both += t * self._speed + _ACCELERATION_NOISE * t * t / 2
        self._speed += _ACCELERATION_NOISE * t

    def correct(self, box: Box, elapsed_s: float, *, contested: bool) -> None:
        """Take in a detection, `elapsed_s` after the one before; `contested` where faces overlap."""
        noise = _POSITION_NOISE * (_CONTESTED if contested else 1.0)
        gain = self.variance / (self.variance + noise)
        speed_gain = self._both / (self.variance + noise)
        x, y = box.centre
        dx, dy = x - self.x, y - self.y
        self.x += gain * dx
        self.y += gain * dy
        self._vx += speed_gain * dx
        self._vy += speed_gain * dy
        self._speed -= speed_gain * self._both
        self._both *= 1 - gain
        self.variance *= 1 - gain
        weight = (1 - math.exp(-elapsed_s / _SIZE_TIME_CONSTANT_S)) / (4 if contested else 1)
        self.width = max(1.0, self.width + weight * (box.width - self.width))
        self.height = max(1.0, self.height + weight * (box.height - self.height))
