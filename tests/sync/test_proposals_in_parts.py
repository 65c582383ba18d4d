"""What one member wants of one person and needs several messages for: it waits, and is decided on, as one."""

import pytest

from builders.namespaces import EMBEDDER, a_new_face
from builders.sync_sites import Site
from edged.domain.errors import InputError
from edged.replication.statement import StatementKind, taken_apart
from edged.replication.statements import MOST_WAITING, Proposal
from edged.store.database import transaction
from edged.store.sync_decisions import accept, refuse, waiting_proposals
from edged.sync.authority import Authority

FACES = 8
"""More than one message has room for, with their crops."""


@pytest.fixture
def site(tmp_path):
    made = Site(tmp_path, proposals="ask", chips=True)
    made.join()
    yield made
    made.stop()


def enrol(site, faces=FACES):
    return site.door.add_identity("Ada", [a_new_face(n, chip=True) for n in range(faces)]).id


def everything_of(site):
    """The one proposal that waits."""
    (waiting,) = waiting_proposals(site.head.connection)
    return waiting


def left_at(site):
    return site.door.connection.execute("SELECT count(*) FROM sync_change").fetchone()[0]


def test_many_faces_are_one_proposal_and_one_word_takes_them_all(site):
    enrol(site)
    site.broker.run(10)
    waiting = everything_of(site)
    assert (len(waiting.parts) > 1, waiting.faces) == (True, FACES)
    assert site.standing("head").proposals == site.standing("door").proposals == 1

    accept(site.head, "door", waiting.number, EMBEDDER)
    site.broker.run(10)
    assert (
        site.known("head", EMBEDDER.model_hash) == site.known("door", EMBEDDER.model_hash) == {"Ada": FACES}
    )
    assert (waiting_proposals(site.head.connection), left_at(site)) == ([], 0)


def test_one_word_refuses_them_all(site):
    enrol(site)
    site.broker.run(10)
    refuse(site.head, "door", everything_of(site).number)
    site.broker.run(10)

    assert site.names("door") == []
    assert (waiting_proposals(site.head.connection), left_at(site)) == ([], 0)


def test_nothing_is_taken_that_came_after_the_list_was_looked_at(site):
    ada = enrol(site, 1)
    site.broker.run(5)
    seen = everything_of(site)
    site.door.rename(ada, "Mallory")
    site.broker.run(5)
    assert [part.name for part in everything_of(site).parts] == ["Ada", "Mallory"]

    accept(site.head, "door", seen.number, EMBEDDER)
    assert site.names("head") == ["Ada"]
    refuse(site.head, "door", everything_of(site).number)
    site.broker.run(10)
    assert site.names("door") == site.names("head") == ["Ada"]


def test_with_the_enrolment_of_somebody_all_that_came_after_it_is_refused(site):
    ada = enrol(site, 1)
    site.broker.run(5)
    seen = everything_of(site)
    site.door.rename(ada, "Eve")
    site.broker.run(5)

    refuse(site.head, "door", seen.number)
    assert waiting_proposals(site.head.connection) == []
    site.broker.run(10)
    assert site.names("door") == []


def test_a_part_that_cannot_be_taken_keeps_all_of_them_waiting(site):
    ada = enrol(site, 1)
    site.broker.run(5)
    site.door.set_custom_id(ada, "7")
    site.broker.run(5)
    site.head.add_identity("Ben", [a_new_face(9)], custom_id="7")
    before = everything_of(site)

    with pytest.raises(InputError, match="customId is taken"):
        accept(site.head, "door", before.number, EMBEDDER)
    assert everything_of(site) == before
    assert site.names("head") == ["Ben"]


def test_changes_beyond_so_many_go_together_once_the_others_are_decided(site):
    ada = enrol(site, 1)
    for number in range(20):
        site.door.rename(ada, f"Ada {number}")
        site.broker.run(3)
    waiting = everything_of(site)
    assert 2 < len(waiting.parts) < 15

    accept(site.head, "door", waiting.number, EMBEDDER)
    site.broker.run(10)
    assert [part.name for part in everything_of(site).parts] == ["Ada 19"]


def test_more_people_than_may_wait_are_not_lost(site):
    for number in range(MOST_WAITING + 3):
        site.door.add_identity(f"Person {number:02}", [a_new_face(number)])
    site.broker.run(30)
    assert site.standing("head").proposals == MOST_WAITING
    assert len(site.names("door")) == MOST_WAITING + 3
    for each in waiting_proposals(site.head.connection):
        accept(site.head, "door", each.number, EMBEDDER)
    site.broker.run(30)

    assert site.standing("head").proposals == 3
    assert site.standing("door").trouble == ""


def test_a_later_part_waits_for_the_first_where_the_owner_is_asked_no_more(site):
    ada = enrol(site, 1)
    site.broker.run(5)
    answering_anew(site, proposals="auto")
    site.door.rename(ada, "Ada L.")
    site.broker.run(5)

    waiting = everything_of(site)
    assert [part.name for part in waiting.parts] == ["Ada", "Ada L."]
    accept(site.head, "door", waiting.number, EMBEDDER)
    site.broker.run(10)
    assert site.names("door") == site.names("head") == ["Ada L."]


def test_an_authority_that_was_set_back_gets_no_later_part_without_the_first(site):
    enrol(site)
    site.broker.run(10)
    numbers = [row[0] for row in site.door.connection.execute("SELECT number FROM sync_proposal ORDER BY 1")]
    assert len(numbers) > 1
    answering_anew(site, proposals="auto")
    sent_before = len(sent(site))
    while numbers[0] not in sent(site)[sent_before:]:
        site.broker.run(0.25)
    # Whatever came until now the authority knows nothing of, as after a snapshot was put back.
    with transaction(site.head.connection) as connection:
        connection.execute("DELETE FROM sync_proposed")
    site.broker.run(400)

    assert (
        site.known("head", EMBEDDER.model_hash) == site.known("door", EMBEDDER.model_hash) == {"Ada": FACES}
    )
    assert left_at(site) == 0


def sent(site):
    """The numbers of proposals in the order in which they went out."""
    return [
        taken_apart(StatementKind.PROPOSAL, payload).body(Proposal).number
        for topic, payload in site.broker.log
        if topic.endswith("/proposal")
    ]


def answering_anew(site, **terms):
    """Start the authority anew, with other settings."""
    site.broker.disconnect(site.head_engine)
    site.head_engine.close()
    site.terms = site.terms | terms
    site.head_engine = Authority(site.parts("head"))
    site.broker.connect(site.head_engine)
