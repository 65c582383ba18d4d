"""Who wants in and was not invited, or was put out: the authority lets nobody in by another's word."""

import hashlib

import msgspec
import pytest

from builders.authorities import (
    SECRET,
    TOPICS,
    a_join,
    a_proposal,
    a_report,
    keys_of,
)
from builders.hostile import (
    LOW_ORDER,
    PEOPLE,
    a_site,
    a_wanted,
    names_at,
    require_honest_work,
)
from edged.replication.refusal import Refusal
from edged.store.sync_members import members, remove_member


@pytest.fixture
def site(tmp_path):
    broker, authority = a_site(tmp_path)
    yield broker, authority
    authority.close()


@pytest.mark.parametrize("point", LOW_ORDER)
def test_nobody_is_let_in_with_a_key_that_nothing_can_be_sealed_for(site, point):
    broker, authority = site
    broker.publish(TOPICS.join("kitchen"), a_join("kitchen", sealing_key=point.hex()), is_retained=False)
    broker.run(2)

    assert authority.standing(broker.now).refused == {"malformed": 1}
    require_honest_work(broker, authority)


def test_who_was_put_out_does_not_come_in_again_by_the_code_of_others(site):
    broker, authority = site
    with authority._desk.parts.open_store() as store, store.change():
        remove_member(store.connection, "door", broker.now.utc_ms)
    broker.run(2)
    broker.publish(TOPICS.join("door"), a_join("door"), is_retained=False)
    broker.publish(TOPICS.join("kitchen"), a_join("kitchen"), is_retained=False)
    broker.run(2)

    assert members(authority._desk.store.connection) == []
    assert authority.standing(broker.now).refused == {Refusal.LATE: 2}


def test_that_a_member_had_left_once_does_not_put_it_out_when_it_is_back(site):
    broker, authority = site
    left = a_report(broker, "door", has_left=True, at=broker.now.utc_ms + 1)
    broker.publish(TOPICS.report("door"), left, is_retained=False)
    broker.run(2)
    assert members(authority._desk.store.connection) == []
    broker.publish(TOPICS.join("door"), a_join("door"), is_retained=False)
    broker.run(2)
    broker.publish(TOPICS.report("door"), left, is_retained=False)
    broker.run(2)

    assert [each.node for each in members(authority._desk.store.connection)] == ["door"]


HASH = hashlib.sha256(SECRET).hexdigest()
BAD_ASKERS = {
    "who knows the invitation's hash and not its secret": (
        "kitchen",
        a_join("kitchen", secret=b"x" * 16, invitation=HASH),
        "stranger",
    ),
    "who has it, and not the key that it names": ("kitchen", a_join("kitchen", by="mallory"), "unsigned"),
    "another with the name of a member": ("door", a_join("mallory", node="door"), "stranger"),
    "a member with another key to seal for": (
        "door",
        a_join("door", sealing_key=keys_of("mallory").sealing_public.hex()),
        "stranger",
    ),
    "another in the words of a member": ("door", a_join("door", by="mallory"), "unsigned"),
    "another with the authority's name": ("head", a_join("mallory", node="head"), "stranger"),
    "a node of another namespace": ("kitchen", a_join("kitchen", namespace="office"), "other namespace"),
    "who asks on the topic of another": ("kitchen", a_join("mallory"), "stranger"),
}


@pytest.mark.parametrize("name", BAD_ASKERS)
def test_nobody_is_let_in_but_who_was_invited_under_its_own_name(site, name):
    broker, authority = site
    node, payload, refusal = BAD_ASKERS[name]
    told = len([topic for topic, _ in broker.log if topic == TOPICS.member("door")])
    broker.publish(TOPICS.join(node), payload, is_retained=False)
    broker.run(2)

    assert authority.standing(broker.now).refused == {refusal: 1}
    assert len([topic for topic, _ in broker.log if topic == TOPICS.member("door")]) == told
    require_honest_work(broker, authority)


def test_an_invitation_that_has_run_out_lets_nobody_in(site):
    broker, authority = site
    broker.clock.ms += 3_600_000
    broker.publish(TOPICS.join("kitchen"), a_join("kitchen"), is_retained=False)
    broker.run(2)

    assert authority.standing(broker.now).refused == {"late": 1}
    require_honest_work(broker, authority)


def test_who_was_put_out_is_heard_no_more(site):
    broker, authority = site
    with authority._desk.parts.open_store() as store, store.change():
        remove_member(store.connection, "door", broker.now.utc_ms)
    content = a_proposal(broker, "door", msgspec.msgpack.encode(a_wanted()))
    broker.publish(TOPICS.proposal("door"), content, is_retained=False)
    broker.publish(TOPICS.report("door"), a_report(broker, "door"), is_retained=False)
    broker.run(2)

    assert authority.standing(broker.now).refused == {"stranger": 2}
    assert names_at(authority) == PEOPLE
