"""An authority whose database is older than what it published: it goes on from what was published."""

import sqlite3
from contextlib import closing
from dataclasses import replace

import pytest

from builders.authorities import TOPICS, Broker, a_join, an_authority, parts_of_node
from builders.namespaces import OTHER_EMBEDDER, a_new_face
from builders.setbacks import Hindrance, Locked
from edged.domain.sync_state import SyncRole, SyncState
from edged.store.database import transaction
from edged.store.namespace_files import namespace_path
from edged.store.sync_records import membership
from edged.sync.authority import Authority
from edged.sync.node import Node, engine_of


@pytest.fixture
def broker():
    return Broker()


def a_backup(data_dir, place):
    there = namespace_path(place, "home")
    there.parent.mkdir(parents=True)
    with (
        closing(sqlite3.connect(namespace_path(data_dir, "home"))) as source,
        closing(sqlite3.connect(there)) as copy,
    ):
        source.backup(copy)


def an_authority_that_lost_its_disk(tmp_path, broker, *, rotates):
    """Its backup was made when Ada alone was enrolled; Ben was published since, and Cem came and went."""
    authority = an_authority(tmp_path / "lost", broker)
    broker.turn()
    broker.publish(TOPICS.join("door"), a_join("door"), is_retained=False)
    with authority._desk.parts.open_store() as store:
        store.add_identity("Ada", [a_new_face(1)])
        cem = store.add_identity("Cem", [a_new_face(3)])
        broker.run(4)
        a_backup(tmp_path / "lost", tmp_path / "restored")
        store.remove([cem.id])
        store.add_identity("Ben", [a_new_face(2)])
        if rotates:
            with transaction(store.connection):
                store.connection.execute("UPDATE sync_membership SET rotation_wanted = 1")
        broker.run(4)
    broker.disconnect(authority)
    authority.close()
    broker.clock.ms += 60_000


@pytest.mark.parametrize("rotates", [False, True])
@pytest.mark.parametrize("is_said", [False, True])
def test_what_was_published_since_the_backup_is_taken_over_and_then_it_goes_on(
    tmp_path, broker, rotates, is_said
):
    an_authority_that_lost_its_disk(tmp_path, broker, rotates=rotates)
    published = broker.manifest.epoch
    parts = parts_of_node(tmp_path / "restored", run="2", clock=broker.clock)
    with parts.open_store() as store:
        with transaction(store.connection):
            store.connection.execute("UPDATE sync_membership SET is_restored = ?", (is_said,))
        authority = Authority(parts)
        broker.connect(authority)
        broker.run(5)
        assert sorted(person.name for person in store.identities()) == ["Ada", "Ben"]
        assert broker.manifest.epoch == published
        assert authority.standing(broker.now).state is SyncState.IN_STEP
        store.add_identity("Dan", [a_new_face(4)])
        broker.run(4)

        assert broker.manifest.epoch == published + 1
        assert broker.names("door") == ["Ada", "Ben", "Dan"]
        assert not membership(store.connection).is_restored
    authority.close()


def test_an_old_database_with_changes_that_nobody_published_stops_rather_than_choose(tmp_path, broker):
    an_authority_that_lost_its_disk(tmp_path, broker, rotates=False)
    payload = broker.retained[TOPICS.manifest]
    parts = parts_of_node(tmp_path / "restored", run="2", clock=broker.clock)
    with parts.open_store() as store:
        store.add_identity("Eve", [a_new_face(5)])
        authority = Authority(parts)
        broker.connect(authority)
        broker.run(5)

        assert authority.standing(broker.now).state is SyncState.SPLIT
        assert membership(store.connection).role is SyncRole.SPLIT
        assert broker.retained[TOPICS.manifest] == payload
    authority.close()


def test_a_restored_authority_of_another_embedder_says_why_it_publishes_nothing(tmp_path, broker):
    an_authority_that_lost_its_disk(tmp_path, broker, rotates=False)
    payload = broker.retained[TOPICS.manifest]
    parts = parts_of_node(tmp_path / "restored", run="2", clock=broker.clock)
    authority = Authority(replace(parts, embedder=OTHER_EMBEDDER))
    broker.connect(authority)
    broker.run(5)

    standing = authority.standing(broker.now)
    assert standing.state is SyncState.BEHIND
    assert "before is not taken over" in standing.trouble
    assert "was made with the embedder" in standing.trouble
    assert broker.retained[TOPICS.manifest] == payload
    authority.close()


def test_an_epoch_is_on_the_disk_before_anybody_has_it(tmp_path, broker):
    """Else a power cut would take it back from the one node that must not forget it."""
    authority = an_authority(tmp_path, broker)
    assert authority._desk.store.connection.execute("PRAGMA synchronous").fetchone() == (2,)
    authority.close()


def test_a_restored_authority_goes_on_where_the_broker_has_nothing(tmp_path, broker):
    an_authority_that_lost_its_disk(tmp_path, broker, rotates=False)
    broker.retained.clear()
    parts = parts_of_node(tmp_path / "restored", run="2", clock=broker.clock)
    with parts.open_store() as store, transaction(store.connection):
        store.connection.execute("UPDATE sync_membership SET is_restored = 1")
    authority = Authority(parts)
    broker.connect(authority)
    broker.run(5)
    assert TOPICS.manifest not in broker.retained
    broker.run(10)

    assert broker.names("door") == ["Ada", "Cem"]
    authority.close()


@pytest.mark.parametrize("is_changed", [False, True])
def test_it_takes_over_or_stops_though_its_database_is_locked_wherever_it_writes(
    tmp_path, broker, is_changed
):
    an_authority_that_lost_its_disk(tmp_path, broker, rotates=True)
    broker.log.clear()
    published = broker.manifest.epoch
    path = namespace_path(tmp_path / "restored", "home")
    hindrance = Hindrance(Locked(path), lambda _, passed: not passed)
    parts = parts_of_node(tmp_path / "restored", run="2", clock=broker.clock)
    with parts.open_store() as store:
        if is_changed:
            store.add_identity("Eve", [a_new_face(5)])
        else:
            store.connection.execute("UPDATE sync_membership SET is_restored = 1")
        node = Node("home", lambda: replace(parts, open_store=hindrance.opening(parts.open_store)), engine_of)
        broker.connect(node)
        for _ in range(60):
            broker.run(7)
            if hindrance.is_on:
                names = {person.name for person in store.identities()} - {"Eve"}
                assert names in ({"Ada", "Cem"}, {"Ada", "Ben"})
                hindrance.end()
        # What it published is told in one way still, and nothing is told instead.
        assert broker.manifest.epoch == published
        made = {payload for topic, payload in broker.log if topic == TOPICS.manifest}
        assert made <= {broker.retained[TOPICS.manifest]}
        if is_changed:
            assert node.standing(broker.now).state is SyncState.SPLIT
            assert "authority.Authority._stop" in hindrance.failed
        else:
            assert (node.standing(broker.now).state, names_in(store)) == (SyncState.IN_STEP, ["Ada", "Ben"])
            assert {"catching_up.CatchingUp._told_itself", "catching_up.CatchingUp.turn"} < set(
                hindrance.failed
            )
            assert {"sync_staging.stage", "sync_applying.apply_epoch"} < set(hindrance.failed)
    node.close()


def names_in(store):
    return sorted(person.name for person in store.identities())
