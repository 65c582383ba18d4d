"""A synced namespace that falls back to a snapshot: it is what it was, and says nothing twice."""

import os

import pytest

from builders.namespaces import MODEL, HandClock, Ids, a_new_face
from builders.sync_sites import Site
from edged.domain.sync_state import SyncRole, SyncState
from edged.replication.statements import name_of
from edged.store.fsck import fsck
from edged.store.namespace_files import damaged_copies
from edged.store.namespace_recovery import open_or_recover
from edged.store.namespace_store import NamespaceStore
from edged.store.sync_decisions import waiting_proposals
from edged.store.sync_members import members
from edged.store.sync_records import epoch_record, membership


@pytest.fixture
def site(tmp_path):
    made = Site(tmp_path)
    made.head.add_identity("Ada", [a_new_face(1, chip=True)])
    made.join()
    yield made
    made.stop()


def snapshot_of(site, node):
    store = site.head if node == "head" else site.door
    site.clock.ms += 1000
    return store.snapshots.take(store.connection, store.now_ms)


def damage(site, node):
    """Its first pages are lost; whoever comes next puts the last snapshot in its place."""
    site.stop()
    with site.path(node).open("r+b") as file:
        file.write(os.urandom(8192))
    for suffix in ("-wal", "-shm"):
        site.path(node).with_name(site.path(node).name + suffix).unlink(missing_ok=True)
    store, recovery = open_or_recover(site.path(node), HandClock(), Ids("recovery"))
    assert recovery is not None
    assert recovery.snapshot is not None
    return store


def test_a_member_is_a_member_still_and_proposes_nothing_of_the_copy(site):
    snapshot_of(site, "door")
    site.head.add_identity("Ben", [a_new_face(2)])
    site.broker.run(5)
    epoch = site.standing("head").epoch

    with damage(site, "door") as store:
        present = membership(store.connection)
        assert present is not None
        assert present.role is SyncRole.MEMBER
        assert not present.is_restored
        assert store.connection.execute("SELECT count(*) FROM sync_change").fetchone() == (0,)
        assert [each.name for each in store.identities()] == ["Ada"]
    site._open()
    site.start()
    site.broker.run(5)

    assert site.names("door") == ["Ada", "Ben"]
    assert site.standing("head").epoch == epoch
    assert (site.standing("door").state, site.standing("door").epoch) == (SyncState.IN_STEP, epoch)


def test_an_authority_catches_up_with_what_it_published_before_it_publishes(site):
    snapshot_of(site, "head")
    cem = site.head.add_identity("Cem", [a_new_face(3)])
    site.broker.run(5)
    site.head.add_identity("Ben", [a_new_face(2)])
    site.broker.run(5)
    manifest = site.parts("head").topics.manifest
    published = site.broker.retained[manifest]
    epoch = site.broker.manifest.epoch

    with damage(site, "head") as store:
        present = membership(store.connection)
        assert present is not None
        assert (present.role, present.is_restored) == (SyncRole.AUTHORITY, True)
        assert [each.node for each in members(store.connection)] == ["door"]
        record = epoch_record(store.connection)
        assert record is not None
        assert record.epoch < epoch
        # Enrolled since: it is in the epoch after those.
        store.add_identity("Dan", [a_new_face(4)])
    site._open()
    site.start()
    site.broker.run(8)

    assert [name_of(payload) for topic, payload in site.broker.log if topic == manifest].count(
        name_of(published)
    ) == 1
    assert site.broker.manifest.epoch == epoch + 1
    assert site.broker.manifest.previous == name_of(published)
    assert site.standing("head").state is SyncState.IN_STEP
    assert site.names("head") == site.names("door") == ["Ada", "Ben", "Cem", "Dan"]
    present = membership(site.head.connection)
    assert present is not None
    assert not present.is_restored
    site.head.remove([cem.id])
    site.broker.run(5)
    assert site.broker.manifest.epoch == epoch + 2
    assert site.names("door") == ["Ada", "Ben", "Dan"]
    for copy in damaged_copies(site.path("head")):
        copy.unlink()
    assert fsck(site.path("head")) == fsck(site.path("door")) == []


def test_an_authority_that_lost_nothing_is_not_taken_for_a_restored_one_for_long(site):
    """Otherwise another writer with its key would be followed instead of told of."""
    snapshot_of(site, "head")
    damage(site, "head").close()
    site._open()
    site.start()
    site.broker.run(5)

    present = membership(site.head.connection)
    assert present is not None
    assert not present.is_restored
    assert site.standing("head").state is SyncState.IN_STEP


def test_what_waits_for_the_owner_is_in_no_snapshot_and_comes_again(tmp_path):
    site = Site(tmp_path, proposals="ask")
    site.join()
    site.door.add_identity("Ada", [a_new_face(1)])
    site.broker.run(5)
    assert len(waiting_proposals(site.head.connection)) == 1
    snapshot = snapshot_of(site, "head")
    assert a_new_face(1).embedding.tobytes()[:64] not in snapshot.read_bytes()

    with damage(site, "head") as store:
        assert waiting_proposals(store.connection) == []
    site._open()
    site.start()
    site.broker.run(30)
    assert len(waiting_proposals(site.head.connection)) == 1
    site.stop()


def test_a_member_that_joined_is_in_the_next_snapshot_though_nobody_was_enrolled(site):
    site.clock.ms += 3_600_000
    assert site.head.snapshots.is_due(site.head.connection, site.head.now_ms)
    with NamespaceStore.open(snapshot_of(site, "head"), HandClock(), Ids(), read_only=True) as copy:
        assert [each.node for each in members(copy.connection)] == ["door"]
        assert MODEL in copy.models()


def test_damage_of_what_it_is_to_the_others_is_damage(site):
    snapshot_of(site, "door")
    site.door.empty_log()
    ((page,),) = site.door.connection.execute(
        "SELECT rootpage FROM sqlite_schema WHERE name = 'sync_epoch'"
    ).fetchall()
    site.stop()
    with site.path("door").open("r+b") as file:
        file.seek((page - 1) * 4096)
        file.write(os.urandom(4096))
    store, recovery = open_or_recover(site.path("door"), HandClock(), Ids("recovery"))
    with store:
        assert recovery is not None
        assert epoch_record(store.connection) is not None
    site._open()


def test_no_snapshot_of_before_it_gave_over_takes_the_authoritys_place(site):
    snapshot_of(site, "head")
    assert site.head.snapshots.newest_first()
    site.head.connection.execute("UPDATE sync_membership SET successor = 'door'")
    site.broker.run(10)
    present = membership(site.head.connection)
    assert present is not None
    assert present.role is SyncRole.MEMBER

    site.head.snapshots.tidy(site.head.connection)
    assert site.head.snapshots.newest_first() == []
