"""A member and its broker: what it takes, and what it says."""

import pytest

from builders.namespaces import HandClock, a_store
from builders.sync import ABroker, AnAuthority, a_person, be_member, node_parts
from edged.domain.sync_state import SyncState
from edged.replication.keys import NamespaceKey
from edged.replication.statement import StatementKind, taken_apart
from edged.replication.statements import Report
from edged.store.fsck import fsck
from edged.store.namespace_files import namespace_path
from edged.store.sync_records import shared_person
from edged.sync.member import Member

PEOPLE = [a_person(n, faces=2) for n in range(12)]


def people_in(data_dir):
    with a_store(data_dir) as store:
        ids = [row[0] for row in store.connection.execute("SELECT id FROM identity ORDER BY id")]
        return [shared_person(store.connection, each, "a" * 64, with_chips=False) for each in ids]


def sorted_people(people):
    return sorted(people, key=lambda person: person.id)


@pytest.fixture
def authority():
    return AnAuthority()


@pytest.fixture
def node(tmp_path, authority):
    parts = node_parts(tmp_path)
    with a_store(tmp_path) as store:
        be_member(store, authority, parts)
    member = Member(parts)
    yield member
    member.close()


@pytest.fixture
def clock():
    return HandClock()


@pytest.fixture
def broker(node, clock):
    broker = ABroker()
    broker.connect(node, clock.moment())
    return broker


def last_report(broker, authority):
    payload = broker.retained[authority.topics.report("porch")]
    return taken_apart(StatementKind.REPORT, payload).body(Report)


def test_a_member_comes_to_hold_exactly_what_the_authority_said(tmp_path, authority, node, clock, broker):
    epoch = authority.epoch(3, PEOPLE)
    broker.keep(epoch, authority.topics)
    broker.run(node, clock)

    assert people_in(tmp_path) == sorted_people(PEOPLE)
    assert node.standing(clock.moment()).state is SyncState.IN_STEP
    report = last_report(broker, authority)
    assert (report.epoch, report.manifest, report.swept_epoch) == (3, epoch.name, 3)
    assert fsck(namespace_path(tmp_path, "home")) == []


def test_a_later_epoch_renames_removes_adds_and_swaps_custom_ids(tmp_path, authority, node, clock, broker):
    first = [a_person(0, custom_id="a"), a_person(1, custom_id="b"), a_person(2), a_person(3)]
    broker.keep(authority.epoch(1, first), authority.topics)
    broker.run(node, clock)
    second = [
        a_person(0, custom_id="b", looks=1),
        a_person(1, custom_id="a", looks=1),
        a_person(2, name="Renamed"),
        a_person(4),
    ]
    broker.keep(authority.epoch(2, second), authority.topics)
    broker.say(node, authority.topics.manifest, clock.moment())
    broker.run(node, clock)

    assert people_in(tmp_path) == sorted_people(second)
    assert last_report(broker, authority).swept_epoch == 2
    assert fsck(namespace_path(tmp_path, "home")) == []


def test_one_changed_person_is_one_page(authority, node, clock, broker):
    broker.keep(authority.epoch(1, PEOPLE, buckets=8), authority.topics)
    broker.run(node, clock)
    before = node.standing(clock.moment()).page_requests
    changed = [a_person(0, faces=2, name="Else"), *PEOPLE[1:]]
    broker.keep(authority.epoch(2, changed, buckets=8), authority.topics)
    broker.say(node, authority.topics.manifest, clock.moment())
    broker.run(node, clock)

    standing = node.standing(clock.moment())
    assert (standing.epoch, before, standing.page_requests) == (2, 8, 9)


def test_pages_of_an_unknown_key_wait_for_it(tmp_path, authority, node, clock, broker):
    rotated = AnAuthority(key=NamespaceKey(b"k" * 32, 2))
    broker.keep(rotated.epoch(1, PEOPLE), authority.topics)
    broker.run(node, clock)
    assert node.standing(clock.moment()).state is SyncState.NO_KEY
    assert people_in(tmp_path) == []

    broker.retained[authority.topics.member("porch")] = rotated.told("porch", node._parts.keys)
    broker.say(node, authority.topics.member("porch"), clock.moment())
    broker.run(node, clock)
    assert node.standing(clock.moment()).state is SyncState.IN_STEP
    assert people_in(tmp_path) == sorted_people(PEOPLE)


def test_the_namespace_may_be_handed_over_while_a_member_is_away(tmp_path, authority, node, clock, broker):
    broker.keep(authority.epoch(1, PEOPLE), authority.topics)
    broker.run(node, clock)
    second, third = AnAuthority("second"), AnAuthority("third")
    chain = (authority.handover(second, 5), second.handover(third, 8))
    broker.keep(third.epoch(9, PEOPLE[:3], handovers=chain), authority.topics)
    broker.say(node, authority.topics.manifest, clock.moment())
    broker.run(node, clock)

    assert node.standing(clock.moment()).epoch == 9
    assert people_in(tmp_path) == sorted_people(PEOPLE[:3])


def test_two_manifests_of_one_epoch_stop_it_with_an_alarm(tmp_path, authority, node, clock, broker):
    broker.keep(authority.epoch(1, PEOPLE), authority.topics)
    broker.run(node, clock)
    broker.keep(authority.epoch(1, PEOPLE[:2]), authority.topics)
    broker.say(node, authority.topics.manifest, clock.moment())
    broker.run(node, clock)

    standing = node.standing(clock.moment())
    assert standing.state is SyncState.SPLIT
    assert "two nodes write" in standing.trouble
    assert people_in(tmp_path) == sorted_people(PEOPLE)


def test_a_node_that_is_put_out_forgets_the_keys_and_keeps_the_people(
    tmp_path, authority, node, clock, broker
):
    broker.keep(authority.epoch(1, PEOPLE), authority.topics)
    broker.run(node, clock)
    broker.retained[authority.topics.member("porch")] = authority.told(
        "porch", node._parts.keys, state="removed", envelope=""
    )
    broker.say(node, authority.topics.member("porch"), clock.moment())
    broker.run(node, clock)

    assert node.standing(clock.moment()).state is SyncState.REMOVED
    assert people_in(tmp_path) == sorted_people(PEOPLE)
    with a_store(tmp_path) as store:
        assert store.connection.execute("SELECT count(*) FROM sync_key").fetchone() == (0,)


def test_a_members_own_change_stays_until_it_is_answered(tmp_path, authority, node, clock, broker):
    broker.keep(authority.epoch(1, PEOPLE), authority.topics)
    broker.run(node, clock)
    with a_store(tmp_path, seed="cli") as store:
        store.rename(PEOPLE[0].id, "Renamed here")
    broker.keep(authority.epoch(2, [a_person(n, faces=2, looks=1) for n in range(12)]), authority.topics)
    broker.say(node, authority.topics.manifest, clock.moment())
    broker.run(node, clock)

    names = {person.id: person.name for person in people_in(tmp_path)}
    assert node.standing(clock.moment()).epoch == 2
    assert names[PEOPLE[0].id] == "Renamed here"
    assert any(topic == authority.topics.proposal("porch") for topic, _ in broker.sent)
