"""An authority that comes back after its namespace was founded anew at another node."""

import pytest

from builders.authorities import TOPICS, Broker
from builders.village import House, Village
from edged.app import sync_commands
from edged.app.sync_restore import mark_restored
from edged.domain.sync_state import SyncRole, SyncState


@pytest.fixture
def village(tmp_path):
    """`attic` is lost, `barn` founded the namespace anew, and `cellar` was told and follows it."""
    made = Village(tmp_path)
    made.attic.stop()
    made.barn.init(is_anew=True)
    made.broker.run(10)
    made.cellar.join(made.barn.invite())
    made.broker.run(15)
    assert made.cellar.how() == (SyncRole.MEMBER, SyncState.IN_STEP)
    yield made
    made.close()


def of_the_authority(village: Village) -> dict[str, bytes]:
    """What an authority writes at the broker, but for the word that it is alive, which changes."""
    shared = TOPICS.manifest.rpartition("/")[0]
    kept = village.broker.retained
    return {
        topic: payload
        for topic, payload in kept.items()
        if topic.startswith(shared) and topic != TOPICS.alive
    }


@pytest.mark.parametrize("is_restored", [False, True])
def test_it_changes_nothing_and_its_owner_is_told_what_to_do(village, is_restored, caplog):
    if is_restored:
        mark_restored(village.attic.store.connection)
    before = of_the_authority(village)
    village.attic.enrol("Old", 8)
    village.attic.start()
    village.broker.run(150)

    assert village.attic.how() == (SyncRole.AUTHORITY, SyncState.FAULTY)
    assert "was founded anew at `barn`" in village.attic.trouble
    assert "edged sync leave --unsaid" in village.attic.trouble
    assert "cellar" in village.attic.trouble
    assert of_the_authority(village) == before
    assert village.barn.names == village.cellar.names == ["Ada"]
    assert village.barn.how() == (SyncRole.AUTHORITY, SyncState.IN_STEP)
    assert village.cellar.how() == (SyncRole.MEMBER, SyncState.IN_STEP)
    assert caplog.text.count("was founded anew at") == 1


def test_what_changes_at_the_new_authority_reaches_its_members_while_the_old_one_is_there(village):
    village.attic.start()
    village.broker.run(10)
    village.barn.enrol("New", 9)
    village.broker.run(30)

    assert village.cellar.names == ["Ada", "New"]
    assert village.attic.names == ["Ada"]
    assert village.attic.how() == (SyncRole.AUTHORITY, SyncState.FAULTY)


def test_its_owner_ends_it_there_and_joins(village):
    village.attic.start()
    village.attic.enrol("Old", 8)
    village.broker.run(10)
    sync_commands.leave_unsaid(village.attic.place)
    village.broker.run(3)
    village.attic.join(village.barn.invite())
    village.broker.run(30)

    assert village.attic.how() == (SyncRole.MEMBER, SyncState.IN_STEP)
    assert village.barn.names == village.cellar.names == village.attic.names == ["Ada", "Old"]


def test_a_stranger_that_writes_over_the_manifest_does_not_stop_an_authority_that_members_follow(tmp_path):
    village = Village(tmp_path)
    try:
        stranger = a_stranger(village)
        village.broker.publish(TOPICS.manifest, stranger)
        village.broker.run(2)
        assert "somebody writes where they must not" in village.attic.trouble
        assert "edged sync leave --unsaid" in village.attic.trouble
        village.attic.enrol("Bea", 5)
        village.broker.run(20)

        assert village.broker.manifest.writer == "attic"
        assert village.barn.names == village.cellar.names == ["Ada", "Bea"]
        village.broker.run(70)
        assert village.attic.how() == (SyncRole.AUTHORITY, SyncState.IN_STEP)
    finally:
        village.close()


def a_stranger(village: Village) -> bytes:
    """A manifest of a namespace of the same name, with another key, made apart."""
    broker = Broker()
    house = House(village.folder / "stranger", broker, "shed")
    house.init()
    house.start()
    broker.run(10)
    house.close()
    return broker.retained[TOPICS.manifest]
