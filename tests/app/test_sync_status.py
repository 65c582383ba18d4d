"""What `edged sync status` says is to be done."""

import pytest

from builders.namespaces import START_UTC_MS, a_store
from builders.syncs import NODE, an_epoch
from edged.app.sync_status import is_late, standing
from edged.app.sync_told import DaemonWord
from edged.domain.sync_state import NodeLag
from edged.store.database import transaction
from edged.store.sync_members import add_member

MINUTE_MS = 60_000


@pytest.fixture
def store(tmp_path):
    with a_store(tmp_path) as opened:
        yield opened


def trouble(store, **about):
    seen = standing(store.connection, "home", START_UTC_MS, **about)
    return list(seen.trouble)


@pytest.mark.parametrize(
    ("report_every_ms", "silent_min", "expected"),
    [(0, 29, False), (0, 31, True), (MINUTE_MS, 4, True), (60 * MINUTE_MS, 170, False)],
)
def test_a_member_is_late_by_how_often_it_reports(report_every_ms, silent_min, expected):
    lag = NodeLag("back", 1, 1, START_UTC_MS - silent_min * MINUTE_MS, "in step", report_every_ms)

    assert is_late(lag, 2, START_UTC_MS) is expected
    assert not is_late(lag, 1, START_UTC_MS)


def test_a_member_that_has_just_joined_is_not_late(store):
    an_epoch(store)
    with transaction(store.connection):
        add_member(store.connection, "back", b"n" * 32, b"s" * 32, b"a" * 32, START_UTC_MS)
    assert trouble(store) == []
    with transaction(store.connection):
        store.connection.execute("UPDATE sync_member SET joined_ms = 1")
    assert trouble(store)[0].startswith("late: back")


def test_members_that_believe_another_authority_are_named(store):
    an_epoch(store)
    with transaction(store.connection):
        add_member(store.connection, "back", b"n" * 32, b"s" * 32, b"a" * 32, START_UTC_MS)
        store.connection.execute("UPDATE sync_member SET state = 'untrusted'")

    assert trouble(store)[0].startswith("not believing this node: back")


@pytest.mark.parametrize(
    ("state", "said", "expected"),
    [
        ("in step", "", []),
        ("behind", "", []),
        ("untrusted", "somebody else signs", ["somebody else signs"]),
        ("no key", "", ["it is `no key`"]),
    ],
)
def test_what_only_the_daemon_knows_is_said_where_it_has_to_be(store, state, said, expected):
    an_epoch(store, role="member")
    word = DaemonWord(process=1, state=state, trouble=said, since_ms=1)

    found = trouble(store, daemon=word)
    assert [one[: len(words)] for one, words in zip(found, expected, strict=True)] == expected


def test_what_the_tables_say_is_not_said_twice(store):
    an_epoch(store, role="member")
    word = DaemonWord(process=1, state="old", trouble="not heard for long", since_ms=1)
    with transaction(store.connection):
        store.connection.execute("UPDATE sync_epoch SET alive_ms = 1")

    (only,) = trouble(store, daemon=word, max_age_ms=1000)
    assert f"the authority {NODE} has not been heard" in only


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("role = 'split'", '"Two writers"'),
        ("role = 'removed'", "edged sync join CODE"),
        ("is_leaving = 1", "edged sync leave --unsaid"),
        ("role = 'joining', since_ms = 1, invitation_expires_ms = 9e12", "used up"),
        ("role = 'joining', since_ms = 1, invitation_expires_ms = 2", "has run out"),
    ],
)
def test_what_a_node_is_says_what_to_do(store, row, words):
    an_epoch(store, role="member")
    with transaction(store.connection):
        store.connection.execute(f"UPDATE sync_membership SET {row}")

    (only,) = trouble(store)
    assert words in only
