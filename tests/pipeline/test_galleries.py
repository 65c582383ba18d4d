import threading

import numpy as np

from builders.recognition import an_embedding, an_identity, at_cosine
from edged.domain.identity import GalleryChange, IdentityFaces
from edged.pipeline.galleries import Galleries

ADA, BEN = an_identity("Ada", number=1), an_identity("Ben", number=2)


def a_change(revision, *people, removed=()):
    changed = tuple(IdentityFaces(person, np.stack([an_embedding()])) for person in people)
    return GalleryChange(revision, changed, removed)


def test_a_namespace_that_was_never_read_is_empty():
    assert len(Galleries().current("home")) == 0


def test_changes_add_up():
    galleries = Galleries()
    galleries.apply("home", a_change(1, ADA))
    galleries.apply("home", a_change(2, BEN))
    galleries.apply("home", a_change(3, removed=(ADA.id,)))

    assert galleries.current("home").best_match(at_cosine(1, 0.9)).identity == BEN
    assert galleries.current("home").revision == 3


def test_nothing_crosses_from_one_namespace_to_another():
    galleries = Galleries()
    galleries.apply("home", a_change(1, ADA))

    assert galleries.current("office").best_match(an_embedding()) is None


def test_a_snapshot_that_is_in_use_does_not_change():
    galleries = Galleries()
    galleries.apply("home", a_change(1, ADA))
    in_use = galleries.current("home")
    galleries.apply("home", a_change(2, BEN))

    assert len(in_use) == 1


def test_an_exchanged_store_begins_anew():
    galleries = Galleries()
    galleries.apply("home", a_change(7, ADA))
    galleries.replace("home", a_change(2, BEN))

    assert galleries.current("home").best_match(an_embedding()).identity == BEN
    assert len(galleries.current("home")) == 1


def test_the_revision_is_the_stores():
    galleries = Galleries()
    assert galleries.revision("home") == 0

    galleries.apply("home", a_change(7, ADA))

    assert galleries.revision("home") == 7
    assert galleries.revision("office") == 0


def test_whoever_changed_the_store_can_wait_until_it_is_known():
    galleries = Galleries()
    answers = []
    waiter = threading.Thread(target=lambda: answers.append(galleries.wait_for("home", 2, 30)))
    waiter.start()
    galleries.apply("office", a_change(5, BEN))
    galleries.apply("home", a_change(1, ADA))
    galleries.apply("home", a_change(3, BEN))
    waiter.join(30)

    assert answers == [True]
    assert not galleries.wait_for("home", 4, 0.01), "which never comes"
