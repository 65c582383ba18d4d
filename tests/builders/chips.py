"""Aligned crops of a drawn face, with things before it."""

import cv2
import numpy as np

from edged.domain.face import CHIP_SIZE_PX, Chip

SKIN = (200, 150, 120)


def a_drawn_face(*, lit: float = 1.0) -> Chip:
    """A face as a child draws it, where faces lie in a chip: hair, eyes, brows, nose, lips, a green wall."""
    chip = np.full((CHIP_SIZE_PX, CHIP_SIZE_PX, 3), (120, 160, 130), np.uint8)
    cv2.ellipse(chip, (75, 80), (62, 85), 0, 0, 360, (60, 40, 30), -1)
    cv2.ellipse(chip, (75, 85), (54, 75), 0, 0, 360, SKIN, -1)
    for x in (48, 102):
        cv2.line(chip, (x - 12, 38), (x + 12, 38), (70, 50, 40), 3)
        cv2.ellipse(chip, (x, 48), (11, 5), 0, 0, 360, (240, 240, 240), -1)
        cv2.circle(chip, (x, 48), 4, (40, 30, 30), -1)
    cv2.ellipse(chip, (75, 84), (8, 4), 0, 0, 180, (150, 100, 80), 2)
    cv2.ellipse(chip, (75, 108), (18, 6), 0, 0, 360, (170, 70, 80), -1)
    cv2.line(chip, (57, 108), (93, 108), (90, 30, 40), 2)
    return seen(chip, lit=lit)


def seen(chip: Chip, *, lit: float = 1.0, blur_px: float = 1.0) -> Chip:
    """The crop as a camera sees it: a little out of focus, in brighter or dimmer light."""
    picture = cv2.GaussianBlur(chip.astype(np.float32) * lit, (0, 0), blur_px)
    return np.clip(np.round(picture), 0, 255).astype(np.uint8)


def with_sunglasses(chip: Chip, colour: tuple[int, int, int] = (20, 20, 22)) -> Chip:
    """The crop with dark glasses painted on."""
    worn = chip.copy()
    for x in (48, 102):
        cv2.ellipse(worn, (x, 50), (24, 19), 0, 0, 360, colour, -1)
    cv2.line(worn, (60, 46), (90, 46), colour, 4)
    return seen(worn)


def with_mask(chip: Chip, colour: tuple[int, int, int] = (120, 170, 200)) -> Chip:
    """The crop with a mask over nose, mouth and chin painted on."""
    worn = chip.copy()
    shape = np.array([[20, 82], [75, 66], [130, 82], [122, 125], [75, 148], [28, 125]], np.int32)
    cv2.fillPoly(worn, [shape], colour)
    return seen(worn)


def in_grey(chip: Chip) -> Chip:
    """The crop without its colours."""
    return cv2.cvtColor(cv2.cvtColor(chip, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB).astype(np.uint8)
