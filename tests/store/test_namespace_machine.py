"""A reader that only ever asks what changed holds the same gallery as the store, whatever happens."""

import tempfile
from pathlib import Path

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule

from builders.namespaces import MODEL, OTHER_MODEL, a_new_face, a_store, random_unit
from edged.store.fsck import fsck

FACES = st.lists(st.tuples(st.integers(0, 20), st.sampled_from([MODEL, MODEL, OTHER_MODEL])), max_size=3)
NAMES = st.text(st.characters(exclude_categories=("C", "Z")), max_size=8)


class NamespaceMachine(RuleBasedStateMachine):
    """The store, a dictionary that says what must be in it, and readers that fall behind."""

    people = Bundle("people")

    def __init__(self) -> None:
        super().__init__()
        self._folder = tempfile.TemporaryDirectory()
        self.store = a_store(Path(self._folder.name))
        self.model: dict[str, tuple[str, list[int]]] = {}
        self.readers: dict[int, tuple[int, dict[str, tuple[str, list[bytes]]]]] = {
            n: (0, {}) for n in range(3)
        }

    def teardown(self) -> None:
        self.store.close()
        assert all("never recognised" in finding for finding in fsck(self.store.path))
        self._folder.cleanup()

    @rule(target=people, name=NAMES, faces=FACES)
    def enrol(self, name, faces):
        person = self.store.add_identity(name, [a_new_face(n, model=m) for n, m in faces])
        self.model[person.id] = (person.name, [n for n, m in faces if m == MODEL])
        return person.id

    @rule(person=people, faces=FACES)
    def add_faces(self, person, faces):
        self.store.add_faces(person, [a_new_face(n, model=m) for n, m in faces])
        self.model[person][1].extend(n for n, m in faces if m == MODEL)

    @rule(person=people, name=NAMES)
    def rename(self, person, name):
        self.model[person] = (self.store.rename(person, name).name, self.model[person][1])

    @rule(person=consumes(people))
    def remove(self, person):
        self.store.remove([person])
        del self.model[person]

    @rule(reader=st.integers(0, 2))
    def catch_up(self, reader):
        revision, known = self.readers[reader]
        change = self.store.changes_since(revision, MODEL)
        if change is not None:
            assert change.revision > revision
            for gone in change.removed:
                known.pop(gone, None)
            for one in change.changed:
                known[one.identity.id] = (one.identity.name, [row.tobytes() for row in one.embeddings])
            self.readers[reader] = (change.revision, known)
        assert known == {
            person: (name, [random_unit(n).tobytes() for n in faces])
            for person, (name, faces) in self.model.items()
            if faces
        }

    @invariant()
    def everybody_is_listed(self):
        assert {one.id: one.name for one in self.store.identities()} == {
            person: name for person, (name, _) in self.model.items()
        }


TestNamespaceMachine = NamespaceMachine.TestCase
TestNamespaceMachine.settings = settings(max_examples=25, stateful_step_count=25, deadline=None)


def test_embeddings_survive_the_file_bit_by_bit(store):
    person = store.add_identity("Ada", [a_new_face(n) for n in range(20)])

    faces = store.faces_of(person.id, MODEL)

    assert [face.embedding.tobytes() for face in faces] == [random_unit(n).tobytes() for n in range(20)]
    assert all(np.array_equal(face.embedding, random_unit(n)) for n, face in enumerate(faces))
