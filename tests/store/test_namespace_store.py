"""The people of a namespace: enrolled, asked for, changed, forgotten."""

import sqlite3
from contextlib import closing

import numpy as np
import pytest

from builders.namespaces import (
    MODEL,
    OTHER_MODEL,
    START_UTC_MS,
    a_new_face,
    a_store,
    random_chip,
    random_unit,
    raw_bytes,
)
from edged.domain.errors import IdentityError, InputError, StoreError, StoreFault
from edged.domain.identity import NewFace
from edged.store.database import reading
from edged.store.namespace_files import namespace_path


def test_a_person_is_kept_with_faces_chips_and_embeddings(tmp_path):
    with a_store(tmp_path) as store:
        added = store.add_identity("Zoë 李", [a_new_face(1, chip=True)], custom_id="c-1")

    with a_store(tmp_path) as store:
        assert store.identities() == [added]
        (face,) = store.faces_of(added.id, MODEL)
    assert (added.name, added.custom_id, added.faces, added.created_ms) == ("Zoë 李", "c-1", 1, START_UTC_MS)
    assert face.embedding.tobytes() == random_unit(1).tobytes()
    assert face.chip is not None
    assert np.array_equal(face.chip, random_chip(1)), "a new model must see exactly the same chip"
    assert (face.quality, face.source) == (0.75, "portrait.jpg")


def test_vectors_lie_little_endian_in_the_file(tmp_path):
    with a_store(tmp_path) as store:
        store.add_identity("Ada", [a_new_face(3)])

    with closing(sqlite3.connect(namespace_path(tmp_path, "home"))) as plain:
        (blob,) = plain.execute("SELECT vector FROM embedding").fetchone()
    assert np.array_equal(np.frombuffer(blob, "<f4"), random_unit(3))


def test_a_name_is_kept_composed_and_trimmed(store):
    assert store.add_identity("  Zoe\u0308 ").name == "Zo\u00eb"


@pytest.mark.parametrize(
    ("name", "why"),
    [("x" * 201, "200"), ("two\nlines", "one line"), ("nul\0", "one line"), ("\udcff", "one line")],
)
def test_a_name_that_cannot_be_is_refused(store, name, why):
    with pytest.raises(IdentityError, match=why):
        store.add_identity(name)

    assert store.identities() == []


def test_names_and_custom_ids_may_be_as_long_as_said(store):
    person = store.add_identity("é" * 200, custom_id="\U0001f600" * 256)

    assert (len(person.name), len(person.custom_id or "")) == (200, 256)
    with pytest.raises(IdentityError, match="256"):
        store.set_custom_id(person.id, "x" * 257)
    with pytest.raises(IdentityError, match="empty"):
        store.set_custom_id(person.id, " ")


def test_a_custom_id_belongs_to_one_person(store):
    ada = store.add_identity("Ada", custom_id="1")
    bob = store.add_identity("Bob")

    with pytest.raises(IdentityError, match="taken by Ada"):
        store.set_custom_id(bob.id, "1")
    with pytest.raises(IdentityError, match="taken by Ada"):
        store.add_identity("Cleo", custom_id="1")

    assert store.set_custom_id(ada.id, "1").custom_id == "1", "one may keep one's own"
    assert store.set_custom_id(ada.id, None).custom_id is None
    assert store.set_custom_id(bob.id, "1").custom_id == "1"


def test_two_people_may_have_one_name(store):
    store.add_identity("Ada")
    store.add_identity("Ada")

    assert [person.name for person in store.identities()] == ["Ada", "Ada"]


def test_a_refused_change_leaves_no_trace(store):
    store.add_identity("Ada", custom_id="1")
    before = (store.ledger, store.identities())
    bad = NewFace("short", random_unit(1), None, 0.5, "")

    with pytest.raises(IdentityError):
        store.add_identity("Bob", [a_new_face(1)], custom_id="1")
    with pytest.raises(sqlite3.IntegrityError):
        store.add_identity("Bob", [a_new_face(1), bad])

    assert (store.ledger, store.identities()) == before


def test_renaming_and_adding_faces_date_the_change(store):
    person = store.add_identity("Ada")
    store._clock.ms = 5000

    assert store.rename(person.id, "Ada L.").updated_ms == START_UTC_MS + 5000
    changed = store.add_faces(person.id, [a_new_face(1), a_new_face(2)])
    assert (changed.faces, changed.created_ms) == (2, START_UTC_MS)


@pytest.mark.parametrize("action", ["rename", "add_faces", "set_custom_id", "remove"])
def test_nobody_with_that_id_is_told(store, action):
    arguments = {"rename": ("no", "x"), "add_faces": ("no", []), "set_custom_id": ("no", "x")}

    with pytest.raises(IdentityError, match="nobody with the id no"):
        getattr(store, action)(*arguments.get(action, (["no"],)))

    assert store.ledger.revision == 0


class TestFinding:
    @pytest.fixture
    def people(self, store):
        return {
            "ada": store.add_identity("Ada Lovelace", custom_id="emp-1"),
            "bob": store.add_identity("Bob"),
            "bob2": store.add_identity("bob"),
        }

    def test_by_id_custom_id_and_name(self, store, people):
        ada = people["ada"]

        for reference in (ada.id, "emp-1", "Ada Lovelace", "ada lovelace", " Ada Lovelace ", ada.id[:8]):
            assert store.find(reference) == ada

    def test_the_exact_name_comes_before_the_same_in_other_letters(self, store, people):
        assert store.find("bob") == people["bob2"]

    def test_a_name_of_two_is_refused_with_both(self, store, people):
        with pytest.raises(IdentityError, match="more than one person") as refused:
            store.find("BOB")

        assert people["bob"].id in str(refused.value)
        assert people["bob2"].id in str(refused.value)

    @pytest.mark.usefixtures("people")
    def test_a_slip_of_the_pen_is_told_who_is_near(self, store):
        with pytest.raises(IdentityError, match="nobody enrolled here is 'Ada Lovelase'") as refused:
            store.find("Ada Lovelase")

        assert "Ada Lovelace" in refused.value.remedy

    @pytest.mark.parametrize("reference", ["", " ", "00"])
    @pytest.mark.usefixtures("people")
    def test_nothing_and_a_short_beginning_mean_nobody(self, store, reference):
        with pytest.raises(IdentityError):
            store.find(reference)

    def test_an_empty_namespace_says_how_to_enrol(self, store):
        with pytest.raises(IdentityError) as refused:
            store.find("Ada")

        assert "identities add" in refused.value.remedy


class TestRemoving:
    def test_what_is_removed_is_in_no_file_any_more(self, tmp_path):
        with a_store(tmp_path) as store:
            keep = store.add_identity("KEEPNAME", [a_new_face(1, chip=True, source="keepfile")])
            gone = [
                store.add_identity(
                    f"GONENAME{n}" * 20,
                    [a_new_face(n * 10 + k, chip=True, source=f"gonefile{n}") for k in range(4)],
                    custom_id=f"GONECUSTOM{n}",
                )
                for n in range(1, 6)
            ]
            store.rename(gone[0].id, "GONENAME again")
            store.snapshots.take(store.connection, START_UTC_MS)
            pngs = [face.png for person in gone for face in store.face_records(person.id)]
            removal = store.remove(person.id for person in gone)
            # Emptied at once, not only when the last connection closes.
            assert (tmp_path / "namespaces" / "home.db-wal").stat().st_size == 0
        raw = raw_bytes(tmp_path)

        assert removal.warnings == ()
        assert {person.id for person in removal.identities} == {person.id for person in gone}
        for needle in (b"GONENAME", b"GONECUSTOM", b"gonefile"):
            assert needle not in raw
        assert all(random_unit(n * 10 + k).tobytes()[:64] not in raw for n in range(1, 6) for k in range(4))
        assert all(png is not None and png[500:600] not in raw for png in pngs)
        assert raw.count(b"KEEPNAME") >= 2, "in the database and in the new snapshot"
        assert random_unit(1).tobytes() in raw
        with a_store(tmp_path) as store:
            assert store.identities() == [keep]

    def test_all_or_nobody_is_removed(self, store):
        ada = store.add_identity("Ada")

        with pytest.raises(IdentityError):
            store.remove([ada.id, "nobody"])

        assert store.identities() == [ada]

    def test_a_reader_that_holds_the_log_is_told_of(self, tmp_path):
        with a_store(tmp_path) as store, a_store(tmp_path) as reader:
            ada = store.add_identity("Ada")
            store.connection.execute("PRAGMA busy_timeout = 1")
            with reading(reader.connection):
                reader.connection.execute("SELECT * FROM identity").fetchall()
                removal = store.remove([ada.id])

            assert "still holds traces" in removal.warnings[0]
            assert store.identities() == []
            assert store.empty_log(), "once the reader is through"


class TestChangesSince:
    def test_revision_nought_gives_everybody_with_a_face(self, store):
        ada = store.add_identity("Ada", [a_new_face(1), a_new_face(2)])
        store.add_identity("Faceless")
        store.add_identity("Other model", [a_new_face(3, model=OTHER_MODEL)])

        change = store.changes_since(0, MODEL)

        assert change is not None
        assert [one.identity for one in change.changed] == [ada]
        assert np.array_equal(change.changed[0].embeddings, np.stack([random_unit(1), random_unit(2)]))
        assert not change.changed[0].embeddings.flags.writeable
        assert change.removed == ()

    def test_nothing_new_is_none(self, store):
        assert store.changes_since(0, MODEL) is None
        store.add_identity("Ada", [a_new_face(1)])

        assert store.changes_since(store.ledger.revision, MODEL) is None

    def test_only_what_changed_is_told_and_people_whole(self, store):
        ada = store.add_identity("Ada", [a_new_face(1)])
        store.add_identity("Bob", [a_new_face(2)])
        seen = store.ledger.revision

        store.add_faces(ada.id, [a_new_face(3)])

        change = store.changes_since(seen, MODEL)
        assert change is not None
        assert [(one.identity.name, len(one.embeddings)) for one in change.changed] == [("Ada", 2)]

    def test_the_removed_are_told_to_whoever_was_away(self, store):
        ada = store.add_identity("Ada", [a_new_face(1)])
        seen = store.ledger.revision
        store.remove([ada.id])
        store.add_identity("Bob", [a_new_face(2)])

        change = store.changes_since(seen, MODEL)

        assert change is not None
        assert change.removed == (ada.id,)
        assert [one.identity.name for one in change.changed] == ["Bob"]

    def test_a_revision_the_file_never_had_gives_everybody(self, store):
        store.add_identity("Ada", [a_new_face(1)])

        change = store.changes_since(99, MODEL)

        assert change is not None
        assert change.revision == 1
        assert len(change.changed) == 1


class TestEmbeddingAgain:
    def test_a_new_model_embeds_the_kept_chips(self, store):
        ada = store.add_identity("Ada", [a_new_face(1, chip=True), a_new_face(2)])
        seen = store.ledger.revision

        pending = list(store.chips_without(OTHER_MODEL))
        store.add_embeddings(OTHER_MODEL, [(face_id, random_unit(50)) for face_id, _ in pending])

        assert [chip.tobytes() for _, chip in pending] == [random_chip(1).tobytes()]
        assert list(store.chips_without(OTHER_MODEL)) == []
        assert len(store.faces_of(ada.id, MODEL)) == 2, "the old ones stay"
        change = store.changes_since(seen, OTHER_MODEL)
        assert change is not None
        assert np.array_equal(change.changed[0].embeddings, [random_unit(50)])

    def test_a_face_that_went_meanwhile_is_passed_over(self, store):
        ada = store.add_identity("Ada", [a_new_face(1, chip=True)])
        ((face_id, _),) = store.chips_without(OTHER_MODEL)
        store.remove([ada.id])

        store.add_embeddings(OTHER_MODEL, [(face_id, random_unit(1))])

        assert store.models() == {}


def test_namespaces_know_nothing_of_each_other(tmp_path):
    with a_store(tmp_path) as home, a_store(tmp_path, namespace="office") as office:
        home.add_identity("Ada", custom_id="1")
        office.add_identity("Ada", custom_id="1")

        assert len(home.identities()) == len(office.identities()) == 1


@pytest.mark.parametrize("name", ["", "device", "sync", "a/b", "../x", "x" * 129, "ä"])
def test_a_namespace_that_cannot_be_is_refused(tmp_path, name):
    with pytest.raises(InputError, match="cannot be a namespace's name"):
        namespace_path(tmp_path, name)


def test_a_damaged_file_is_told_and_left_alone(tmp_path):
    with a_store(tmp_path) as store:
        store.add_identity("Ada", [a_new_face(1)])
    path = namespace_path(tmp_path, "home")
    damaged = path.read_bytes()[:4096] + b"\xff" * 8192
    path.write_bytes(damaged)

    with pytest.raises(StoreError) as refused, a_store(tmp_path) as store:
        store.identities()

    assert refused.value.fault is StoreFault.CORRUPT
    assert str(path) in str(refused.value)
    assert path.read_bytes()[4096:] == damaged[4096:]
