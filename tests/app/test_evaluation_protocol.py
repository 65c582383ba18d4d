"""LFW's protocol on pictures that were looked at, some of which could not be."""

from itertools import pairwise

import numpy as np
import pytest

from builders.evaluation import a_face_set
from edged.app.evaluation import Doubt, protocol_of
from edged.app.evaluation_faces import Sight, Way
from edged.domain.errors import InputError
from edged.evaluation.protocol import Picture, parse_protocol

DOUBT = Doubt(resamples=10, seed=1)
PEOPLE = ("Ada", "Ben", "Cy", "Di")


def sights(*, lost=(), other_way=()):
    """Three pictures of each of four people; `lost` are unreadable, in `other_way` the daemon sees none."""
    faces = a_face_set([3] * len(PEOPLE))
    seen = {}
    for row, owner in enumerate(faces.person.tolist()):
        picture = Picture(PEOPLE[owner], row % 3 + 1)
        if picture in lost:
            seen[picture] = Sight(content="", way=Way.UNREADABLE, trouble="unreadable")
        else:
            way = Way.BORDER if picture in other_way else Way.DAEMON
            embedding = faces.embeddings[row].astype("<f4").tobytes()
            seen[picture] = Sight(content=str(row), way=way, quality=0.8, embedding=embedding)
    return seen


def a_protocol():
    rows = ["2\t3"]
    for fold in range(2):
        rows += [f"{person}\t{1 + fold}\t3" for person in PEOPLE[:3]]
        rows += [f"{one}\t{1 + fold}\t{other}\t3" for one, other in pairwise(PEOPLE)]
    return parse_protocol("\n".join(rows) + "\n", "pairs.txt")


def found(**how):
    return protocol_of(a_protocol(), sights(**how), None, DOUBT, lambda *_: None)


def test_with_every_picture_all_three_countings_agree():
    assert [one.accuracy.value for one in found().accuracies] == [1.0, 1.0, 1.0]


def test_genuine_pairs_are_told_of_all_pictures_and_of_the_protocol_apart():
    everything, own = found().verifications

    assert (everything.genuine, own.genuine) == (12, 6)
    assert everything.impostors == own.impostors == 54
    assert everything.counted != own.counted


def test_pairs_of_a_picture_without_a_face_to_the_daemon_are_told_as_errors_and_without_them():
    every, as_errors, excluded = found(other_way=[Picture("Ada", 1)]).accuracies

    assert every.accuracy.value == 1.0
    assert as_errors.not_scored == 2
    assert as_errors.accuracy.value == pytest.approx(10 / 12)
    assert (excluded.pairs, excluded.accuracy.value) == (10, 1.0)


def test_a_picture_that_cannot_be_read_makes_its_pairs_wrong_and_missed():
    protocol = found(lost=[Picture("Ben", 3)])

    every = protocol.accuracies[0]
    assert every.not_scored == 4
    assert every.accuracy.value == pytest.approx(8 / 12)
    assert protocol.verifications[1].genuine == 6
    assert protocol.verifications[1].hits[0].hit_rate.value <= 4 / 6


def test_too_few_readable_pictures_are_refused():
    lost = [Picture(person, number) for person in PEOPLE[1:] for number in (1, 2, 3)]

    with pytest.raises(InputError, match="no pair of both kinds is left"):
        found(lost=lost)


def test_what_is_told_of_a_picture_does_not_hang_on_the_others():
    one = sights()[Picture("Ada", 1)]

    assert np.allclose(one.vector(), sights(lost=[Picture("Di", 3)])[Picture("Ada", 1)].vector())
