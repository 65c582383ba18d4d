"""The porch that the people come to: a house with a door, a window and a lamp, behind a garden wall."""

import cv2
import numpy as np
from numpy.typing import NDArray

FRAME_WIDTH_PX, FRAME_HEIGHT_PX = 640, 480
GARDEN_WALL_TOP_PX = 372
"""Everything below is hidden by the garden wall, and so are the lower edges of the portraits."""

LAMP_PX = (452, 86)

Layer = NDArray[np.float32]
"""Height x width x 3, blue-green-red, 0 to 255."""

_SUPERSAMPLING = 2  # drawn twice as large and reduced, so that edges are smooth


def house() -> Layer:
    """Everything behind the people."""
    picture = _canvas((156, 172, 182))
    for row in range(0, 400, 16):
        _line(picture, (0, row), (640, row), (146, 162, 172))
    _rectangle(picture, (60, 70), (210, 280), (96, 116, 128))  # the window's frame
    _rectangle(picture, (70, 80), (200, 270), (150, 136, 108))
    _rectangle(picture, (131, 80), (139, 270), (96, 116, 128))
    _rectangle(picture, (70, 168), (200, 176), (96, 116, 128))
    _rectangle(picture, (50, 280), (220, 294), (120, 138, 150))
    _rectangle(picture, (488, 40), (628, 420), (82, 98, 108))  # the door's frame
    _rectangle(picture, (500, 52), (616, 420), (62, 82, 52))
    for top, bottom in ((70, 200), (220, 350)):
        _rectangle(picture, (516, top), (600, bottom), (70, 92, 60))
        _rectangle(picture, (522, top + 6), (594, bottom - 6), (58, 77, 48))
    _rectangle(picture, (508, 206), (518, 216), (120, 190, 210))
    _rectangle(picture, (LAMP_PX[0] - 3, 60), (LAMP_PX[0] + 3, 76), (60, 60, 60))
    _rectangle(picture, (LAMP_PX[0] - 11, 74), (LAMP_PX[0] + 11, 100), (190, 214, 222))
    layer = _reduced(picture) + _plaster(seed=1)
    # Daylight falls in from the upper left.
    rows, columns = np.mgrid[0:FRAME_HEIGHT_PX, 0:FRAME_WIDTH_PX].astype(np.float32)
    daylight = 1.06 - 0.16 * columns / FRAME_WIDTH_PX - 0.10 * rows / FRAME_HEIGHT_PX
    return np.asarray(layer * daylight[..., None], np.float32)


def garden_wall() -> Layer:
    """What stands before the people; only its rows from `GARDEN_WALL_TOP_PX` on are shown."""
    picture = _canvas((70, 84, 138))
    for course, top in enumerate(range(GARDEN_WALL_TOP_PX + 14, FRAME_HEIGHT_PX, 22)):
        _line(picture, (0, top), (640, top), (128, 138, 148), thickness_px=2)
        for column in range(-30 + 26 * (course % 2), 660, 52):
            _line(picture, (column, top), (column, top + 22), (128, 138, 148), thickness_px=2)
    _rectangle(picture, (0, GARDEN_WALL_TOP_PX), (640, GARDEN_WALL_TOP_PX + 13), (150, 158, 164))
    return np.asarray(_reduced(picture) + _plaster(seed=2), np.float32)


def lamplight() -> Layer:
    """What the lamp adds when it is lit, in the scene's own units."""
    rows, columns = np.mgrid[0:FRAME_HEIGHT_PX, 0:FRAME_WIDTH_PX].astype(np.float32)
    distance_px = np.hypot(columns - LAMP_PX[0], rows - LAMP_PX[1])
    glow = 60 * np.exp(-distance_px / 170) + 150 * np.exp(-((distance_px / 13) ** 2))
    return np.asarray(glow[..., None] * np.array([0.45, 0.8, 1.0], np.float32), np.float32)


def _canvas(colour: tuple[int, int, int]) -> NDArray[np.uint8]:
    size = (FRAME_HEIGHT_PX * _SUPERSAMPLING, FRAME_WIDTH_PX * _SUPERSAMPLING, 3)
    return np.full(size, colour, np.uint8)


def _rectangle(
    picture: NDArray[np.uint8], begin: tuple[int, int], end: tuple[int, int], colour: tuple[int, int, int]
) -> None:
    cv2.rectangle(picture, _scaled(begin), _scaled(end), colour, cv2.FILLED)


def _line(
    picture: NDArray[np.uint8],
    begin: tuple[int, int],
    end: tuple[int, int],
    colour: tuple[int, int, int],
    thickness_px: int = 1,
) -> None:
    cv2.line(picture, _scaled(begin), _scaled(end), colour, thickness_px * _SUPERSAMPLING)


def _scaled(point: tuple[int, int]) -> tuple[int, int]:
    return point[0] * _SUPERSAMPLING, point[1] * _SUPERSAMPLING


def _reduced(picture: NDArray[np.uint8]) -> Layer:
    small = cv2.resize(picture, (FRAME_WIDTH_PX, FRAME_HEIGHT_PX), interpolation=cv2.INTER_AREA)
    return small.astype(np.float32)


def _plaster(seed: int) -> Layer:
    """Unevenness of a few grey levels, coarse and fine, the same for each seed."""
    chance = np.random.default_rng(seed)
    uneven = np.zeros((FRAME_HEIGHT_PX, FRAME_WIDTH_PX), np.float32)
    for cell_px, levels in ((64, 4.0), (16, 2.0), (3, 2.0)):
        grid = chance.normal(0, levels, (FRAME_HEIGHT_PX // cell_px + 2, FRAME_WIDTH_PX // cell_px + 2))
        size = (FRAME_WIDTH_PX, FRAME_HEIGHT_PX)
        uneven += cv2.resize(grid.astype(np.float32), size, interpolation=cv2.INTER_CUBIC)
    return uneven[..., None]
