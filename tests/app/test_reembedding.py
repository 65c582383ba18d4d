"""A new model sees the people whose chips were kept."""

import numpy as np
import pytest

from builders.namespaces import MODEL, OTHER_MODEL, HandClock, Ids, a_new_face, a_store, random_chip
from edged.app.reembedding import embed_anew
from edged.domain.face import Chip, Embedding
from edged.store.namespace_files import namespace_path


class MeanColour:
    """An embedder that any machine computes alike: the chip's first row, as a unit vector."""

    model_hash = OTHER_MODEL

    def embed(self, chip: Chip) -> Embedding:
        vector = chip[0, :128, 0].astype(np.float32)
        return vector / np.float32(np.linalg.norm(vector))


def embed(tmp_path, *namespaces):
    return embed_anew(tmp_path, namespaces, MeanColour(), HandClock(), Ids("again"))


def test_every_kept_chip_is_embedded_once(tmp_path):
    with a_store(tmp_path) as store:
        ada = store.add_identity("Ada", [a_new_face(n, chip=True) for n in range(70)])

    assert embed(tmp_path, "home", "home", "nowhere") == 70
    assert embed(tmp_path, "home") == 0

    with a_store(tmp_path) as store:
        faces = store.faces_of(ada.id, OTHER_MODEL)
        assert len(store.faces_of(ada.id, MODEL)) == 70
    for n, face in enumerate(faces):
        assert np.array_equal(face.embedding, MeanColour().embed(random_chip(n)))
    assert not namespace_path(tmp_path, "nowhere").exists()


def test_whoever_is_lost_without_chips_is_named(tmp_path, caplog):
    with a_store(tmp_path) as store:
        store.add_identity("Ada", [a_new_face(1, chip=True)])
        store.add_identity("Bob", [a_new_face(2)])
        store.add_identity("Nobody yet")

    assert embed(tmp_path, "home") == 1

    assert "1 people are not recognised" in caplog.text
    assert "Bob" in caplog.text


@pytest.mark.parametrize("content", ["folder", "foreign"])
def test_a_namespace_that_cannot_be_read_does_not_hold_up_the_others(tmp_path, caplog, content):
    path = namespace_path(tmp_path, "broken")
    if content == "folder":
        path.mkdir(parents=True)
    else:
        with a_store(tmp_path, namespace="broken") as store:
            store.connection.execute("PRAGMA application_id = 5")
    with a_store(tmp_path) as store:
        store.add_identity("Ada", [a_new_face(1, chip=True)])

    assert embed(tmp_path, "broken", "home") == 1
    assert "no face was embedded anew" in caplog.text
