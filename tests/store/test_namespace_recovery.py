"""A damaged namespace at the start of the daemon."""

import logging
import os
from contextlib import closing

import pytest

from builders.namespaces import MODEL, START_UTC_MS, HandClock, Ids, a_new_face, a_store
from edged.domain.errors import StoreError, StoreFault
from edged.store.database import transaction
from edged.store.namespace_files import damaged_copies, namespace_path
from edged.store.namespace_recovery import open_or_recover


@pytest.fixture
def path(tmp_path):
    """A namespace with a snapshot of Ada, and Bob enrolled since."""
    with a_store(tmp_path) as store:
        store.add_identity("Ada", [a_new_face(n, chip=True) for n in range(5)])
        store.snapshots.take(store.connection, START_UTC_MS)
        store.add_identity("Bob", [a_new_face(9)])
    return namespace_path(tmp_path, "home")


def names(path):
    store, recovery = open_or_recover(path, HandClock(), Ids())
    with store:
        return [person.name for person in store.identities()], recovery


def overwrite(path, begin: int, content: bytes) -> None:
    with path.open("r+b") as file:
        file.seek(begin)
        file.write(content)


def test_a_sound_file_is_left_alone(path):
    assert names(path) == (["Ada", "Bob"], None)


def test_a_new_namespace_is_no_damage(tmp_path):
    assert names(namespace_path(tmp_path, "new")) == ([], None)


DAMAGES = {
    "its first page": lambda path: overwrite(path, 0, b"\xa5" * 512),
    "pages in its middle": lambda path: overwrite(path, 4096, b"\xa5" * 4096 * 6),
    "its second half": lambda path: os.truncate(path, path.stat().st_size // 2 // 4096 * 4096),
    "all of it": lambda path: path.write_text("not a database at all, just words\n" * 1000),
    "everything, to nothing": lambda path: os.truncate(path, 0),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_damage_is_put_aside_and_the_last_good_snapshot_taken(path, damage, caplog):
    DAMAGES[damage](path)
    damaged = path.read_bytes()

    found, recovery = names(path)

    assert found == ["Ada"]
    assert recovery is not None
    assert recovery.moved_to.name == "home.db.corrupt-20231114T221320Z"
    assert recovery.moved_to.read_bytes() == damaged, "for whoever wants to rescue more"
    assert damaged_copies(path) == [recovery.moved_to]
    said = " ".join(record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR)
    assert str(recovery.moved_to) in said
    assert str(recovery.snapshot) in said
    with a_store(path.parent.parent) as store:
        assert len(store.faces_of(store.find("Ada").id, MODEL)) == 5


def test_a_damaged_snapshot_is_passed_over_for_the_one_before(path, tmp_path):
    with a_store(tmp_path) as store:
        newest = store.snapshots.take(store.connection, START_UTC_MS + 1000)
    overwrite(newest, 4096, b"\xa5" * 4096 * 6)
    overwrite(path, 0, b"\xa5" * 512)

    assert names(path)[0] == ["Ada"]
    assert not newest.exists(), "a damaged snapshot helps nobody and may hold somebody"


def test_without_a_snapshot_the_namespace_begins_empty_and_says_so(path, caplog):
    for snapshot in (path.parent / "snapshots").iterdir():
        snapshot.unlink()
    overwrite(path, 0, b"\xa5" * 512)

    found, recovery = names(path)

    assert found == []
    assert recovery is not None
    assert recovery.snapshot is None
    assert "nobody is enrolled" in caplog.text


def test_two_damages_in_one_second_keep_both_files(path):
    for n in range(2):
        overwrite(path, 0, b"\xa5" * (512 + n))
        names(path)

    assert len(damaged_copies(path)) == 2


def test_a_log_that_another_program_keeps_goes_with_its_file(path, tmp_path):
    with a_store(tmp_path, seed="other") as other:
        other.add_identity("Cleo")
        log = path.with_name("home.db-wal").read_bytes()
        overwrite(path, 0, b"\xa5" * 512)

        _, recovery = names(path)

        assert recovery is not None
        aside = recovery.moved_to
        assert aside.with_name(f"{aside.name}-wal").read_bytes() == log


def test_a_lock_is_no_reason_to_exchange_somebodys_data(path):
    with a_store(path.parent.parent) as holder, closing(holder.connection):
        holder.connection.execute("PRAGMA user_version = 0")
        with transaction(holder.connection), pytest.raises(StoreError) as refused:
            open_or_recover(path, HandClock(), Ids())

    assert refused.value.fault is StoreFault.LOCKED
    assert damaged_copies(path) == []


def test_an_empty_snapshot_is_none(path, tmp_path):
    empty = tmp_path / "namespaces" / "snapshots" / "home.20300101T000000Z.r9.db"
    empty.write_bytes(b"")
    os.truncate(path, 0)

    assert names(path)[0] == ["Ada"]


def test_what_a_crash_left_of_a_recovery_goes_with_the_next_start(path):
    left = path.with_name(".home.db.recovered")
    left.write_bytes(b"everybody")

    assert names(path) == (["Ada", "Bob"], None)

    assert not left.exists()
