"""Is a face seen in grey, as infrared cameras see at night?"""

import math
from typing import Final

import cv2
import numpy as np

from edged.domain.face import Chip

_SIDE: Final = 15
"""The chip is judged at this size: ten by ten pixels averaged, so that sensor noise and the chroma blocks of
JPEG go."""
_BLOWN_OUT: Final = 245.0
"""A channel brighter than this is clipped, and its colour means nothing."""
_FEWEST: Final = 20
_BRIGHTNESS_AND_DIFFERENCES: Final = np.array([[1 / 3, 1, 0], [1 / 3, -1, -1], [1 / 3, 0, 1]], np.float32)
"""From red, green, blue to their mean, red less green, blue less green."""
_DARKEST: Final = 8.0

GREY_BELOW: Final = 0.03
"""Colour that is left, as a share of the brightness, below which a face is grey. In the project's test
footage: in colour .064 and more, also in warm light, at a quarter of the brightness and as JPEG of quality
30; made grey, with tints, sensor noise (deviation 15) and JPEG, at most .027."""


def is_grey(chip: Chip) -> bool:
    """Whether the aligned crop shows no colours: infrared light, or a black-and-white picture."""
    return colourfulness(chip) < GREY_BELOW


def colourfulness(chip: Chip) -> float:
    """How much the colours of a crop differ among themselves, as a share of its mean brightness; 0 is grey.

    A tint is no colour: a camera's white balance may turn a grey picture pink or green. So what is common to
    all pixels, a part that is constant and a part that grows with brightness, is taken off the differences of
    red and blue from green by least squares; what is left is measured.
    """
    small = cv2.resize(chip, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA).reshape(-1, 3)
    unclipped = small[small.max(axis=1) <= _BLOWN_OUT].astype(np.float32)
    if len(unclipped) < _FEWEST:
        return 0.0
    parts = unclipped @ _BRIGHTNESS_AND_DIFFERENCES
    means = parts.mean(axis=0)
    parts -= means
    (light, with_red, with_blue), (_, red, _), (_, _, blue) = (parts.T @ parts / len(parts)).tolist()
    left = red + blue - (with_red * with_red + with_blue * with_blue) / max(light, 1e-9)
    return math.sqrt(max(left, 0.0)) / max(float(means[0]), _DARKEST)
