"""Pictures and embeddings encrypted on the disk: what the bytes say, and to whom."""

import sqlite3
from contextlib import closing

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builders.history import a_face_id, a_seen_face, an_entry, an_image_id
from builders.namespaces import (
    MODEL,
    HandClock,
    Ids,
    a_new_face,
    a_store,
    random_chip,
    random_unit,
    raw_bytes,
)
from builders.sealing import A_JPEG, a_key, counted_chance, fill, opened, plain_bytes
from edged.domain.errors import StoreError, StoreFault
from edged.domain.identity import NewFace
from edged.settings.groups import Groups
from edged.store.archive import export_archive, import_archive
from edged.store.blobs import BLOB_TABLES
from edged.store.fsck import fsck
from edged.store.group_records import GroupRecords
from edged.store.group_store import GroupStore
from edged.store.history_store import HistoryStore
from edged.store.namespace_files import namespace_path
from edged.store.namespace_recovery import open_or_recover
from edged.store.sealing import (
    KEY_BYTES,
    OVERHEAD_BYTES,
    EncryptionKey,
    Kind,
    NamespaceConnection,
    UnreadableKey,
    seal_of,
    write_seal,
)

BLOBS = [(table.name, table.blob) for table in BLOB_TABLES if not table.name.startswith("sync_")]
"""What sync keeps needs members: see `test_sync_sealing.py` and the tests of shared groups."""


def path_in(data_dir):
    return namespace_path(data_dir, "home")


def everything(store):
    """All pictures and embeddings that can be asked for."""
    history, groups = HistoryStore(store), GroupStore(store)
    people = store.changes_since(0, MODEL).changed
    strangers = [
        (
            face.png,
            sorted(face.vectors.items()),
            [track.mean.tobytes() for track in groups.means_of(group, MODEL)],
        )
        for group in groups.groups()
        for face in groups.faces_of(group, with_chips=True)
    ]
    return (
        [(one.identity.name, one.embeddings.tobytes()) for one in people],
        [record for one in people for record in store.face_records(one.identity.id)],
        [history.face_png(a_face_id(3)), history.picture(an_image_id(3))],
        strangers,
    )


def change(data_dir, sql, *parameters):
    """What somebody with the disk in their hands does."""
    with closing(sqlite3.connect(path_in(data_dir))) as connection, connection:
        return connection.execute(sql, parameters).fetchall()


def dump_of(data_dir):
    with closing(sqlite3.connect(path_in(data_dir))) as connection:
        return list(connection.iterdump())


def refusal_of(call):
    with pytest.raises(StoreError) as refused:
        call()
    return refused.value


@pytest.fixture
def sealed(tmp_path):
    """A data folder with something in every table, sealed from its first day on."""
    fill(tmp_path, a_key())
    return tmp_path


class TestWithTheKey:
    def test_everything_comes_back_as_from_a_plain_store(self, tmp_path):
        fill(tmp_path / "plain", None)
        fill(tmp_path / "sealed", a_key())

        with opened(tmp_path / "plain", None) as plain, opened(tmp_path / "sealed", a_key()) as sealed:
            assert everything(sealed) == everything(plain)
            assert HistoryStore(sealed).picture(an_image_id(3)) == A_JPEG
        assert fsck(path_in(tmp_path / "sealed"), a_key()) == []

    def test_no_file_has_a_piece_of_a_picture_or_an_embedding(self, tmp_path):
        fill(tmp_path / "plain", None)
        fill(tmp_path / "sealed", a_key())

        in_plain = raw_bytes(tmp_path / "plain")
        in_sealed = raw_bytes(tmp_path / "sealed")

        assert all(piece in in_plain for piece in plain_bytes()), "the pieces are those that are looked for"
        assert not [piece for piece in plain_bytes() if piece in in_sealed]
        assert b"Ada" in in_sealed, "names are not encrypted, and nobody says so"

    def test_not_even_in_the_log_of_a_store_that_is_open(self, tmp_path):
        key = a_key()
        with opened(tmp_path, key) as store:
            store.add_identity("Ada", [a_new_face(1, chip=True)])
            # Through another file descriptor a lock of SQLite's would be lost: the log has none.
            log = path_in(tmp_path).with_name("home.db-wal").read_bytes()

        assert len(log) > 60_000
        assert not [piece for piece in plain_bytes() if piece in log]

    def test_two_equal_pictures_look_different(self, tmp_path):
        with opened(tmp_path, a_key()) as store:
            store.add_identity("Ada", [a_new_face(1), a_new_face(1)])

        (one,), (other,) = change(tmp_path, "SELECT vector FROM embedding")
        assert one != other
        assert len(one) == random_unit(1).nbytes + OVERHEAD_BYTES

    def test_the_longest_embedding_has_room(self, tmp_path):
        vector = np.full(4096, 1 / 64, np.float32)
        with opened(tmp_path, a_key()) as store:
            store.add_identity("Ada", [NewFace(MODEL, vector, None, 0.5, "x")])

            assert (store.changes_since(0, MODEL).changed[0].embeddings == vector).all()

    def test_a_face_goes_from_seen_to_enrolled_and_back_without_being_lost(self, tmp_path):
        with opened(tmp_path, a_key()) as store:
            history = HistoryStore(store)
            history.record([an_entry(1, [a_seen_face(1)])])
            ada = history.enrol_seen([a_face_id(1)], "Ada", model_hash=MODEL)
            assert (store.faces_of(ada.id, MODEL)[0].chip == random_chip(1)).all()

            history.change_identity(ada.id, remove=[a_face_id(1)], model_hash=MODEL)

            assert (history.chip(a_face_id(1)) == random_chip(1)).all()
        assert [finding for finding in fsck(path_in(tmp_path), a_key()) if "open" in finding] == []

    def test_a_group_becomes_a_person_with_its_faces(self, sealed):
        with opened(sealed, a_key()) as store:
            groups = GroupStore(store)
            (group,) = groups.groups()
            faces = groups.faces_of(group, with_chips=True)

            bob = groups.enrol(group, [face.number for face in faces], name="Bob")

            records = list(store.face_records(bob.id))
            assert [record.png for record in records] == [face.png for face in faces]
            assert [dict(record.vectors) for record in records] == [face.vectors for face in faces]

    def test_an_archive_is_plain_and_comes_back_sealed(self, sealed, tmp_path):
        with opened(sealed, a_key()) as store:
            export_archive(store, store.identities(), tmp_path / "people.zip", namespace="home", utc_ms=0)
            before = everything(store)[:2]

        with opened(tmp_path / "other", a_key(2)) as store:
            import_archive(store, tmp_path / "people.zip")
            assert everything_of_people(store) == before

        assert plain_bytes()[2] in (tmp_path / "people.zip").read_bytes()
        assert plain_bytes()[2] not in raw_bytes(tmp_path / "other")

    def test_whoever_is_removed_is_gone_with_their_ciphertext(self, sealed):
        blobs = change(sealed, "SELECT vector FROM embedding UNION SELECT substr(png, 100, 64) FROM chip")
        with opened(sealed, a_key()) as store:
            store.remove([person.id for person in store.identities()])

        rest = raw_bytes(sealed)
        assert len(blobs) == 4
        assert not [blob for (blob,) in blobs if blob[:64] in rest]

    def test_a_damaged_file_gives_place_to_a_snapshot_that_is_sealed_too(self, sealed):
        with opened(sealed, a_key()) as store:
            before = everything_of_people(store)
        path = path_in(sealed)
        path.write_bytes(b"no database" + path.read_bytes()[11:])

        store, recovery = open_or_recover(path, HandClock(), Ids(), a_key())
        with store:
            assert recovery is not None
            assert everything_of_people(store) == before
            store.add_identity("Bob", [a_new_face(2, chip=True)])
        assert not [piece for piece in plain_bytes() if piece in raw_bytes(sealed)]

    def test_without_a_snapshot_the_empty_file_in_its_place_is_sealed_from_the_start(self, sealed):
        for snapshot in (sealed / "namespaces" / "snapshots").iterdir():
            snapshot.unlink()
        path_in(sealed).write_bytes(b"no database" * 1000)

        store, _ = open_or_recover(path_in(sealed), HandClock(), Ids(), a_key())
        with store:
            assert seal_of(store.connection).is_sealed


def everything_of_people(store):
    return everything(store)[:2]


class TestWithoutTheRightKey:
    def test_another_key_is_told_at_once_and_nothing_is_changed(self, sealed):
        before = dump_of(sealed)

        error = refusal_of(lambda: opened(sealed, a_key(2)))

        assert error.fault is StoreFault.SEALED
        assert "another key" in error.what
        assert "rotate" in error.remedy
        assert dump_of(sealed) == before
        assert "another key" in fsck(path_in(sealed), a_key(2))[0]

    @pytest.mark.parametrize(
        ("key", "why"),
        [
            (None, "no key is configured"),
            (UnreadableKey("it is root's"), "its key cannot be read: it is root's"),
        ],
    )
    def test_without_one_people_are_listed_and_removed_and_no_face_is_shown_or_added(self, sealed, key, why):
        with opened(sealed, key) as store:
            (ada,) = store.identities()
            for wants in (
                lambda: store.changes_since(0, MODEL),
                lambda: list(store.face_records(ada.id)),
                lambda: list(store.chips_without("c" * 64)),
                lambda: store.add_faces(ada.id, [a_new_face(5)]),
                lambda: HistoryStore(store).picture(an_image_id(3)),
                lambda: HistoryStore(store).record([an_entry(4, [a_seen_face(4)])]),
                lambda: GroupStore(store).faces_of(GroupStore(store).groups()[0]),
            ):
                error = refusal_of(wants)
                assert (error.fault, why in error.what) == (StoreFault.SEALED, True)

            store.remove([ada.id])
            assert store.identities() == []
        (finding,) = fsck(path_in(sealed), key)
        assert "were not looked at" in finding

    def test_a_key_over_a_plain_store_lets_read_and_not_add(self, tmp_path):
        ada = fill(tmp_path, None)

        with opened(tmp_path, a_key()) as store:
            assert store.changes_since(0, MODEL) is not None
            error = refusal_of(lambda: store.add_faces(ada, [a_new_face(5)]))

        assert error.fault is StoreFault.SEALED
        assert "edged privacy encrypt" in error.remedy

    def test_a_store_with_nothing_to_hide_yet_is_sealed_when_it_is_opened_with_a_key(self, tmp_path):
        with a_store(tmp_path) as store:
            store.add_identity("Ada")

        with opened(tmp_path, a_key()) as store:
            assert seal_of(store.connection).is_sealed

    def test_nobody_writes_plain_into_a_file_that_was_sealed_behind_their_back(self, tmp_path):
        with a_store(tmp_path) as stale:
            ada = stale.add_identity("Ada")
            with opened(tmp_path, a_key()):
                pass

            error = refusal_of(lambda: stale.add_faces(ada.id, [a_new_face(5)]))

            assert error.fault is StoreFault.SEALED
            assert change(tmp_path, "SELECT count(*) FROM embedding") == [(0,)]

    def test_a_key_is_printed_nowhere(self):
        key = EncryptionKey(b"k" * KEY_BYTES, counted_chance())

        assert "kkk" not in f"{key} {key!r}"
        with pytest.raises(ValueError, match="32"):
            EncryptionKey(b"k" * 16, counted_chance())


class TestAltered:
    @pytest.mark.parametrize(("table", "column"), BLOBS)
    def test_one_changed_bit_of_any_blob_is_found(self, sealed, table, column):
        (blob,) = change(sealed, f"SELECT {column} FROM {table} LIMIT 1")[0]
        changed = blob[:-1] + bytes([blob[-1] ^ 1])
        change(sealed, f"UPDATE {table} SET {column} = ? WHERE {column} = ?", changed, blob)

        (finding,) = fsck(path_in(sealed), a_key())

        assert "does not open" in finding

    def test_a_blob_that_is_cut_short_is_found(self, sealed):
        change(sealed, "UPDATE picture SET jpeg = x'00'")

        assert any("does not open" in finding for finding in fsck(path_in(sealed), a_key()))

    def test_embeddings_that_changed_places_are_passed_over_and_told(self, sealed, caplog):
        one, other = change(sealed, "SELECT face, vector FROM embedding ORDER BY face")
        change(sealed, "UPDATE embedding SET vector = ? WHERE face = ?", one[1], other[0])
        change(sealed, "UPDATE embedding SET vector = ? WHERE face = ?", other[1], one[0])

        with opened(sealed, a_key()) as store:
            assert store.changes_since(0, MODEL).changed == ()
            assert "2 faces do not open" in caplog.text
            caplog.clear()
            store.add_identity("Bob", [a_new_face(5)])
            assert [person.identity.name for person in store.changes_since(0, MODEL).changed] == ["Bob"]

    def test_one_broken_face_leaves_the_person_their_others(self, sealed):
        change(sealed, "UPDATE embedding SET vector = zeroblob(length(vector)) WHERE face = 1")

        with opened(sealed, a_key()) as store:
            (ada,) = store.changes_since(0, MODEL).changed

        assert (ada.embeddings == random_unit(2)).all()

    def test_a_broken_mean_makes_a_track_that_no_model_knows(self, sealed):
        change(sealed, "UPDATE group_track_embedding SET vector = zeroblob(length(vector))")

        with opened(sealed, a_key()) as store:
            (group,) = store_groups = GroupStore(store).groups()
            assert len(store_groups) == 1
            assert GroupStore(store).means_of(group, MODEL)[0].mean is None

    def test_an_archive_is_not_written_without_what_is_broken_and_the_person_is_still_shown(
        self, sealed, tmp_path
    ):
        change(sealed, "UPDATE chip SET png = zeroblob(length(png)) WHERE face = 1")

        with opened(sealed, a_key()) as store:
            (ada,) = store.identities()
            error = refusal_of(
                lambda: export_archive(store, [ada], tmp_path / "people.zip", namespace="home", utc_ms=0)
            )
            kept = list(store.face_records(ada.id, without_broken=True))

        assert error.fault is StoreFault.CORRUPT
        assert not (tmp_path / "people.zip").exists()
        assert [record.png is None for record in kept] == [True, False]

    def test_a_broken_crop_or_picture_is_as_one_that_was_not_kept(self, sealed):
        change(sealed, "UPDATE seen_chip SET png = zeroblob(length(png))")
        change(sealed, "UPDATE picture SET jpeg = zeroblob(length(jpeg))")

        with opened(sealed, a_key()) as store:
            history = HistoryStore(store)
            assert (history.face_png(a_face_id(3)), history.picture(an_image_id(3))) == (None, None)
            assert history.chips_to_embed([a_face_id(3)], "c" * 64) == []

    def test_what_is_another_namespaces_does_not_open_though_the_key_is_the_same(self, sealed):
        fill(sealed, a_key(), namespace="office")
        theirs = namespace_path(sealed, "office")
        with closing(sqlite3.connect(theirs)) as connection:
            (vector,) = connection.execute("SELECT vector FROM embedding WHERE face = 1").fetchone()
        change(sealed, "UPDATE embedding SET vector = ? WHERE face = 1", vector)

        assert any("does not open" in finding for finding in fsck(path_in(sealed), a_key()))

    def test_a_group_of_unknown_people_goes_on_after_its_faces_were_altered(self, sealed):
        change(sealed, "UPDATE group_embedding SET vector = zeroblob(length(vector))")
        change(sealed, "UPDATE group_chip SET png = zeroblob(length(png))")

        with opened(sealed, a_key()) as store:
            (group,) = GroupStore(store).groups()
            faces = GroupStore(store).faces_of(group, with_chips=True)
        assert [(face.png, face.vectors) for face in faces] == [(None, {})] * 2


def test_the_daemons_books_are_written_sealed(tmp_path):
    records = GroupRecords(tmp_path, ["home"], Groups(), HandClock(), Ids(), key=a_key())
    records.begin()
    records.close()
    fill(tmp_path, a_key())

    assert fsck(path_in(tmp_path), a_key()) == []


PLACES = st.tuples(
    st.sampled_from([kind for kind in Kind if kind is not Kind.PROOF]),
    st.one_of(st.integers(0, 2**40), st.text("0123456789abcdef-", min_size=1, max_size=36)),
    st.one_of(st.just(""), st.text("0123456789abcdef", min_size=64, max_size=64)),
)


@pytest.fixture(scope="module")
def seal():
    connection = sqlite3.connect(":memory:", factory=NamespaceConnection)
    connection.execute("CREATE TABLE sealing (salt, proof, is_swept)")
    connection.execute("INSERT INTO sealing VALUES (NULL, NULL, 1)")
    key = a_key()
    write_seal(connection, key, is_swept=True)
    connection.take(key)
    yield seal_of(connection)
    connection.close()


@settings(max_examples=60, deadline=None)
@given(content=st.binary(max_size=2000), place=PLACES, other=PLACES)
def test_what_was_closed_opens_in_its_own_place_and_in_no_other(seal, content, place, other):
    kind, owner, model_hash = place

    blob = seal.close(kind, owner, content, model_hash)

    assert seal.open(kind, owner, blob, model_hash) == content
    assert len(blob) == len(content) + OVERHEAD_BYTES
    if (other[0], str(other[1]), other[2]) != (kind, str(owner), model_hash):
        error = refusal_of(lambda: seal.open(other[0], other[1], blob, other[2]))
        assert error.fault is StoreFault.CORRUPT
