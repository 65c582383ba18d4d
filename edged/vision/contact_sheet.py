"""Draws faces side by side, a row a person, so that one look tells who they are."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np

from edged.domain.face import Chip
from edged.domain.frame import Pixels

CELL_PX: Final = 120
ACROSS: Final = 8
MOST_ROWS: Final = 64
"""A sheet is at most 1,000 x 9,600 pixels."""

_TITLE_PX: Final = 24
_CAPTION_PX: Final = 16
_GAP_PX: Final = 4
_PAPER: Final = 245
_INK: Final = (40, 40, 40)
_FAINT: Final = (210, 210, 210)
_FONT: Final = cv2.FONT_HERSHEY_SIMPLEX


@dataclass(frozen=True, slots=True, eq=False)
class Row:
    """One person on the sheet.

    Attributes:
        title: a line above their faces; ASCII is what can be drawn.
        faces: chip, or None where none was kept, and a short caption of each.
    """

    title: str
    faces: Sequence[tuple[Chip | None, str]]


def contact_sheet(rows: Sequence[Row]) -> Pixels:
    """A BGR picture of all rows, ACROSS faces a line; what is beyond MOST_ROWS lines is left out.

    At least one row. The chips are RGB.
    """
    strips: list[Pixels] = []
    for row in rows:
        lines = [row.faces[start : start + ACROSS] for start in range(0, len(row.faces), ACROSS)] or [[]]
        for number, line in enumerate(lines):
            if len(strips) < MOST_ROWS:
                strips.append(_strip(row.title if number == 0 else "", line))
    return np.vstack(strips)


def _strip(title: str, faces: Sequence[tuple[Chip | None, str]]) -> Pixels:
    title_px = _TITLE_PX if title else _GAP_PX
    height = title_px + CELL_PX + _CAPTION_PX
    strip = np.full((height, _GAP_PX + ACROSS * (CELL_PX + _GAP_PX), 3), _PAPER, np.uint8)
    if title:
        cv2.line(strip, (0, 0), (strip.shape[1], 0), _FAINT, 1)
        cv2.putText(strip, _ascii(title), (_GAP_PX, 17), _FONT, 0.45, _INK, 1, cv2.LINE_AA)
    for column, (chip, caption) in enumerate(faces):
        x = _GAP_PX + column * (CELL_PX + _GAP_PX)
        cell = strip[title_px : title_px + CELL_PX, x : x + CELL_PX]
        if chip is None:
            cell[:] = _FAINT
            cv2.putText(cell, "no picture", (24, CELL_PX // 2), _FONT, 0.4, _INK, 1, cv2.LINE_AA)
        else:
            cell[:] = cv2.resize(chip[:, :, ::-1], (CELL_PX, CELL_PX), interpolation=cv2.INTER_AREA)
        at = (x, title_px + CELL_PX + 12)
        cv2.putText(strip, _ascii(caption), at, _FONT, 0.35, _INK, 1, cv2.LINE_AA)
    return strip


def _ascii(text: str) -> str:
    return text.encode("ascii", "replace").decode()
