"""Is a face seen in grey, as infrared cameras see at night?"""

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
    small = cv2.resize(chip, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA).reshape(-1, 3).astype(np.float64)
    small = small[small.max(axis=1) <= _BLOWN_OUT]
    if len(small) < _FEWEST:
        return 0.0
    brightness = small.mean(axis=1)
    differences = small[:, ::2] - small[:, 1:2]
    along = brightness - brightness.mean()
    apart = differences - differences.mean(axis=0)
    slope = along @ apart / max(float(along @ along), 1e-9)
    left = apart - along[:, None] * slope
    return float(np.sqrt((left**2).sum(axis=1).mean()) / max(float(brightness.mean()), _DARKEST))
