"""The authority's rows of members and invitations."""

import pytest

from builders.namespaces import MODEL
from edged.domain.errors import InputError
from edged.domain.sync_state import SyncRole
from edged.replication.keys import NodeKeys, envelope_place
from edged.replication.statements import FIRST, Report
from edged.store.database import transaction
from edged.store.sync_founding import found
from edged.store.sync_members import (
    add_invitation,
    add_member,
    begin_telling,
    count_members,
    count_untold,
    end_telling,
    forget_late_invitations,
    invitation,
    lags,
    member,
    members,
    remove_member,
    report_of,
    untell,
    untold,
    use_invitation,
    write_report,
)
from edged.store.sync_records import envelopes, membership

KEYS = NodeKeys(bytes(32))


def chance(count):
    return bytes(range(1, count + 1))


@pytest.fixture
def connection(store):
    with transaction(store.connection) as opened:
        found(opened, "home", "head", KEYS, 1, chance)
        add_member(opened, "door", *(bytes([each]) * 32 for each in (1, 2, 3)), 5)
        yield opened


def a_report(at: int, epoch: int = 3, **changes: object) -> Report:
    return Report(
        namespace="home",
        node="door",
        epoch=epoch,
        manifest=FIRST,
        swept_epoch=2,
        at=at,
        state="in step",
        model=MODEL,
        **changes,
    )


def test_a_founded_namespace_has_this_node_as_its_authority_and_a_key_that_it_can_open(connection):
    found_here = membership(connection)
    ((generation, envelope),) = envelopes(connection).items()

    assert (found_here.role, found_here.authority) == (SyncRole.AUTHORITY, KEYS.authority.public)
    assert generation == 1
    assert KEYS.open_envelope(envelope, envelope_place("home", "head", 1)) == chance(32)


def test_a_synced_namespace_is_not_founded_again_unless_its_authority_is_lost(connection):
    with pytest.raises(InputError, match="synced already"):
        found(connection, "home", "head", KEYS, 2, chance)
    with pytest.raises(InputError, match="is the authority"):
        found(connection, "home", "head", KEYS, 2, chance, from_here=True)
    connection.execute("UPDATE sync_membership SET role = 'member'")
    assert found(connection, "home", "head", KEYS, 2, chance, from_here=True) == 2
    assert members(connection) == []


def test_what_changed_while_a_member_was_being_told_is_told_again(connection):
    begin_telling(connection, "door", 100)
    untell(connection, "door")
    end_telling(connection, "door", 100)
    assert [each.node for each in untold(connection, 10)] == ["door"]
    begin_telling(connection, "door", 200)
    end_telling(connection, "door", 200)
    assert count_untold(connection) == 0


def test_an_earlier_report_does_not_replace_a_later_one(connection):
    write_report(connection, a_report(20), b"late", 50)
    write_report(connection, a_report(10), b"early", 60)

    assert report_of(connection, "door") == b"late"
    assert [(each.node, each.epoch, each.heard_ms) for each in lags(connection)] == [("door", 3, 50)]
    assert count_members(connection, 3) == (1, 0)
    assert count_members(connection, 4) == (1, 1)


def test_a_report_of_a_node_that_has_come_further_counts_though_its_clock_was_set_back(connection):
    write_report(connection, a_report(20), b"before", 50)
    write_report(connection, a_report(10, epoch=9), b"further", 60)
    assert report_of(connection, "door") == b"further"
    write_report(connection, a_report(15), b"played again", 70)
    write_report(connection, a_report(11, epoch=10, has_left=True), b"of an earlier membership", 80)

    assert report_of(connection, "door") == b"further"


def test_reports_count_whatever_this_nodes_clock_says(connection):
    day_ms = 86_400_000
    write_report(connection, a_report(10 * day_ms), b"by right clocks", 10 * day_ms)
    write_report(connection, a_report(10 * day_ms + 1), b"by a clock here that is behind", 50)
    assert report_of(connection, "door") == b"by a clock here that is behind"
    write_report(connection, a_report(900 * day_ms), b"by a clock there that is ahead", 11 * day_ms)
    write_report(connection, a_report(11 * day_ms + 1), b"by right clocks again", 11 * day_ms + 1)

    assert report_of(connection, "door") == b"by right clocks again"


def test_who_is_put_out_is_told_and_the_key_is_to_be_changed(connection):
    assert remove_member(connection, "door", 9)
    assert not remove_member(connection, "door", 10)
    assert not remove_member(connection, "nobody", 10)
    assert members(connection) == []
    assert member(connection, "door").removed_ms == 9
    assert membership(connection).rotation_wanted
    assert [each.node for each in untold(connection, 10)] == ["door"]


def test_a_node_that_was_put_out_and_joins_again_is_a_member_with_nothing_of_before(connection):
    write_report(connection, a_report(20), b"report", 50)
    remove_member(connection, "door", 60)
    add_member(connection, "door", *(bytes([each]) * 32 for each in (4, 5, 6)), 70)
    again = member(connection, "door")

    assert (again.removed_ms, again.epoch, again.joined_ms) == (None, 0, 70)
    assert again.node_key == bytes([4]) * 32
    assert report_of(connection, "door") is None


def test_an_invitation_serves_as_often_as_it_says_and_no_longer_than_it_says(connection):
    add_invitation(connection, bytes(16), 100, 2)
    secret_hash = connection.execute("SELECT hash FROM sync_invitation").fetchone()[0]
    assert "secret" not in repr(invitation(connection, secret_hash))
    use_invitation(connection, secret_hash)
    assert invitation(connection, secret_hash).uses == 1
    use_invitation(connection, secret_hash)
    assert invitation(connection, secret_hash) is None
    add_invitation(connection, bytes(16), 100, 2)
    assert forget_late_invitations(connection, 99) == 0
    assert forget_late_invitations(connection, 100) == 1
