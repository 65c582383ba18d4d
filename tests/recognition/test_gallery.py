import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders.recognition import a_gallery, an_embedding, an_identity, at_cosine
from edged.domain.identity import GalleryChange, IdentityFaces
from edged.recognition.gallery import ALONE, Gallery

ADA, BEN = an_identity("Ada", number=1), an_identity("Ben", number=2)


def test_an_empty_gallery_has_no_match():
    assert Gallery.empty().best_match(an_embedding()) is None


def test_the_best_identity_and_its_distance_from_the_second_are_found():
    gallery = a_gallery((ADA, [at_cosine(1, 0.98)]), (BEN, [at_cosine(2, 0.90)]))

    match = gallery.best_match(an_embedding())

    assert match.identity == ADA
    assert match.similarity == pytest.approx(0.98, abs=1e-6)
    assert match.margin == pytest.approx(0.08, abs=1e-6)


def test_one_enrolled_person_alone_has_no_second():
    match = a_gallery((ADA, [an_embedding()])).best_match(an_embedding())

    assert match.margin == ALONE


def test_a_template_is_the_normalised_mean_of_the_pictures():
    pictures = [an_embedding((1, 0.5)), an_embedding((2, 0.5))]
    mean = np.mean(pictures, axis=0)

    match = a_gallery((ADA, pictures)).best_match(an_embedding())

    assert match.similarity == pytest.approx(float(mean[0] / np.linalg.norm(mean)), abs=1e-6)
    assert 1 < match.pictures <= 2


def test_a_change_leaves_the_snapshot_it_began_from_as_it_was():
    before = a_gallery((ADA, [an_embedding()]))

    after = before.with_change(GalleryChange(2, (), (ADA.id,)))

    assert len(before) == 1
    assert len(after) == 0
    assert after.revision == 2


def test_a_person_whose_pictures_cancel_out_is_not_compared_with_and_hides_nobody():
    opposite = [an_embedding(), -an_embedding()]

    gallery = a_gallery((BEN, opposite), (ADA, [at_cosine(1, 0.98)]))

    match = gallery.best_match(an_embedding())
    assert len(gallery) == 1
    assert match.identity == ADA
    assert match.similarity == pytest.approx(0.98, abs=1e-6)


def test_a_person_with_embeddings_of_another_size_is_not_compared_with():
    small = np.full((1, 64), 0.125, np.float32)
    change = GalleryChange(1, (IdentityFaces(BEN, small), IdentityFaces(ADA, an_embedding()[None])), ())

    gallery = Gallery.empty(size=128).with_change(change)

    assert len(gallery) == 1
    assert gallery.best_match(an_embedding()).identity == ADA


people = st.dictionaries(st.integers(1, 8), st.integers(2, 100), max_size=8)


@given(st.lists(people, max_size=6))
def test_changes_one_after_the_other_give_what_the_last_state_gives_at_once(states):
    gallery, present = Gallery.empty(), {}
    for revision, state in enumerate(states, start=1):
        changed = tuple(_faces(n, axis) for n, axis in state.items() if present.get(n) != axis)
        removed = tuple(an_identity(number=n).id for n in present if n not in state)
        gallery = gallery.with_change(GalleryChange(revision, changed, removed))
        present = state

    assert len(gallery) == len(present)
    for axis in present.values():
        match = gallery.best_match(at_cosine(axis, 0.9))
        assert match.similarity == pytest.approx(1.0, abs=1e-5)
        assert present[int(match.identity.id[-12:])] == axis


def _faces(number: int, axis: int) -> IdentityFaces:
    return IdentityFaces(an_identity(number=number), np.stack([at_cosine(axis, 0.9)]))


def test_it_says_who_is_not_in_it():
    ada, ben = an_identity("Ada", number=1), an_identity("Ben", number=2)
    gallery = a_gallery((ada, [an_embedding()]))

    assert gallery.absent({ada.id, ben.id}) == {ben.id}
    assert gallery.absent(()) == frozenset()
