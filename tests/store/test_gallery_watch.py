"""A running daemon sees what other processes do to the enrolled people."""

import logging
import os
import shutil
import subprocess
import sys

import pytest

from builders.gallery_watches import watching
from builders.namespaces import MODEL, HandClock, Ids, a_new_face, a_store
from builders.patience import PATIENCE_S, eventually
from builders.setbacks import fill, small_disk
from edged.domain.errors import StoreError
from edged.domain.identity import GalleryChange
from edged.pipeline.galleries import Galleries
from edged.store.database import transaction
from edged.store.gallery_watch import GalleryWatch
from edged.store.namespace_files import damaged_copies, namespace_path


class Heard:
    """The real galleries, and a note of what they were told."""

    def __init__(self) -> None:
        self.galleries = Galleries()
        self.told: list[tuple[str, str, GalleryChange]] = []

    def apply(self, namespace: str, change: GalleryChange) -> None:
        self.galleries.apply(namespace, change)
        self.told.append(("apply", namespace, change))

    def replace(self, namespace: str, change: GalleryChange) -> None:
        self.galleries.replace(namespace, change)
        self.told.append(("replace", namespace, change))

    def size(self, namespace: str = "home") -> int:
        return len(self.galleries.current(namespace))


def test_who_is_enrolled_at_the_start_is_there_before_the_first_frame(tmp_path):
    with a_store(tmp_path) as store:
        store.add_identity("Ada", [a_new_face(1)])
    heard = Heard()

    with watching(tmp_path, heard):
        assert heard.size() == 1


def test_a_namespace_may_appear_later(tmp_path):
    heard = Heard()

    with watching(tmp_path, heard):
        assert heard.size() == 0
        with a_store(tmp_path) as store:
            store.add_identity("Ada", [a_new_face(1)])
        eventually(lambda: heard.size() == 1)


_ENROLLING = """
import sys
from pathlib import Path
from builders.gallery_watches import watching
from builders.namespaces import a_new_face, a_store
with a_store(Path(sys.argv[1]), seed=sys.argv[2]) as store:
    for line in sys.stdin:
        store.add_identity(line.strip(), [a_new_face(len(line))])
        print("done", flush=True)
"""


def test_another_process_enrols_and_removes_while_we_watch(tmp_path):
    with a_store(tmp_path) as store:
        ada = store.add_identity("Ada", [a_new_face(1)])
    heard = Heard()

    with (
        watching(tmp_path, heard),
        subprocess.Popen(
            [sys.executable, "-c", _ENROLLING, str(tmp_path), "other"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        ) as process,
    ):
        assert process.stdin
        assert process.stdout
        for size, name in enumerate(("Bob", "Cleo"), start=2):
            process.stdin.write(f"{name}\n")
            process.stdin.flush()
            assert process.stdout.readline() == "done\n"
            eventually(lambda size=size: heard.size() == size)
        with a_store(tmp_path) as store:
            store.remove([ada.id])
        eventually(lambda: heard.size() == 2)
        process.stdin.close()

    kinds = [kind for kind, _, _ in heard.told]
    assert kinds == ["replace", "apply", "apply", "apply"]
    assert [len(change.changed) for _, _, change in heard.told] == [1, 1, 1, 0]
    assert heard.told[-1][2].removed == (ada.id,)


def test_each_namespace_is_watched_for_itself(tmp_path):
    heard = Heard()

    with watching(tmp_path, heard, "home", "office", "home"):
        with a_store(tmp_path, namespace="office") as store:
            store.add_identity("Ada", [a_new_face(1)])
        eventually(lambda: heard.size("office") == 1)

    assert heard.size("home") == 0


def test_an_exchanged_file_begins_anew(tmp_path):
    with a_store(tmp_path / "other") as store:
        store.add_identity("Somebody else", [a_new_face(5)])
    with a_store(tmp_path) as store:
        for n in range(3):
            store.add_identity(f"Person {n}", [a_new_face(n)])
    heard = Heard()

    with watching(tmp_path, heard):
        assert heard.size() == 3
        shutil.copy(namespace_path(tmp_path / "other", "home"), tmp_path / "new.db")
        (tmp_path / "new.db").replace(namespace_path(tmp_path, "home"))
        eventually(lambda: heard.size() == 1)

    assert heard.told[-1][0] == "replace"


def test_a_file_that_vanishes_leaves_nobody_enrolled(tmp_path, caplog):
    with a_store(tmp_path) as store:
        store.add_identity("Ada", [a_new_face(1)])
    heard = Heard()

    with watching(tmp_path, heard):
        for suffix in ("", "-wal", "-shm"):
            namespace_path(tmp_path, "home").with_name(f"home.db{suffix}").unlink(missing_ok=True)
        eventually(lambda: heard.size() == 0)
        eventually(lambda: "is gone" in caplog.text)
        with a_store(tmp_path) as store:
            store.add_identity("Bob", [a_new_face(2)])
        eventually(lambda: heard.size() == 1)


def test_a_file_that_is_damaged_meanwhile_is_put_aside_and_recognition_goes_on(tmp_path, caplog):
    with a_store(tmp_path) as store:
        store.add_identity("Ada", [a_new_face(1)])
    path = namespace_path(tmp_path, "home")
    heard = Heard()

    with watching(tmp_path, heard):
        eventually(lambda: list((path.parent / "snapshots").glob("*.db")))
        (tmp_path / "junk").write_bytes(b"\xa5" * 40960)
        (tmp_path / "junk").replace(path)
        eventually(lambda: damaged_copies(path))
        eventually(lambda: len(heard.told) >= 2)

    assert heard.size() == 1, "from the snapshot that the watch itself had taken"
    assert "was moved to" in caplog.text


def test_trouble_is_said_once_and_once_more_when_it_is_over(tmp_path, caplog):
    path = namespace_path(tmp_path, "home")
    path.mkdir(parents=True)
    heard = Heard()

    def errors():
        return [record for record in caplog.records if record.levelno >= logging.ERROR]

    with watching(tmp_path, heard) as watch:
        eventually(errors)
        watched = watch._watched[0]
        eventually(lambda: watched._looks_to_rest in (1, 2))
        eventually(lambda: watched._looks_to_rest > 5)
        assert len(errors()) == 1
        path.rmdir()
        with a_store(tmp_path) as store:
            store.add_identity("Ada", [a_new_face(1)])
        eventually(lambda: heard.size() == 1)
        eventually(lambda: "in order again" in caplog.text)


def test_a_writer_in_the_middle_does_not_hold_the_watch_up(tmp_path):
    heard = Heard()
    with a_store(tmp_path) as store, watching(tmp_path, heard):
        store.add_identity("Ada", [a_new_face(1)])
        with transaction(store.connection):
            store.connection.execute("UPDATE ledger SET revision = revision + 0")
            eventually(lambda: heard.size() == 1)


def test_a_burst_of_changes_gives_one_snapshot_and_the_end_another(tmp_path):
    clock = HandClock()
    heard = Heard()
    snapshots = namespace_path(tmp_path, "home").parent / "snapshots"

    with watching(tmp_path, heard, clock=clock), a_store(tmp_path) as store:
        for n in range(3):
            store.add_identity(f"Person {n}", [a_new_face(n)])
            eventually(lambda n=n: heard.size() == n + 1)
        eventually(lambda: list(snapshots.glob("*.db")))
        clock.ms += 1000
        during = list(snapshots.glob("*.db"))

    assert len(during) == 1
    assert len(list(snapshots.glob("*.r3.db"))) == 1


def test_what_a_crash_left_of_a_removed_person_is_tidied_when_the_daemon_starts(tmp_path):
    with a_store(tmp_path) as store:
        ada = store.add_identity("Ada", [a_new_face(1)])
        left = store.snapshots.take(store.connection, 0)
        content = left.read_bytes()
        store.remove([ada.id])
    left.write_bytes(content)

    with watching(tmp_path, Heard()):
        eventually(lambda: not left.exists())


@pytest.mark.parametrize("state", ["never started", "stopped twice"])
def test_stopping_is_always_safe(tmp_path, state):
    watch = GalleryWatch(tmp_path, ["home"], MODEL, Heard(), HandClock(), Ids())
    if state == "stopped twice":
        watch.start()
        assert watch.stop(PATIENCE_S)
    assert watch.stop(PATIENCE_S)


def test_a_change_is_seen_at_once_by_a_watch_that_is_woken(tmp_path):
    heard = Heard()

    with watching(tmp_path, heard, poll_s=10 * PATIENCE_S) as watch:
        for size in (1, 2):
            with a_store(tmp_path, seed=str(size)) as store:
                store.add_identity(f"Person {size}", [a_new_face(size)])
                revision = store.ledger.revision
            watch.wake()
            assert heard.galleries.wait_for("home", revision, PATIENCE_S)
            assert heard.size() == size


class Followed:
    """Follows removals, but fails at first."""

    def __init__(self, failures):
        self.failures = failures
        self.namespaces = []

    def finish(self, namespace, connection):
        if self.failures:
            self.failures -= 1
            raise StoreError("the outbox is full")
        gone = connection.execute("SELECT count(*) FROM tombstone").fetchone()[0]
        self.namespaces.append((namespace, gone))


def test_removals_are_followed_until_that_was_possible(tmp_path, caplog):
    with a_store(tmp_path) as store:
        ada = store.add_identity("Ada", [a_new_face(1)])
    erasures = Followed(failures=2)

    with watching(tmp_path, Heard(), poll_s=0.02, erasures=erasures):
        eventually(lambda: erasures.namespaces == [("home", 0)])
        with a_store(tmp_path) as store:
            store.remove([ada.id])
        eventually(lambda: erasures.namespaces[-1] == ("home", 1))

    said = [one for one in caplog.records if "may still name removed people" in one.getMessage()]
    assert len(said) == 1


def test_a_snapshot_that_found_no_room_is_taken_later_though_nobody_was_changed_since(tmp_path, caplog):
    with small_disk(tmp_path / "small") as is_mounted:
        if not is_mounted:
            pytest.skip("mounting a small file system needs root")
        folder, clock = tmp_path / "small", HandClock()
        with a_store(folder) as store:
            store.add_identity("Ada", [a_new_face(1)])
            assert store.snapshots.newest_first() == []
            fill(folder / "ballast")
            with watching(folder, Heard(), clock=clock):
                eventually(lambda: "no snapshot was taken" in caplog.text)
                (folder / "ballast").unlink()
                clock.ms += 11 * 60_000
                eventually(lambda: len(store.snapshots.newest_first()) == 1)
