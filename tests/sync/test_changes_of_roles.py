"""What nodes are to a namespace, changed by commands while others run; by a hand-moved clock."""

from dataclasses import replace

import pytest

from builders.authorities import TOPICS, Broker, keys_of
from builders.village import Village
from edged.app import sync_commands
from edged.app.sync_restore import mark_restored
from edged.domain.sync_state import SyncRole, SyncState
from edged.replication.keys import NodeKeys
from edged.replication.statement import StatementKind, taken_apart
from edged.replication.statements import Report
from edged.store.sync_members import members


@pytest.fixture
def village(tmp_path):
    made = Village(tmp_path)
    yield made
    made.close()


def last_report(broker, node):
    return taken_apart(StatementKind.REPORT, broker.retained[TOPICS.report(node)]).body(Report)


def test_a_member_says_how_often_it_reports_and_is_late_by_that(village):
    barn = next(each for each in members(village.attic.store.connection) if each.node == "barn")

    assert barn.report_every_ms == last_report(village.broker, "barn").report_every == 600_000


# --- handing over


def test_a_successor_that_is_away_is_not_waited_for_and_does_not_take_over_when_it_is_back(village):
    village.barn.stop()
    sync_commands.promote(village.attic.place, "barn")
    village.attic.enrol("Ben", 2)
    village.broker.run(70)
    assert village.attic.how()[0] is SyncRole.AUTHORITY
    assert "barn did not answer" in village.attic.trouble
    assert village.cellar.names == ["Ada", "Ben"]

    village.barn.start()
    village.broker.run(10)
    assert village.barn.how() == (SyncRole.MEMBER, SyncState.IN_STEP)
    assert village.barn.names == ["Ada", "Ben"]


def test_who_waits_for_the_owner_is_asked_of_the_one_who_leads_now(village):
    village.attic.stop()
    village.attic.parts = replace(village.attic.parts, settings=replace_ask(village.attic.parts.settings))
    village.attic.start()
    village.cellar.enrol("Cy", 3)
    village.broker.run(5)
    assert village.attic.names == ["Ada"]
    sync_commands.promote(village.attic.place, "barn")
    # The new one takes what it is asked.
    village.broker.run(60)

    assert village.barn.how() == (SyncRole.AUTHORITY, SyncState.IN_STEP)
    assert village.attic.names == village.barn.names == village.cellar.names == ["Ada", "Cy"]


def replace_ask(settings):
    import msgspec  # noqa: PLC0415

    return msgspec.structs.replace(settings, proposals="ask")


def test_what_the_authority_of_before_changes_is_a_proposal_and_taken(village):
    sync_commands.promote(village.attic.place, "barn")
    village.broker.run(10)
    assert village.attic.how() == (SyncRole.MEMBER, SyncState.IN_STEP)
    village.attic.enrol("Dan", 4)
    village.broker.run(10)

    assert village.barn.names == village.cellar.names == ["Ada", "Dan"]


def test_a_node_that_was_away_follows_through_two_hand_overs(village):
    village.cellar.stop()
    sync_commands.promote(village.attic.place, "barn")
    village.broker.run(10)
    sync_commands.promote(village.barn.place, "attic")
    village.broker.run(10)
    assert village.attic.how()[0] is SyncRole.AUTHORITY
    village.attic.enrol("Eve", 5)
    village.broker.run(5)
    village.cellar.start()
    village.broker.run(5)

    assert village.cellar.how() == (SyncRole.MEMBER, SyncState.IN_STEP)
    assert village.cellar.names == ["Ada", "Eve"]


def test_a_member_that_is_to_lead_does_not_leave_by_a_wish_of_before(village):
    village.barn.stop()
    sync_commands.leave(village.barn.place)
    sync_commands.promote(village.attic.place, "barn")
    village.broker.disconnect(village.attic.node)
    village.barn.start()
    village.broker.connect(village.attic.node)
    village.broker.run(70)

    # Whichever word came first, there is one authority, and what it is stays.
    roles = [each.how()[0] if each.row else None for each in (village.attic, village.barn)]
    assert roles.count(SyncRole.AUTHORITY) == 1


# --- leaving, putting out


def test_an_authority_that_others_follow_ends_it_only_when_it_says_so(village):
    with pytest.raises(sync_commands.NotForThisRoleError, match="2 nodes follow it") as refused:
        sync_commands.leave(village.attic.place)
    assert "promote" in refused.value.remedy
    assert "--unsaid" in refused.value.remedy
    sync_commands.leave_unsaid(village.attic.place)
    village.broker.run(5)

    assert village.attic.row is None
    assert village.attic.names == village.barn.names == ["Ada"]
    assert village.barn.how() == (SyncRole.MEMBER, SyncState.IN_STEP)


def test_who_ended_it_and_founds_it_again_with_another_secret_is_not_taken_back_to_what_was(village):
    sync_commands.leave_unsaid(village.attic.place)
    village.attic.enrol("Fay", 6)
    village.attic.parts = replace(village.attic.parts, keys=keys_of("attic, again"))
    village.attic.init()
    village.broker.run(10)

    assert village.attic.how() == (SyncRole.AUTHORITY, SyncState.IN_STEP)
    assert village.attic.names == ["Ada", "Fay"]
    assert village.barn.how()[1] is SyncState.UNTRUSTED
    assert "join" in village.barn.trouble


def test_a_member_tells_that_it_leaves_and_the_key_is_changed(village):
    generation = village.broker.manifest.key_generation
    assert not sync_commands.leave(village.barn.place)
    village.broker.run(10)

    assert village.barn.row is None
    assert village.barn.names == ["Ada"]
    assert [each.node for each in members(village.attic.store.connection)] == ["cellar"]
    assert village.broker.manifest.key_generation == generation + 1


def test_who_was_put_out_says_so_reads_nothing_more_and_comes_back_with_an_invitation(village):
    generation = village.broker.manifest.key_generation
    sync_commands.expel(village.attic.place, "barn")
    village.attic.enrol("Gus", 7)
    village.broker.run(10)
    assert village.barn.how() == (SyncRole.REMOVED, SyncState.REMOVED)
    assert village.broker.manifest.key_generation == generation + 1
    assert village.barn.names == ["Ada"]
    assert village.cellar.names == ["Ada", "Gus"]

    village.barn.join(village.attic.invite())
    village.broker.run(15)
    assert village.barn.how() == (SyncRole.MEMBER, SyncState.IN_STEP)
    assert village.barn.names == ["Ada", "Gus"]


def test_who_was_put_out_while_away_and_then_another_led_says_that_it_was_put_out(village):
    village.cellar.stop()
    sync_commands.expel(village.attic.place, "cellar")
    village.broker.run(10)
    sync_commands.promote(village.attic.place, "barn")
    village.broker.run(10)
    village.cellar.start()
    village.broker.run(20)

    assert village.cellar.how() == (SyncRole.REMOVED, SyncState.REMOVED)


# --- founding anew


def test_a_member_founds_the_namespace_anew_and_nobody_follows_it_untold(village):
    village.attic.stop()
    before = village.barn.epoch
    village.barn.init(is_anew=True)
    village.broker.run(10)
    assert village.barn.how() == (SyncRole.AUTHORITY, SyncState.IN_STEP)
    assert village.broker.manifest.epoch > before
    assert village.cellar.how() == (SyncRole.MEMBER, SyncState.UNTRUSTED)
    assert "edged sync join CODE" in village.cellar.trouble
    assert village.cellar.names == ["Ada"]

    invitation = village.barn.invite()
    assert sync_commands.believed_otherwise(village.cellar.place, invitation)
    village.cellar.join(invitation)
    village.barn.enrol("Hal", 8)
    village.broker.run(15)
    assert village.cellar.how() == (SyncRole.MEMBER, SyncState.IN_STEP)
    assert village.cellar.names == ["Ada", "Hal"]


def test_an_authority_does_not_found_anew_with_the_secret_that_it_has(village):
    with pytest.raises(sync_commands.NotForThisRoleError, match="own secret"):
        village.attic.init(is_anew=True)


# --- two writers


def two_writers(village):
    """A clone of the authority runs besides it, and something is changed at each."""
    clone = village.copied(village.attic, "clone")
    village.attic.enrol("Right", 9)
    clone.enrol("Wrong", 10)
    village.broker.run(3)
    clone.start()
    village.broker.run(5)
    return clone


def test_of_two_writers_the_one_that_finds_what_it_did_not_make_stops_and_says_where_help_is(village):
    clone = two_writers(village)

    assert clone.how() == (SyncRole.SPLIT, SyncState.SPLIT)
    assert '"Two writers"' in clone.trouble
    assert village.cellar.names == ["Ada", "Right"]


@pytest.mark.parametrize("kept", ["the writer", "the one that stopped"])
def test_two_writers_are_settled_as_the_page_says(village, kept):
    clone = two_writers(village)
    right, wrong = (village.attic, clone) if kept == "the writer" else (clone, village.attic)
    # `edged sync leave` at the wrong one, and its daemon is shut down; the secret goes with it.
    if wrong.row.role is SyncRole.SPLIT:
        sync_commands.leave(wrong.place)
    else:
        sync_commands.leave_unsaid(wrong.place)
    wrong.stop()
    # `backup`, and `restore --replace`, at the right one, whose daemon does not run then.
    right.stop()
    again = village.copied(right, "again")
    mark_restored(again.store.connection)
    again.start()
    village.broker.run(20)
    assert again.how() == (SyncRole.AUTHORITY, SyncState.IN_STEP), again.trouble
    again.enrol("Ida", 11)
    village.broker.run(15)

    assert village.cellar.how() == (SyncRole.MEMBER, SyncState.IN_STEP)
    # What is on the broker counts, whichever goes on: the other change was never published.
    assert again.names == village.cellar.names == village.barn.names == ["Ada", "Ida", "Right"]


def test_of_two_contents_of_one_epoch_the_one_that_is_settled_on_is_in_force(village):
    # Each writes to a broker of its own for a while, as when a network is in two.
    clone = village.copied(village.attic, "clone")
    elsewhere = Broker(village.broker.clock)
    elsewhere.retained = dict(village.broker.retained)
    clone.broker = elsewhere
    clone.start()
    clone.enrol("Right", 9)
    elsewhere.run(5)
    clone.stop()
    village.attic.enrol("Wrong", 10)
    village.broker.run(5)
    assert clone.epoch == village.attic.epoch
    sync_commands.leave_unsaid(village.attic.place)
    village.attic.stop()

    clone.broker = village.broker
    clone.start()
    assert clone.how() == (SyncRole.SPLIT, SyncState.SPLIT)
    clone.stop()
    again = village.copied(clone, "again")
    mark_restored(again.store.connection)
    again.start()
    village.broker.run(15)

    assert again.how() == (SyncRole.AUTHORITY, SyncState.IN_STEP), again.trouble
    assert again.names == village.cellar.names == village.barn.names == ["Ada", "Right"]
    assert village.cellar.how() == (SyncRole.MEMBER, SyncState.IN_STEP)


# --- secrets and names


def test_a_device_that_is_called_otherwise_says_what_it_was_called(village):
    village.barn.stop()
    village.barn.parts = replace(village.barn.parts, node="shed")
    village.barn.start()

    assert village.barn.how() == (SyncRole.MEMBER, SyncState.FAULTY)
    assert "`barn`" in village.barn.trouble
    assert "`device: barn`" in village.barn.trouble
    assert TOPICS.report("shed") not in village.broker.retained


def test_a_secret_that_is_none_is_told_as_what_it_is(village):
    village.barn.stop()
    trouble = "secret `home_sync` is no secret of a node. `edged sync new-key` makes one"
    village.barn.parts = replace(village.barn.parts, keys=None, keys_trouble=trouble)
    village.barn.start()

    assert village.barn.how() == (SyncRole.MEMBER, SyncState.NO_KEY)
    assert village.barn.trouble == trouble


def test_an_authority_with_another_secret_says_so_and_publishes_nothing(village):
    village.attic.stop()
    count = len(village.broker.log)
    village.attic.parts = replace(village.attic.parts, keys=NodeKeys(bytes(32)))
    village.attic.start()
    village.attic.enrol("Jo", 12)
    village.broker.run(10)

    assert village.attic.how()[1] is SyncState.NO_KEY
    assert "put it back" in village.attic.trouble
    assert [topic for topic, _ in village.broker.log[count:] if "/device/" not in topic] == []
