"""An authority whose secret, key or broker is not as it must be publishes nothing, and says what to do."""

from dataclasses import replace

import pytest

from builders.authorities import TOPICS, Broker, found_at, keys_of, parts_of_node
from builders.namespaces import a_new_face
from edged.domain.errors import StoreError
from edged.domain.sync_state import SyncState
from edged.sync.authority import Authority
from edged.sync.participant import Connection


@pytest.fixture
def broker():
    return Broker()


@pytest.fixture
def parts(tmp_path, broker):
    made = parts_of_node(tmp_path, clock=broker.clock)
    found_at(made)
    with made.open_store() as store:
        for number in range(3):
            store.add_identity(f"Person {number}", [a_new_face(number)])
    return made


def state_of(authority, broker):
    standing = authority.standing(broker.now)
    return standing.state, standing.trouble


def test_with_another_secret_nothing_is_published_until_its_own_is_back(parts, broker):
    authority = Authority(replace(parts, keys=keys_of("another card")))
    broker.connect(authority)
    broker.run(5)
    state, trouble = state_of(authority, broker)
    assert state is SyncState.NO_KEY
    assert "put it back" in trouble
    assert broker.log == []
    broker.disconnect(authority)
    authority.close()

    authority = Authority(parts)
    broker.connect(authority)
    broker.run(5)
    assert state_of(authority, broker) == (SyncState.IN_STEP, "")
    authority.close()


def test_without_a_secret_it_does_not_begin(parts):
    with pytest.raises(StoreError, match="secret"):
        Authority(replace(parts, keys=None))


def test_without_the_namespaces_key_nothing_is_published(parts, broker):
    with parts.open_store() as store:
        store.connection.execute("UPDATE sync_key SET envelope = zeroblob(length(envelope))")
    authority = Authority(parts)
    broker.connect(authority)
    broker.run(5)
    state, trouble = state_of(authority, broker)
    assert state is SyncState.NO_KEY
    assert "secret" in trouble
    assert broker.log == []
    authority.close()


def test_a_broker_that_takes_less_than_a_page_is_sent_nothing_and_the_limit_is_told(parts, broker):
    authority = Authority(parts)
    broker.connect(authority, Connection(most_payload_bytes=1_000))
    broker.run(5)
    _, trouble = state_of(authority, broker)
    assert "the broker takes 1000" in trouble
    assert "max_packet_size" in trouble
    assert TOPICS.manifest not in broker.retained
    broker.disconnect(authority)
    broker.connect(authority, Connection(most_payload_bytes=200_000))
    broker.run(5)
    assert state_of(authority, broker) == (SyncState.IN_STEP, "")
    assert len(broker.names("head")) == 3
    authority.close()


def test_where_it_is_the_authority_no_more_it_says_nothing(parts, broker):
    authority = Authority(parts)
    broker.connect(authority)
    broker.run(5)
    with parts.open_store() as store:
        store.connection.execute("UPDATE sync_membership SET role = 'member'")
        store.add_identity("Somebody", [a_new_face(9)])
    before = len(broker.log)
    broker.run(5)
    assert len(broker.log) == before
    authority.close()


def test_a_manifest_that_somebody_cleared_or_wrote_over_is_published_again(parts, broker):
    authority = Authority(parts)
    broker.connect(authority)
    broker.run(5)
    good = broker.retained[TOPICS.manifest]
    for junk in (b"junk", good[:-10]):
        broker.clock.ms += 20_000
        broker.publish(TOPICS.manifest, junk)
        broker.run(5)
        assert broker.retained[TOPICS.manifest] == good
    assert state_of(authority, broker) == (SyncState.IN_STEP, "")
    assert authority.standing(broker.now).refused["unsigned"] == 2
    authority.close()


def test_pages_that_cannot_be_made_again_because_somebody_was_changed_are_those_of_the_next_epoch(
    tmp_path, broker
):
    parts = parts_of_node(tmp_path, clock=broker.clock, gather=3_600)
    found_at(parts)
    with parts.open_store() as store:
        person = store.add_identity("Person", [a_new_face(1)])
        authority = Authority(parts)
        broker.connect(authority)
        broker.run(5)
        broker.disconnect(authority)
        broker.retained.clear()
        store.rename(person.id, "Renamed")
        broker.connect(authority)
        broker.run(5)
    # An hour of gathering is not waited for: nobody could read the epoch in force meanwhile.
    assert broker.manifest.epoch == 2
    assert broker.names("head") == ["Renamed"]
    authority.close()


def test_where_two_write_what_was_published_last_from_here_is_told_all_the_same(parts, broker):
    authority = Authority(parts)
    broker.connect(authority)
    broker.run(5)
    broker.disconnect(authority)
    authority.close()
    with parts.open_store() as store:
        store.connection.execute("UPDATE sync_membership SET role = 'split'")

    authority = Authority(parts)
    broker.connect(authority)
    broker.run(5)
    standing = authority.standing(broker.now)
    assert (standing.state, standing.epoch) == (SyncState.SPLIT, 1)
    authority.close()
