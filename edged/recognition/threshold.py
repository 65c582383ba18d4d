"""How alike a face must be: similarity for a chosen false-accept rate, and what a similarity is worth.

Cosines of the shipped embedder crowd together, and the right threshold moves with the number of pictures
behind a template, the number of faces fused in a probe and the number of people enrolled. One fixed cosine
gives away either the door or the name.

Source: 4,602 photographs of 2,548 people (LFW, people A to L), embedded by the shipped recipe; templates
and probes are normalised means; `scripts/fit-thresholds` makes the tables again.
"""

import math
from collections.abc import Mapping
from typing import Final

FALSE_ACCEPT: Final[Mapping[str, float]] = {"1 in 100": 1e-2, "1 in 1000": 1e-3, "1 in 10000": 1e-4}
"""Share of strangers' tracks taken for somebody, as the configuration names it."""

MOST_EVIDENCE: Final = 3
"""More pictures or faces than so many are counted as so many: there the measured thresholds level off."""

LEAST_GALLERY: Final = 20
"""A smaller gallery counts as so large. People at one camera share its light and its angle and are more
alike than LFW's strangers: on five people in one room strangers reached .962, where LFW says .958."""

_DECADES: Final = (-3.0, -4.0, -5.0, -6.0)
"""log10 of the share of strangers accepted in one comparison; the last column is extrapolated."""

_SIMILARITY: Final[Mapping[tuple[int, int], tuple[float, float, float, float]]] = {
    (1, 1): (0.9290, 0.9429, 0.9541, 0.9640),
    (1, 2): (0.9357, 0.9485, 0.9588, 0.9670),
    (1, 3): (0.9376, 0.9500, 0.9595, 0.9680),
    (2, 2): (0.9432, 0.9563, 0.9645, 0.9710),
    (2, 3): (0.9455, 0.9568, 0.9685, 0.9730),
    (3, 3): (0.9475, 0.9580, 0.9690, 0.9740),
}
"""Similarity at each decade, by evidence of template and probe, the smaller first (they are symmetric)."""

_BEYOND: Final = 0.006
"""Similarity for each further decade beyond the table: what its last columns rise by, and no measurement."""

_LOGISTIC: Final[Mapping[tuple[int, int], tuple[float, float]]] = {
    (1, 1): (0.9250, 164.0),
    (1, 2): (0.9369, 231.0),
    (1, 3): (0.9406, 245.0),
    (2, 2): (0.9502, 400.0),
    (2, 3): (0.9548, 350.0),
    (3, 3): (0.9585, 450.0),
}
"""Similarity at which a match in a gallery of 20 is as likely right as wrong, and the slope there."""

_MOST_CONFIDENCE: Final = 0.999
"""A fit to some thousand people knows no more than this."""


def required_similarity(false_accept: float, *, enrolled: int, pictures: int, faces: int) -> float:
    """Least similarity at which a probe is taken for an enrolled person.

    Args:
        false_accept: share of strangers' tracks that may be taken for somebody, above 0, below 1.
        enrolled: people in the gallery, at least 1.
        pictures: enrolled faces behind the template, at least 1.
        faces: good faces fused in the probe, at least 1.

    Returns:
        A cosine. Each of the enrolled people is one chance to be mistaken, so one comparison may be wrong
        in `false_accept / enrolled` cases; between the measured decades it is interpolated.
    """
    decade = math.log10(false_accept / max(enrolled, LEAST_GALLERY))
    column = _SIMILARITY[_evidence(pictures, faces)]
    if decade >= _DECADES[0]:
        return column[0] + (_DECADES[0] - decade) * (column[1] - column[0])
    for i in range(len(_DECADES) - 1):
        if decade >= _DECADES[i + 1]:
            return column[i] + (_DECADES[i] - decade) * (column[i + 1] - column[i])
    return min(0.999, column[-1] + (_DECADES[-1] - decade) * _BEYOND)


def confidence(similarity: float, *, pictures: int, faces: int) -> float:
    """How likely a match is right, 0 to .999, where friends and strangers come equally often.

    A logistic in the similarity, fitted to genuine pairs against the best of 20 strangers.
    """
    middle, slope = _LOGISTIC[_evidence(pictures, faces)]
    return min(_MOST_CONFIDENCE, 1 / (1 + math.exp(min(-slope * (similarity - middle), 500.0))))


def _evidence(pictures: int, faces: int) -> tuple[int, int]:
    fewer, more = sorted((min(pictures, MOST_EVIDENCE), min(faces, MOST_EVIDENCE)))
    return fewer, more
