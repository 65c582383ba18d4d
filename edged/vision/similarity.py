"""A rotation, a uniform scale and a shift of the plane, as one value."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Similarity:
    """Takes (x, y) to (cosine x - sine y + dx, sine x + cosine y + dy).

    Attributes:
        cosine, sine: of the angle from the x axis towards the y axis, times the scale.
        dx, dy: where the origin comes to lie.
    """

    cosine: float
    sine: float
    dx: float
    dy: float

    @classmethod
    def fitted(cls, source: Sequence[Point], target: Sequence[Point]) -> "Similarity":
        """The one that brings points nearest to others, by least squares (Umeyama 1991, no reflection).

        Needs a point or more. Where all source points are one, everything goes to the target's middle.
        """
        count = len(source)
        source_x, source_y = sum(x for x, _ in source) / count, sum(y for _, y in source) / count
        target_x, target_y = sum(x for x, _ in target) / count, sum(y for _, y in target) / count
        along = across = spread = 0.0
        for (x, y), (u, v) in zip(source, target, strict=True):
            x, y, u, v = x - source_x, y - source_y, u - target_x, v - target_y  # noqa: PLW2901
            along += x * u + y * v
            across += x * v - y * u
            spread += x * x + y * y
        cosine, sine = (along / spread, across / spread) if spread else (0.0, 0.0)
        return cls(
            cosine,
            sine,
            target_x - cosine * source_x + sine * source_y,
            target_y - sine * source_x - cosine * source_y,
        )

    @property
    def scale(self) -> float:
        """Length of what was one long."""
        return math.hypot(self.cosine, self.sine)

    def of(self, x: float, y: float) -> Point:
        """Where a point comes to lie."""
        return self.cosine * x - self.sine * y + self.dx, self.sine * x + self.cosine * y + self.dy

    def inverse(self) -> "Similarity":
        """The way back; the scale must not be 0."""
        square = self.cosine * self.cosine + self.sine * self.sine
        cosine, sine = self.cosine / square, -self.sine / square
        return Similarity(
            cosine, sine, -cosine * self.dx + sine * self.dy, -sine * self.dx - cosine * self.dy
        )

    def after_moving(self, x: float, y: float) -> "Similarity":
        """The same for points counted from another origin, which lies at (x, y)."""
        return Similarity(self.cosine, self.sine, *self.of(x, y))

    def after_scaling(self, factor: float) -> "Similarity":
        """The same for points that must first be multiplied by a factor."""
        return Similarity(self.cosine * factor, self.sine * factor, self.dx, self.dy)

    def matrix(self) -> NDArray[np.float64]:
        """2 x 3, as OpenCV takes it."""
        return np.array([[self.cosine, -self.sine, self.dx], [self.sine, self.cosine, self.dy]])
