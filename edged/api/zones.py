"""Exclusion zones: cells of a grid over a picture where nothing is looked for."""

from dataclasses import dataclass

from edged.api.problem import Code, Problem
from edged.api.requests import ExclusionZones


@dataclass(frozen=True, slots=True)
class Grid:
    """Cells of a picture that count and cells that do not.

    Attributes:
        size: cells along each edge of the picture, whatever its shape.
        rows: 1 for a cell that is left out, from the top; what is missing of a row, or of the rows, is 0.
    """

    size: int
    rows: tuple[tuple[int, ...], ...]

    def leaves_out(self, x: float, y: float) -> bool:
        """Whether a point of the picture, in fractions of it, lies in a cell that is left out."""
        column, line = self._cell(x), self._cell(y)
        return line < len(self.rows) and column < len(self.rows[line]) and self.rows[line][column] == 1

    def _cell(self, fraction: float) -> int:
        return min(max(int(fraction * self.size), 0), self.size - 1)


NOWHERE = Grid(1, ())
"""No cell is left out."""


def grid_of(zones: ExclusionZones | None, field: str) -> Grid:
    """The grid of a request; raises Problem (400), naming `field`, where its rows do not fit its size."""
    if zones is None:
        return NOWHERE
    longest = max((len(row) for row in zones.zones), default=0)
    for what, count in (("rows", len(zones.zones)), ("cells in a row", longest)):
        if count > zones.size:
            raise Problem(
                Code.MALFORMED, f"a grid of size {zones.size} has no {count} {what}", field=f"{field}.zones"
            )
    return Grid(zones.size, zones.zones)
