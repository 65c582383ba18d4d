"""What must hold of groups is proved again, and each breach is named."""

import pytest

from builders.groups import a_grouped_track, a_track_id
from builders.namespaces import HandClock, Ids
from edged.recognition.grouping import founded_id
from edged.settings.groups import Groups
from edged.store.database import transaction
from edged.store.fsck import fsck
from edged.store.group_records import GroupRecords
from edged.store.namespace_files import namespace_path
from edged.store.namespace_store import NamespaceStore

GROUP = founded_id(a_track_id(1), ())


@pytest.fixture
def broken(tmp_path):
    """A namespace with one group; breaks it by SQL and returns what fsck finds."""
    records = GroupRecords(tmp_path, ["home"], Groups(), HandClock(), Ids())
    records.record([("home", a_grouped_track(1, 7, chips=True))])
    records.close()
    path = namespace_path(tmp_path, "home")
    assert fsck(path) == []

    def by(*statements):
        with NamespaceStore.open(path, HandClock(), Ids()) as store, transaction(store.connection):
            for statement in statements:
                store.connection.execute(statement)
        return fsck(path)

    return by


@pytest.mark.parametrize(
    ("statement", "finding"),
    [
        ("UPDATE unknown_group SET revision = 9", f"group {GROUP} has a later revision"),
        (f"INSERT INTO group_fate VALUES ('{a_track_id(5)}', NULL, 9)", "has a later revision"),
        ("DELETE FROM group_track", f"group {GROUP} has no track"),
        ("UPDATE unknown_group SET last_seen_ms = first_seen_ms", "was seen at other times"),
        (f"INSERT INTO group_fate VALUES ('{GROUP}', NULL, 0 + 1)", "is there and gone at once"),
        (f"INSERT INTO group_lost_track VALUES ('{a_track_id(1)}', 1)", "in a group and lost at once"),
        (f"INSERT INTO group_lost_track VALUES ('{a_track_id(5)}', 9)", "has a later revision"),
        ("DELETE FROM group_track_embedding", f"track {a_track_id(1)} of a group has no embedding"),
        ("DELETE FROM group_ledger", "not exactly one row"),
        ("UPDATE group_chip SET png = x'00'", "a chip is damaged"),
        ("UPDATE group_embedding SET vector = zeroblob(512)", "has length 0, not 1"),
    ],
)
def test_a_breach_is_named(broken, statement, finding):
    assert any(finding in line for line in broken(statement))


def test_a_face_of_which_nothing_is_left_is_named(broken):
    assert any("neither" in line for line in broken("DELETE FROM group_embedding", "DELETE FROM group_chip"))


def test_a_merge_into_nowhere_is_named(broken):
    one, other = a_track_id(5), a_track_id(6)
    found = broken(
        f"INSERT INTO group_fate VALUES ('{one}', '{other}', 1)",
        f"INSERT INTO group_fate VALUES ('{other}', NULL, 1)",
    )
    assert any("merged into one that is gone" in line for line in found)
