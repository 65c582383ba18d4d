"""What must hold of the history is proved again, and each breach is named."""

import pytest

from builders.history import a_face_id, a_job_id, a_seen_face, a_track_of, an_entry
from builders.namespaces import MODEL, a_new_face, a_store
from edged.store.database import transaction
from edged.store.fsck import fsck
from edged.store.history_store import HistoryStore
from edged.store.namespace_files import namespace_path

GONE = "9" * 36


@pytest.fixture
def broken(tmp_path):
    """A namespace with two seen faces, the second enrolled; breaks it by SQL and returns what fsck finds."""
    with a_store(tmp_path) as store:
        history = HistoryStore(store)
        ada = store.add_identity("Ada", [a_new_face(9)])
        history.record([an_entry(1, [a_seen_face(1, identity_id=ada.id), a_seen_face(2)], pictures=True)])
        history.enrol_seen([a_face_id(2)], "Bob", model_hash=MODEL)
    path = namespace_path(tmp_path, "home")
    assert fsck(path) == []

    def by(statement):
        with a_store(tmp_path) as store, transaction(store.connection):
            store.connection.execute(statement)
        return fsck(path)

    return by


@pytest.mark.parametrize(
    ("statement", "finding"),
    [
        ("UPDATE history_volume SET jobs = 7", "the history's volume"),
        ("DELETE FROM history_volume", "the history's volume"),
        (
            f"UPDATE seen_face SET enrolled = 1 WHERE id = '{a_face_id(1)}'",
            f"face {a_face_id(1)} says that it is enrolled",
        ),
        ("UPDATE seen_face SET enrolled = NULL", f"face {a_face_id(2)} is enrolled and does not say so"),
        ("UPDATE seen_face SET identity_id = NULL", "says that it is another"),
        (f"UPDATE seen_face SET identity_id = '{GONE}'", "is of somebody who is not enrolled"),
        ("UPDATE seen_chip SET face = 2", f"face {a_face_id(2)} is enrolled, and its chip"),
        ("UPDATE seen_chip SET png = x'00'", "a chip is damaged"),
        ("UPDATE seen_embedding SET vector = zeroblob(512)", "has length 0, not 1"),
        ("INSERT INTO tombstone SELECT id, 1, 0, NULL FROM identity", "a job still mentions"),
        (f"INSERT INTO tombstone VALUES ('{GONE}', 1, 0, '{GONE}')", "somebody was merged into"),
        ("DELETE FROM job_track", f"job {a_job_id(1)} has tracks that its index lacks"),
        ("DELETE FROM job_identity", f"job {a_job_id(1)} mentions people"),
        ("UPDATE job SET sequence = 9", "says another id, sequence or status"),
        ("UPDATE job SET body = x'5B5D'", f"the body of job {a_job_id(1)} is no job"),
    ],
)
def test_a_breach_is_named(broken, statement, finding):
    assert any(finding in line for line in broken(statement))


def test_a_face_of_an_erased_track_is_named(tmp_path):
    with a_store(tmp_path) as store:
        HistoryStore(store).record([an_entry(1, [a_seen_face(1)])])
        store.connection.execute("INSERT INTO erased_track VALUES (?, 0)", (a_track_of(1),))
    assert f"face {a_face_id(1)} is of somebody who was removed" in fsck(namespace_path(tmp_path, "home"))
