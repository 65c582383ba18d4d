"""What a member gone bad proposes: nothing that cannot be is kept, and nobody else waits for it."""

import msgspec
import pytest

from builders.authorities import (
    TOPICS,
    a_proposal,
    keys_of,
)
from builders.hostile import (
    BAD_WANTED,
    OTHER_SIZE,
    PEOPLE,
    SOMEBODY,
    a_site,
    a_wanted,
    faces,
    names_at,
    require_honest_work,
)
from builders.namespaces import MODEL, random_chip, random_unit
from edged.domain.identifiers import derived_id
from edged.replication.statement import StatementKind, signed, taken_apart
from edged.replication.statements import MOST_WAITING, Proposal
from edged.store.namespace_chips import chip_to_png

RIGHT_SIZE = random_unit(5).astype("<f4").tobytes()


@pytest.fixture
def site(tmp_path):
    broker, authority = a_site(tmp_path)
    yield broker, authority
    authority.close()


def test_who_proposes_without_end_is_heard_no_more_than_its_share(site):
    broker, authority = site
    content = msgspec.msgpack.encode(a_wanted(created_ms=None))
    for number in range(1, 1001):
        payload = a_proposal(broker, "door", content, number)
        broker.publish(TOPICS.proposal("door"), payload, is_retained=False)
    standing = authority.standing(broker.now)

    assert 700 <= standing.refused["too many"] < 1000
    broker.run(2)
    assert len(broker.member("door").answers) <= 64
    require_honest_work(broker, authority)


def test_a_forged_proposal_takes_nothing_of_a_members_share(site):
    broker, authority = site
    content = msgspec.msgpack.encode(a_wanted())
    forged = a_proposal(broker, "door", content, by="mallory")
    for _ in range(1000):
        broker.publish(TOPICS.proposal("door"), forged, is_retained=False)
    broker.publish(TOPICS.proposal("door"), a_proposal(broker, "door", content), is_retained=False)
    broker.run(3)

    assert names_at(authority) == [*PEOPLE, "Mallory"]
    assert authority.standing(broker.now).refused == {"unsigned": 1000}


@pytest.mark.parametrize("content", BAD_WANTED)
def test_what_can_never_be_is_not_taken_from_a_member_either(site, content):
    broker, authority = site
    broker.publish(TOPICS.proposal("door"), a_proposal(broker, "door", content), is_retained=False)
    broker.run(2)

    refused = authority.standing(broker.now).refused
    answers = [(each.verdict, each.number) for each in broker.member("door").answers]
    assert (refused, answers) in (({"malformed": 1}, []), ({}, [("refused", 1)]))
    assert names_at(authority) == PEOPLE


def test_who_was_erased_does_not_come_back_by_a_proposal(site):
    broker, authority = site
    content = msgspec.msgpack.encode(a_wanted())
    broker.publish(TOPICS.proposal("door"), a_proposal(broker, "door", content), is_retained=False)
    assert names_at(authority) == [*PEOPLE, "Mallory"]
    with authority._desk.parts.open_store() as store:
        store.remove([SOMEBODY])
    broker.publish(TOPICS.proposal("door"), a_proposal(broker, "door", content, 2), is_retained=False)
    broker.run(3)

    require_honest_work(broker, authority)


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"namespace": "office"}, "other namespace"),
        ({"node": "gate"}, "stranger"),
        ({"key_generation": 2}, "no key"),
        ({"number": 2}, "altered"),
        ({"sealed": "no base64!"}, "malformed"),
        ({"sealed": ""}, "altered"),
    ],
)
def test_a_proposal_that_is_not_what_it_says_is_not_opened(site, changes, refusal):
    broker, authority = site
    payload = signed(
        StatementKind.PROPOSAL,
        msgspec.structs.replace(
            taken_apart(
                StatementKind.PROPOSAL, a_proposal(broker, "door", msgspec.msgpack.encode(a_wanted()))
            ).body(Proposal),
            **changes,
        ),
        keys_of("door").node,
    )
    broker.publish(TOPICS.proposal("door"), payload, is_retained=False)

    assert authority.standing(broker.now).refused == {refusal: 1}
    require_honest_work(broker, authority)


@pytest.mark.parametrize("proposals", ["auto", "ask"])
def test_who_comes_first_does_not_say_what_size_all_are_to_have(tmp_path, proposals):
    broker, authority = a_site(tmp_path, people=(), proposals=proposals)
    for number, vector in enumerate((OTHER_SIZE, RIGHT_SIZE), start=1):
        wanted = a_wanted(identity_id=derived_id("new", number), add_faces=faces(vector=vector))
        payload = a_proposal(broker, "door", msgspec.msgpack.encode(wanted), number)
        broker.publish(TOPICS.proposal("door"), payload, is_retained=False)
    broker.run(3)

    answers = [(each.verdict, each.why) for each in broker.member("door").answers]
    taken = {"auto": "accepted", "ask": "waiting"}[proposals]
    assert answers == [("refused", "its embeddings are not of the model's size"), (taken, "")]
    authority.close()


def test_a_vector_of_a_model_that_is_not_the_authoritys_is_not_kept(site):
    broker, authority = site
    content = msgspec.msgpack.encode(
        a_wanted(model="f" * 64, add_faces=faces(png=chip_to_png(random_chip(1)), vector=OTHER_SIZE))
    )
    broker.publish(TOPICS.proposal("door"), a_proposal(broker, "door", content), is_retained=False)

    assert names_at(authority) == [*PEOPLE, "Mallory"]
    connection = authority._desk.store.connection
    assert connection.execute("SELECT DISTINCT model_hash FROM embedding").fetchall() == [(MODEL,)]


def test_a_number_that_was_answered_long_ago_is_not_taken_for_something_else(site):
    broker, authority = site
    for number in range(1, 71):
        content = msgspec.msgpack.encode(a_wanted(created_ms=None))
        payload = a_proposal(broker, "door", content, number)
        broker.publish(TOPICS.proposal("door"), payload, is_retained=False)
    late = a_proposal(broker, "door", msgspec.msgpack.encode(a_wanted()), 1, token="f" * 32)
    broker.publish(TOPICS.proposal("door"), late, is_retained=False)

    assert authority.standing(broker.now).refused == {"old": 1}
    require_honest_work(broker, authority)


def test_no_member_has_more_wait_for_the_owner_than_its_share(tmp_path):
    broker, authority = a_site(tmp_path, proposals="ask")
    for number in range(1, 81):
        wanted = a_wanted(identity_id=derived_id("somebody", number), add_faces=b"")
        payload = a_proposal(broker, "door", msgspec.msgpack.encode(wanted), number)
        broker.publish(TOPICS.proposal("door"), payload, is_retained=False)
    broker.run(2)

    assert authority.standing(broker.now).proposals == MOST_WAITING
    assert len(broker.member("door").answers) == 80
    require_honest_work(broker, authority)
    authority.close()
