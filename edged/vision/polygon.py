"""Which pixels a polygon covers, were it only in part."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Corner = tuple[float, float]


def covered_pixels(corners: Sequence[Corner], width: int, height: int) -> NDArray[np.bool_]:
    """The pixels of a picture that have any of a polygon's area in them, or that its outline runs through.

    Where the outline crosses itself, all that it runs round counts (the non-zero rule), so that a star has no
    hole.

    Args:
        corners: x and y in pixels, three or more; the pixel in column 2 reaches from x = 2 to x = 3.
        width: of the picture, pixels; what lies outside is ignored.
        height: likewise.

    Returns:
        height x width, true where covered.
    """
    windings = np.zeros((height, width + 1), np.int32)
    covered = np.zeros((height, width), np.bool_)
    for begin, end in zip(corners, [*corners[1:], corners[0]], strict=True):
        _count_windings(windings, begin, end)
        _cover_outline(covered, begin, end)
    # Pixels that no outline runs through lie wholly within or without, as their centres do.
    covered |= np.cumsum(windings[:, :width], axis=1) != 0
    return covered


def _count_windings(windings: NDArray[np.int32], begin: Corner, end: Corner) -> None:
    """Note where an edge passes the rows of pixel centres: from there on it winds round, or back."""
    turn = 1 if begin[1] < end[1] else -1
    (x_low, low), (x_high, high) = sorted((begin, end), key=lambda corner: corner[1])
    height, width = windings.shape[0], windings.shape[1] - 1
    rows = np.arange(max(0, math.ceil(low - 0.5)), min(height, math.ceil(high - 0.5)))
    if rows.size:
        crossings = x_low + (rows + 0.5 - low) / (high - low) * (x_high - x_low)
        columns = np.clip(np.ceil(crossings - 0.5), 0, width).astype(np.intp)
        windings[rows, columns] += turn


def _cover_outline(covered: NDArray[np.bool_], begin: Corner, end: Corner) -> None:
    """Cover the pixels that an edge runs through: row by row, from where it comes in to where it goes out."""
    (x_low, low), (x_high, high) = sorted((begin, end), key=lambda corner: corner[1])
    last = math.ceil(high) if high > low else math.floor(low) + (low > math.floor(low))
    for row in range(max(0, math.floor(low)), min(covered.shape[0], last)):
        if high > low:
            begins_at, ends_at = ((y - low) / (high - low) for y in (max(low, row), min(high, row + 1)))
            ends = x_low + begins_at * (x_high - x_low), x_low + ends_at * (x_high - x_low)
        else:
            ends = x_low, x_high
        first = max(0, math.floor(min(ends)))
        covered[row, first : max(first, math.ceil(max(ends)))] = True
