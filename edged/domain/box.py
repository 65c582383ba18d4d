"""An immutable rectangle and its algebra."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle in a frame, edges in pixels (or in any other one unit), `min` inclusive of `max`.

    A box may reach outside its frame, as detectors' boxes do; `clipped` brings it back.
    """

    x_min: float
    y_min: float
    x_max: float
    y_max: float

    @property
    def width(self) -> float:
        """Never negative, whatever the edges."""
        return max(0.0, self.x_max - self.x_min)

    @property
    def height(self) -> float:
        """Never negative, whatever the edges."""
        return max(0.0, self.y_max - self.y_min)

    @property
    def area(self) -> float:
        """Width times height."""
        return self.width * self.height

    @property
    def centre(self) -> tuple[float, float]:
        """The middle as (x, y)."""
        return (self.x_min + self.x_max) / 2, (self.y_min + self.y_max) / 2

    def iou(self, other: "Box") -> float:
        """Intersection over union, 0 to 1; two boxes without area have 0, even when they are equal."""
        width = min(self.x_max, other.x_max) - max(self.x_min, other.x_min)
        height = min(self.y_max, other.y_max) - max(self.y_min, other.y_min)
        if width <= 0 or height <= 0:
            return 0.0
        shared = width * height
        union = self.area + other.area - shared
        return shared / union if union > 0 else 0.0

    def clipped(self, width: float, height: float) -> "Box":
        """The part inside a frame of that size."""
        return Box(
            min(max(self.x_min, 0.0), width),
            min(max(self.y_min, 0.0), height),
            min(max(self.x_max, 0.0), width),
            min(max(self.y_max, 0.0), height),
        )

    def fraction_of(self, width: float, height: float) -> "Box":
        """The same box in fractions of a frame of that size, clipped to 0 to 1."""
        inside = self.clipped(width, height)
        return Box(inside.x_min / width, inside.y_min / height, inside.x_max / width, inside.y_max / height)
