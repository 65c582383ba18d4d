"""What the check of a namespace finds: nothing in a sound one, and each kind of harm by its name."""

import sqlite3
from contextlib import closing

import numpy as np
import pytest

from builders.namespaces import START_UTC_MS, a_new_face, a_store
from edged.store.fsck import fsck
from edged.store.namespace_files import namespace_path


@pytest.fixture
def path(tmp_path):
    """A namespace through which some life has gone."""
    with a_store(tmp_path) as store:
        ada = store.add_identity("Ada", [a_new_face(1, chip=True), a_new_face(2)], custom_id="1")
        bob = store.add_identity("Bob", [a_new_face(3)])
        store.rename(ada.id, "Ada L.")
        store.remove([bob.id])
        store.snapshots.take(store.connection, START_UTC_MS)
    return namespace_path(tmp_path, "home")


def harm(path, *statements, parameters=()):
    with closing(sqlite3.connect(path, isolation_level=None)) as plain:
        plain.execute("PRAGMA ignore_check_constraints = ON")
        for statement in statements:
            plain.execute(statement, parameters)


def test_nothing_is_found_in_a_sound_namespace(path):
    assert fsck(path) == []


HARMS = {
    "UPDATE ledger SET revision = 1, erased_revision = 0": "the ledger is only at 1",
    "UPDATE ledger SET erased_revision = 0": "the last removal has revision 4, the ledger says 0",
    "DELETE FROM ledger": "not exactly one row",
    "UPDATE identity SET name = ' Ada'": "not written as it is kept",
    "UPDATE identity SET name = 'A' || char(10) || 'B'": "one line",
    "UPDATE identity SET updated_ms = created_ms - 1": "changed before it was made",
    "UPDATE kept_bytes SET chips = chips + 1": "counted are",
    "DELETE FROM embedding WHERE face = 2": "neither an embedding nor a chip",
    "UPDATE chip SET png = x'00'": "chip is damaged",
    "UPDATE embedding SET vector = zeroblob(512) WHERE face = 1": "has length 0, not 1",
    "UPDATE embedding SET vector = x'0000803f' WHERE face = 1": "are of 2 different sizes",
    "INSERT INTO face SELECT 9, 'x' || substr(id, 2), 77, 0.5, '', 0 FROM face WHERE number = 1": (
        "belongs to a row"
    ),
    "INSERT INTO tombstone SELECT id, 1, 0, NULL FROM identity": "enrolled and removed at once",
}


def test_somebody_may_be_enrolled_without_a_face_yet(path):
    with a_store(path.parent.parent, seed="later") as store:
        store.add_identity("Cleo")

    assert fsck(path) == []


@pytest.mark.parametrize("statement", HARMS)
def test_harm_is_found(path, statement):
    harm(path, statement)

    findings = fsck(path)

    assert any(HARMS[statement] in finding for finding in findings), findings


def test_an_embedding_that_is_no_number_is_found(path):
    broken = np.full(128, np.nan, "<f4").tobytes()
    harm(path, "UPDATE embedding SET vector = ? WHERE face = 1", parameters=(broken,))

    assert any("length nan" in finding for finding in fsck(path))


def test_a_damaged_index_is_found(path):
    harm(
        path,
        "PRAGMA writable_schema = ON",
        "UPDATE sqlite_schema SET sql = replace(sql, '(revision)', '(created_ms)')"
        " WHERE name = 'identity_by_revision'",
    )

    assert any("SQLite finds damage" in finding for finding in fsck(path))


def test_damaged_pages_are_found(path):
    with path.open("r+b") as file:
        file.seek(4096 * 2)
        file.write(b"\xa5" * 4096 * 3)

    assert fsck(path)


def test_what_lies_around_is_looked_at_too(path):
    path.chmod(0o644)
    (path.parent / "home.db.corrupt-20240101T000000Z").touch()
    (snapshot,) = (path.parent / "snapshots").glob("*.r4.db")
    snapshot.rename(snapshot.with_name("home.20240101T000000Z.r3.db"))

    findings = " ".join(fsck(path))

    assert f"{path} can be read by other users" in findings
    assert "before the last removal" in findings
    assert "damaged copy" in findings


def test_a_missing_and_a_foreign_file_are_findings_not_errors(tmp_path):
    (tmp_path / "text.db").write_text("words " * 1000)

    assert fsck(tmp_path / "no.db") == [f"{tmp_path / 'no.db'} does not exist"]
    assert "is no SQLite database" in fsck(tmp_path / "text.db")[0]


def test_what_is_wrong_everywhere_is_said_in_some_lines(tmp_path):
    with a_store(tmp_path) as store:
        for n in range(30):
            store.add_identity(f"Person {n}")
    harm(namespace_path(tmp_path, "home"), "UPDATE identity SET updated_ms = created_ms - 1")

    findings = fsck(namespace_path(tmp_path, "home"))

    assert len(findings) == 21
    assert findings[-1] == "… and more of the same"
