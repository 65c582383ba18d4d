import hashlib
import io

import msgspec
import numpy as np
import pytest

from bench.checkout import ROOT
from edged.domain.errors import InputError
from edged.evaluation.fitting import FEWEST_PEOPLE, cluster, fitted
from edged.inference.card import EmbedderHead
from edged.inference.catalogue import Catalogue, head_of
from edged.recognition.calibration import Calibration

MEASURED = ROOT.parent / "shared" / "reference" / "calibration-embeddings.npz"
SIZE = 24


def people_and_photographs(people, photographs, *, seed=0, noise=0.12):
    """Unit vectors around a common middle, as embedders make them, some alike; who is on each."""
    random = np.random.default_rng(seed)
    middles = random.normal(size=(people, SIZE)) + 3 * np.eye(SIZE)[0]
    middles /= np.linalg.norm(middles, axis=1, keepdims=True)
    vectors = np.repeat(middles, photographs, axis=0)
    vectors = vectors + noise * random.normal(size=vectors.shape)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors.astype(np.float32), np.repeat(np.arange(people), photographs).tolist()


@pytest.fixture(scope="module")
def calibration():
    found = fitted(*people_and_photographs(600, 5), data="made up", made_by="a test")
    return Calibration(found.statistics, found.prototypes.astype(np.float32))


def share_taken_for_somebody(calibration, asked, *, people=20, pictures, faces):
    """Of strangers whom the calibration never saw."""
    vectors, who = people_and_photographs(900, pictures + faces, seed=7)
    own = vectors.reshape(len(set(who)), pictures + faces, SIZE)
    templates, probes = (_means(part) for part in (own[:, :pictures], own[:, pictures:]))
    costs = [calibration.crowding(part) for part in (templates, probes)]
    taken = total = 0
    for first in range(0, len(own) - people, people):
        enrolled = slice(first, first + people)
        strangers = np.delete(np.arange(len(own)), np.arange(first, first + people))
        adjusted = probes[strangers] @ templates[enrolled].T
        adjusted -= costs[1][strangers, None] + costs[0][None, enrolled]
        least = calibration.required_similarity(asked, enrolled=people, pictures=pictures, faces=faces)
        taken += int((adjusted.max(axis=1) >= least).sum())
        total += len(strangers)
    return taken / total


def _means(parts):
    means = parts.mean(axis=1)
    return means / np.linalg.norm(means, axis=1, keepdims=True)


@pytest.mark.parametrize(("pictures", "faces"), [(1, 1), (3, 1), (2, 2)])
@pytest.mark.parametrize("asked", [1e-2, 1e-3])
def test_the_rate_that_was_asked_for_is_the_rate_among_people_never_seen(calibration, asked, pictures, faces):
    seen = share_taken_for_somebody(calibration, asked, pictures=pictures, faces=faces)

    assert asked / 2 < seen < asked * 2


def test_what_is_measured_does_not_depend_on_the_run():
    data = people_and_photographs(300, 3)

    one, other = (fitted(*data, data="made up", made_by="a test") for _ in range(2))

    assert one.statistics == other.statistics
    assert one.prototypes.tobytes() == other.prototypes.tobytes()


def test_too_few_people_say_nothing():
    with pytest.raises(InputError, match=f"20 people .* it takes {FEWEST_PEOPLE}"):
        fitted(*people_and_photographs(20, 5), data="made up", made_by="a test")


def test_people_with_one_photograph_each_say_nothing():
    with pytest.raises(InputError, match="0 pairs of one person"):
        fitted(*people_and_photographs(400, 1), data="made up", made_by="a test")


def test_no_prototype_stands_for_fewer_than_three_people():
    vectors, who = people_and_photographs(100, 20, noise=0.01)
    people = np.array(who)

    prototypes = cluster(vectors, people, 256)

    nearest = (vectors @ prototypes.T).argmax(axis=1)
    assert all(len(set(people[nearest == number].tolist())) >= 3 for number in range(len(prototypes)))


@pytest.mark.skipif(not MEASURED.is_file(), reason=f"the measured embeddings are not at {MEASURED}")
def test_the_shipped_cards_hold_what_the_measured_embeddings_give():
    file = np.load(MEASURED)
    parts = [file[name].astype(np.float32) for name in ("chip", "mirrored")]
    chips, mirrored = (part / np.linalg.norm(part, axis=1, keepdims=True) for part in parts)
    both = chips + mirrored
    embeddings = both / np.linalg.norm(both, axis=1, keepdims=True)
    catalogue = Catalogue()
    card = catalogue.card("dlib-resnet-v1-dynamic-int8")
    shipped = head_of(card, EmbedderHead).calibration

    found = fitted(embeddings, file["person"].tolist(), data=shipped.data, made_by=shipped.made_by)

    assert found.statistics.tail == pytest.approx(shipped.tail, abs=1e-3)
    assert found.statistics.belief == pytest.approx(shipped.belief, abs=0.05)
    assert found.statistics.apart == pytest.approx(shipped.apart, abs=1e-4)
    content = catalogue.bytes_beside(card, shipped.cohort.file)
    assert hashlib.sha256(content).hexdigest() == shipped.cohort.sha256
    kept = np.load(io.BytesIO(content)).astype(np.float32)
    assert np.allclose(kept, found.prototypes.astype(np.float32), atol=2e-3)


def test_a_tail_that_does_not_fall_is_refused():
    catalogue = Catalogue()
    statistics = head_of(catalogue.card("dlib-resnet-v1-dynamic-int8"), EmbedderHead).calibration

    with pytest.raises(ValueError, match="does not fall"):
        msgspec.structs.replace(statistics, tail=(-2.2, 0.1, 0.0, 0.1, 0.0))
