"""A manifest that does not come, as where a cluster keeps it only on the node that took it."""

import pytest

from builders.authorities import TOPICS, a_report
from builders.village import Village
from edged.domain.sync_state import SyncRole, SyncState
from edged.replication.statements import name_of


@pytest.fixture
def village(tmp_path):
    made = Village(tmp_path)
    yield made
    made.close()


def change_unheard_by(house, village):
    """Somebody is enrolled while a house is away, which comes back to another node of the broker.

    That node keeps what the authority said before.
    """
    broker = village.broker
    before = {topic: broker.retained[topic] for topic in (TOPICS.manifest, TOPICS.alive)}
    house.stop()
    village.attic.enrol("Ben", 2)
    broker.run(5)
    broker.retained |= before
    house.start()


def said(broker, topic, minutes, **report):
    """How often something is said while `barn` reports the same every second."""
    broker.log.clear()
    for _ in range(minutes * 60):
        broker.publish(TOPICS.report("barn"), a_report(broker, "barn", **report))
        broker.run(1)
    return sum(each == topic for each, _ in broker.log)


def test_who_missed_it_gets_it_all_the_same(village):
    change_unheard_by(village.barn, village)
    village.broker.run(60)

    assert village.barn.names == ["Ada", "Ben"]
    assert village.barn.how() == (SyncRole.MEMBER, SyncState.IN_STEP)
    assert village.barn.trouble == ""
    assert village.attic.how() == (SyncRole.AUTHORITY, SyncState.IN_STEP)


def test_it_is_said_while_it_does_not_come(village):
    change_unheard_by(village.barn, village)
    village.broker.run(20)

    assert village.barn.how() == (SyncRole.MEMBER, SyncState.BEHIND)
    assert "its manifest does not come" in village.barn.trouble


def test_whoever_asks_all_the_time_gets_it_twice_a_minute_at_most(village):
    village.barn.stop()
    name = name_of(village.broker.retained[TOPICS.manifest])

    assert said(village.broker, TOPICS.manifest, 5, missing=(name,)) in (9, 10)
    assert village.attic.how() == (SyncRole.AUTHORITY, SyncState.IN_STEP)


def test_whoever_knows_of_earlier_epochs_alone_is_told_six_times_a_minute_at_most(village):
    village.barn.stop()

    assert said(village.broker, TOPICS.alive, 5, epoch=0) in (29, 30)
    assert said(village.broker, TOPICS.alive, 4) <= 1
