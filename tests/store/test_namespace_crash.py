"""Writers that are killed, and disks that are full: the store is as it was, or as it was to be."""

import os
import random
import signal
import subprocess
import sys

import pytest

from builders.namespaces import MODEL, START_UTC_MS, a_new_face, a_store
from edged.domain.errors import InputError, StoreError, StoreFault
from edged.store.archive import export_archive
from edged.store.fsck import fsck
from edged.store.namespace_files import namespace_path

_WRITING = """
import itertools, sys
from pathlib import Path
from builders.namespaces import a_new_face, a_store
seed = sys.argv[2]
with a_store(Path(sys.argv[1]), seed=seed) as store:
    for n in itertools.count():
        person = store.add_identity(f"{seed}-{n}", [a_new_face(n + k, chip=True) for k in range(3)])
        print(person.id, flush=True)
        if n % 4 == 3:
            store.remove([person.id])
            print("-" + person.id, flush=True)
"""


def test_a_writer_killed_at_any_moment_leaves_an_intact_store_with_all_it_had_promised(tmp_path):
    chance = random.Random(11)
    promised: set[str] = set()
    forgotten: set[str] = set()
    last_words: set[str] = set()
    for turn in range(8):
        with subprocess.Popen(
            [sys.executable, "-c", _WRITING, str(tmp_path), f"turn{turn}"],
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        ) as process:
            assert process.stdout
            lines = [process.stdout.readline().strip() for _ in range(chance.randrange(1, 12))]
            process.send_signal(signal.SIGKILL)
            lines += [line.strip() for line in process.stdout if line.endswith("\n")]
        last_words.add(lines[-1])
        for line in lines:
            if line.startswith("-"):
                promised.discard(line[1:])
                forgotten.add(line[1:])
            else:
                promised.add(line)

    with a_store(tmp_path) as store:
        store.snapshots.tidy(store.connection)
        there = {person.id: person for person in store.identities()}
        change = store.changes_since(0, MODEL)
    # The last one of a turn may have been removed in the moment between the deed and its word.
    assert promised - there.keys() <= last_words
    assert all(person.faces == 3 for person in there.values()), "nobody is there by half"
    assert not forgotten & there.keys()
    assert change is not None
    assert len(change.changed) == len(there) > 8
    assert fsck(namespace_path(tmp_path, "home")) == []


def enrol(store, people: int) -> None:
    for n in range(people):
        store.add_identity(f"Person {n}", [a_new_face(n, chip=True)])


def fill(path) -> None:
    with path.open("wb", buffering=0) as file:
        while True:
            file.write(b"\0" * 4096)


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 2 MiB, where this user may mount one."""
    place = tmp_path / "small"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(place)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("mounting a small file system needs root")
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


def test_a_full_disk_refuses_in_words_and_loses_nothing(small_disk):
    with a_store(small_disk) as store:
        with pytest.raises(StoreError) as refused:
            enrol(store, 100)
        enrolled = store.identities()

        assert refused.value.fault is StoreFault.FULL
        assert "no room is left" in refused.value.what
        assert str(store.path) in refused.value.what
        assert len(enrolled) == store.ledger.revision >= 1
        assert store.changes_since(0, MODEL) is not None

    assert fsck(namespace_path(small_disk, "home")) == []


def test_a_database_that_is_opened_on_a_full_disk_says_that_it_is_full(small_disk):
    with a_store(small_disk) as store:
        enrol(store, 3)
    with pytest.raises(OSError, match="No space"):
        fill(small_disk / "ballast")
    # Nobody else has it open, so that its shared memory has to find room first.
    with pytest.raises(StoreError) as refused:
        a_store(small_disk)
    assert refused.value.fault is StoreFault.FULL
    assert "df -h" in refused.value.remedy
    (small_disk / "ballast").unlink()
    with a_store(small_disk) as store:
        assert len(store.identities()) == 3


def test_somebody_is_removed_even_where_no_snapshot_finds_room(small_disk):
    with a_store(small_disk) as store:
        enrol(store, 3)
        store.empty_log()
        with pytest.raises(OSError, match="No space"):
            fill(small_disk / "ballast")
        with (small_disk / "ballast").open("r+b") as ballast:
            # Room for the log of the removal, and for nothing else.
            ballast.truncate(ballast.seek(0, os.SEEK_END) - 240 * 1024)
        removal = store.remove([store.identities()[0].id])

        assert len(store.identities()) == 2
        assert ["no new snapshot was made" in warning for warning in removal.warnings] == [True]
        assert store.snapshots.newest_first() == []
    assert list((small_disk / "namespaces" / "snapshots").iterdir()) == []


def test_an_export_to_a_full_disk_leaves_no_half(small_disk, tmp_path):
    with a_store(tmp_path) as store:
        enrol(store, 40)
        with pytest.raises(InputError, match="No space left"):
            export_archive(
                store, store.identities(), small_disk / "people.zip", namespace="home", utc_ms=START_UTC_MS
            )

    assert list(small_disk.iterdir()) == []
