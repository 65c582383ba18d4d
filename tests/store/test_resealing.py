"""Encrypting what is there, decrypting it, going over to another key: whole or not at all, and traceless."""

import os
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing

import pytest

from builders.namespaces import MODEL, a_new_face, raw_bytes
from builders.sealing import a_key, fill, opened, plain_bytes
from edged.domain.errors import StoreError, StoreFault
from edged.store.fsck import fsck
from edged.store.history_store import HistoryStore
from edged.store.namespace_files import namespace_path
from edged.store.resealing import is_swept, reseal, sweep_copies, take_key
from edged.store.sealing import seal_of

MANY = 60


def path_in(data_dir):
    return namespace_path(data_dir, "home")


def contents(store):
    """Every blob as it was before it was sealed."""
    history = HistoryStore(store)
    (ada,) = store.identities()
    return [
        list(store.face_records(ada.id)),
        [history.picture(row[0]) for row in store.connection.execute("SELECT image_id FROM picture")],
        store.changes_since(0, MODEL).changed[0].embeddings.tobytes(),
    ]


@pytest.fixture
def plain(tmp_path):
    """A plain data folder with something in every table, and what is in it."""
    fill(tmp_path, None)
    with opened(tmp_path, None) as store:
        return tmp_path, contents(store)


def test_what_was_plain_is_the_same_afterwards_and_lies_nowhere_readable(plain):
    data_dir, before = plain
    assert all(piece in raw_bytes(data_dir) for piece in plain_bytes())
    told = []
    with opened(data_dir, a_key()) as store:
        done = reseal(store, a_key(), lambda *numbers: told.append(numbers))
        assert not is_swept(store)
        ticks = []
        assert list(sweep_copies(store, lambda: ticks.append(1))) == []
        assert is_swept(store)
        assert ticks, "whoever waits for a long one hears that it goes on"
        assert contents(store) == before
        store.add_identity("Bob", [a_new_face(1, chip=True)])

    assert (done.blobs, done.discarded) == (12, 0)
    assert told[-1] == (12, 12)
    assert not [piece for piece in plain_bytes() if piece in raw_bytes(data_dir)]
    assert fsck(path_in(data_dir), a_key()) == []


def test_decrypted_it_is_as_it_was_and_needs_no_key(plain):
    data_dir, before = plain
    with opened(data_dir, a_key()) as store:
        reseal(store, a_key())
        reseal(store, None)
        assert list(sweep_copies(store)) == []

    with opened(data_dir, None) as store:
        assert contents(store) == before
    assert fsck(path_in(data_dir)) == []


def test_with_another_key_the_old_one_opens_nothing_any_more(plain):
    data_dir, before = plain
    with opened(data_dir, a_key()) as store:
        reseal(store, a_key())
    with opened(data_dir, a_key()) as store:
        reseal(store, a_key(2))
        assert list(sweep_copies(store)) == []
        assert contents(store) == before

    with opened(data_dir, a_key(2)) as store:
        assert contents(store) == before
    with pytest.raises(StoreError, match="another key"):
        opened(data_dir, a_key())


def test_snapshots_of_before_are_replaced(plain):
    data_dir, _ = plain
    with opened(data_dir, a_key()) as store:
        (old,) = store.snapshots.newest_first()
        assert not is_sealed_in(old)
        reseal(store, a_key())
        list(sweep_copies(store))
        (new,) = store.snapshots.newest_first()
        assert is_sealed_in(new)


def is_sealed_in(snapshot):
    with closing(sqlite3.connect(snapshot.path)) as copy:
        return copy.execute("SELECT salt IS NOT NULL FROM sealing").fetchone() == (1,)


def test_volumes_are_what_is_on_the_disk(plain):
    data_dir, _ = plain
    with opened(data_dir, a_key()) as store:
        reseal(store, a_key())

        counted = store.connection.execute("SELECT picture_bytes FROM history_volume").fetchone()
        assert counted == store.connection.execute("SELECT sum(length(jpeg)) FROM picture").fetchone()


def test_a_reader_that_holds_the_log_is_told_and_the_rest_is_done_later(plain):
    data_dir, _ = plain
    with closing(sqlite3.connect(path_in(data_dir), isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM chip").fetchall()
        with opened(data_dir, a_key()) as store:
            store.connection.execute("PRAGMA busy_timeout = 10")
            reseal(store, a_key())
            (warning,) = sweep_copies(store)
            assert "another program is reading" in warning
            assert not is_swept(store)
            assert all(is_sealed_in(one) for one in store.snapshots.newest_first())
    assert any("copies from before" in finding for finding in fsck(path_in(data_dir), a_key()))

    with opened(data_dir, a_key()) as store:
        assert list(sweep_copies(store)) == []
    assert not [piece for piece in plain_bytes() if piece in raw_bytes(data_dir)]


def test_what_does_not_open_is_a_reason_to_change_nothing_until_it_may_be_deleted(plain):
    data_dir, _ = plain
    with opened(data_dir, a_key()) as store:
        reseal(store, a_key())
        store.connection.execute("UPDATE picture SET jpeg = zeroblob(500)")

        with pytest.raises(StoreError, match="does not open") as refused:
            reseal(store, a_key(2))
        assert "--discard-damaged" in refused.value.remedy
        assert take_key(store, a_key()).is_sealed, "the key is still the old one"

        done = reseal(store, a_key(2), may_discard=True)
        assert (done.blobs, done.discarded) == (11, 1)
        assert store.connection.execute("SELECT picture_bytes FROM history_volume").fetchone() == (0,)


_SEALING = """
import signal, sys
from pathlib import Path
from builders.sealing import a_key, opened
from edged.store.resealing import reseal, sweep_copies
def say(word):
    print(word, flush=True)
    if word == sys.argv[2]:
        signal.pause()
with opened(Path(sys.argv[1]), a_key()) as store:
    reseal(store, a_key(), lambda done, total: say(f"{done} of {total}"))
    say("sealed")
    print("sweeping", flush=True)
    list(sweep_copies(store))
"""


@pytest.mark.parametrize(
    ("pauses_at", "killed_at", "is_sealed"),
    [("128 of 192", "128 of 192", False), ("sealed", "sealed", True), ("nothing", "sweeping", True)],
)
def test_killed_it_is_plain_or_sealed_and_whole_and_the_next_one_finishes(
    tmp_path, pauses_at, killed_at, is_sealed
):
    with opened(tmp_path, None) as store:
        for number in range(3):
            faces = [a_new_face(number * MANY + face, chip=face < 4) for face in range(MANY)]
            store.add_identity(f"person {number}", faces)
    with subprocess.Popen(
        [sys.executable, "-c", _SEALING, str(tmp_path), pauses_at],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    ) as process:
        assert process.stdout
        assert any(line.strip() == killed_at for line in process.stdout)
        process.send_signal(signal.SIGKILL)

    assert fsck_but_copies(tmp_path, a_key() if is_sealed else None) == []
    with opened(tmp_path, a_key()) as store:
        assert seal_of(store.connection).is_sealed == is_sealed
        if not is_sealed:
            reseal(store, a_key())
        assert list(sweep_copies(store)) == []
        assert len(store.changes_since(0, MODEL).changed) == 3
    raw = raw_bytes(tmp_path)
    assert not any(a_new_face(face).embedding.tobytes()[:32] in raw for face in range(3 * MANY))


def fsck_but_copies(data_dir, key):
    return [finding for finding in fsck(path_in(data_dir), key) if "copies from before" not in finding]


def test_a_sealed_store_of_the_wrong_key_is_not_taken(plain):
    data_dir, _ = plain
    with opened(data_dir, a_key()) as store:
        reseal(store, a_key())
        with pytest.raises(StoreError) as refused:
            take_key(store, a_key(2))
        assert refused.value.fault is StoreFault.SEALED
