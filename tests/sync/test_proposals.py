"""What members want changed: from their own rows to the authority's, and back with the next epoch."""

import random
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builders.authorities import Broker
from builders.namespaces import EMBEDDER, MODEL, HandClock, a_new_face
from builders.sync_sites import Site
from edged.domain.errors import InputError
from edged.replication.statement import StatementKind, taken_apart
from edged.replication.statements import ANSWERS_KEPT, Proposal
from edged.store.database import transaction
from edged.store.history_enrolment import merge_identity
from edged.store.sync_decisions import accept, refuse, waiting_proposals
from edged.store.sync_records import membership
from edged.sync.participant import Connection


class LossyBroker(Broker):
    """Loses, doubles and reorders proposals, for as long as it is told to; the rest comes as it should."""

    def __init__(self, clock: HandClock) -> None:
        super().__init__(clock)
        self.chance: random.Random | None = None
        self.held: list[tuple[str, bytes]] = []

    def publish(self, topic: str, payload: bytes, *, is_retained: bool = True) -> None:
        if self.chance is None or not topic.endswith("/proposal"):
            super().publish(topic, payload, is_retained=is_retained)
            return
        what = self.chance.choice(["lost", "twice", "later", "whole"])
        if what in {"twice", "later"}:
            self.held.append((topic, payload))
        if what in {"twice", "whole"}:
            super().publish(topic, payload, is_retained=False)

    def let_go(self) -> None:
        """What was held comes now, out of order."""
        assert self.chance is not None
        self.chance.shuffle(self.held)
        for topic, payload in self.held:
            super().publish(topic, payload, is_retained=False)
        self.held.clear()


class LossySite(Site):
    """An authority and a member that was invited, and a broker that may lose what the member proposes."""

    broker_type = LossyBroker

    def is_settled(self) -> bool:
        left = self.door.connection.execute(
            "SELECT (SELECT count(*) FROM sync_change) + (SELECT count(*) FROM sync_withheld)"
        ).fetchone()[0]
        return left == 0 and self.content("head") == self.content("door")


@pytest.fixture
def site(tmp_path):
    made = LossySite(tmp_path)
    yield made
    made.stop()


def keep_from(site: LossySite, is_kept_back) -> list[tuple[str, bytes]]:
    """Have proposals that meet a condition not come; returns where they go."""
    kept: list[tuple[str, bytes]] = []
    publish = site.broker.publish

    def broken(topic: str, payload: bytes, *, is_retained: bool = True) -> None:
        if topic.endswith("/proposal") and is_kept_back(payload):
            kept.append((topic, payload))
        else:
            publish(topic, payload, is_retained=is_retained)

    site.broker.publish = broken
    return kept


def number_of(payload: bytes) -> int:
    return taken_apart(StatementKind.PROPOSAL, payload).body(Proposal).number


@pytest.fixture
def asking(tmp_path):
    made = LossySite(tmp_path, proposals="ask")
    yield made
    made.stop()


def test_an_invited_node_becomes_a_member_and_forgets_the_invitation(site) -> None:
    site.head.add_identity("Ada", [a_new_face(1)])
    site.join()
    row = membership(site.door.connection)
    assert row.role == "member"
    assert row.invitation is None
    assert site.names("door") == ["Ada"]


def test_who_was_here_before_the_node_joined_is_proposed(site) -> None:
    site.door.add_identity("Grace", [a_new_face(2)])
    site.join()
    site.broker.run(10)
    assert site.names("head") == ["Grace"]
    assert site.is_settled()


def test_a_person_enrolled_at_a_member_is_everywhere_with_the_next_epoch(site) -> None:
    site.join()
    site.door.add_identity("Ada", [a_new_face(1), a_new_face(2)], custom_id="staff-1")
    assert site.known("door", MODEL) == {"Ada": 2}
    site.broker.run(10)
    assert site.names("head") == ["Ada"]
    assert site.is_settled()


def test_a_removal_is_not_undone_by_an_epoch_that_comes_before_its_answer(site) -> None:
    ada = site.head.add_identity("Ada", [a_new_face(1)])
    site.join()
    site.broker.chance = random.Random(1)
    site.broker.chance.choice = lambda _: "lost"
    site.door.remove([ada.id])
    site.head.rename(ada.id, "Ada L.")
    site.broker.run(10)
    assert site.names("door") == []
    site.broker.chance = None
    site.broker.run(60)
    assert site.names("head") == []
    assert site.is_settled()


def test_a_merge_at_a_member_is_a_merge_everywhere(site) -> None:
    ada = site.head.add_identity("Ada", [a_new_face(1)])
    twin = site.head.add_identity("Ada again", [a_new_face(2)])
    site.join()
    with site.door.change() as (revision, now_ms):
        site.door.touch(ada.id, revision, now_ms)
        merge_identity(site.door, twin.id, ada.id, revision, now_ms)
    site.broker.run(20)
    assert site.names("head") == ["Ada"]
    assert site.head.get(ada.id).faces == 2
    assert site.is_settled()


def test_a_custom_id_that_somebody_else_has_is_refused_and_taken_back(site) -> None:
    site.join()
    site.broker.run(5)
    site.broker.disconnect(site.door_engine)
    site.head.add_identity("Ada", [a_new_face(1)], custom_id="1")
    site.door.add_identity("Grace", [a_new_face(2)], custom_id="1")
    site.broker.run(2)
    site.broker.connect(site.door_engine)
    site.broker.run(30)
    assert site.names("door") == ["Ada"]
    assert "taken by somebody else" in site.standing("door").trouble
    assert site.is_settled()


def test_faces_wait_for_the_owner_where_the_authority_asks(asking) -> None:
    ada = asking.head.add_identity("Ada", [a_new_face(1)])
    asking.join()
    asking.door.add_faces(ada.id, [a_new_face(2)])
    assert asking.known("door", MODEL) == {"Ada": 1}
    asking.broker.run(5)
    (waiting,) = waiting_proposals(asking.head.connection)
    assert (waiting.node, waiting.faces) == ("door", 1)
    accept(asking.head, waiting.node, waiting.number, EMBEDDER)
    asking.broker.run(10)
    assert asking.known("door", MODEL) == {"Ada": 2}
    assert asking.is_settled()


def test_what_the_owner_refuses_is_taken_back(asking) -> None:
    asking.join()
    asking.door.add_identity("Mallory", [a_new_face(1)])
    asking.broker.run(5)
    (waiting,) = waiting_proposals(asking.head.connection)
    refuse(asking.head, waiting.node, waiting.number)
    asking.broker.run(10)
    assert asking.names("door") == []
    assert asking.is_settled()
    with pytest.raises(InputError, match="no proposal"):
        refuse(asking.head, waiting.node, waiting.number)


def test_nothing_of_an_erased_person_waits_for_the_owner(asking) -> None:
    ada = asking.head.add_identity("Ada", [a_new_face(1)])
    asking.join()
    asking.door.add_faces(ada.id, [a_new_face(2)])
    asking.broker.run(5)
    assert waiting_proposals(asking.head.connection)
    asking.head.remove([ada.id])
    kept = asking.head.connection.execute("SELECT verdict, wanted FROM sync_proposed").fetchall()
    assert kept == [("refused", None)]
    asking.broker.run(10)
    assert asking.names("door") == []
    assert asking.is_settled()


def test_a_removal_overtakes_what_waits_for_the_owner(asking) -> None:
    asking.join()
    ada = asking.door.add_identity("Ada", [a_new_face(1)])
    asking.broker.run(5)
    asking.door.remove([ada.id])
    asking.broker.run(20)
    waiting = waiting_proposals(asking.head.connection)
    assert [each.parts[-1].remove for each in waiting] == [True]
    vector = np.asarray(a_new_face(1).embedding, "<f4").tobytes()
    rows = asking.head.connection.execute("SELECT wanted FROM sync_proposed WHERE wanted IS NOT NULL")
    assert all(vector not in blob for (blob,) in rows)


def test_an_old_proposal_played_again_changes_nothing(site) -> None:
    site.join()
    ada = site.door.add_identity("Ada", [a_new_face(1)])
    site.broker.run(10)
    sent = [each for each in site.broker.log if each[0].endswith("/proposal")]
    site.door.rename(ada.id, "Ada L.")
    site.broker.run(10)
    for topic, payload in sent:
        site.broker.publish(topic, payload, is_retained=False)
    site.broker.run(5)
    assert site.names("head") == ["Ada L."]
    assert site.is_settled()


def test_what_is_set_to_what_it_is_leaves_both_databases_the_same(site) -> None:
    ada = site.head.add_identity("Ada", [a_new_face(1)], custom_id="a")
    site.join()
    site.clock.ms += 1000
    site.door.rename(ada.id, "Ada")
    site.door.set_custom_id(ada.id, "a")
    site.broker.run(10)

    assert site.is_settled()


def test_a_proposal_that_many_later_ones_overtook_is_made_anew(site) -> None:
    site.join()
    lost: list[int] = []

    def is_first(payload: bytes) -> bool:
        lost[:] = lost or [number_of(payload)]
        return number_of(payload) == lost[0]

    kept = keep_from(site, is_first)
    for number in range(ANSWERS_KEPT + 20):
        site.door.add_identity(f"Person {number:02}", [a_new_face(number)])
    site.broker.run(60)

    assert kept
    assert len(site.names("head")) == ANSWERS_KEPT + 20
    assert site.is_settled()


def test_what_the_authority_did_not_take_is_told_for_an_hour(site) -> None:
    site.head.add_identity("Ada", [a_new_face(1)], custom_id="a")
    site.join()
    site.door.add_identity("Ben", [a_new_face(2)], custom_id="b")
    with transaction(site.head.connection) as connection:
        connection.execute("UPDATE identity SET custom_id = 'b' WHERE custom_id = 'a'")
    site.broker.run(8)
    assert "did not take a change" in site.standing("door").trouble
    site.clock.ms += 3_600_000
    site.broker.run(2)

    assert site.standing("door").trouble == ""


def test_what_the_authority_did_not_take_is_told_until_it_takes_a_later_change(site) -> None:
    site.head.add_identity("Ada", [a_new_face(1)], custom_id="a")
    site.join()
    site.door.add_identity("Ben", [a_new_face(2)], custom_id="b")
    with transaction(site.head.connection) as connection:
        connection.execute("UPDATE identity SET custom_id = 'b' WHERE custom_id = 'a'")
    site.broker.run(8)
    assert "did not take a change" in site.standing("door").trouble
    site.door.add_identity("Cem", [a_new_face(3)])
    site.broker.run(8)

    assert site.standing("door").trouble == ""


def test_a_proposal_that_the_broker_cannot_take_is_not_sent_and_told(site) -> None:
    site.join()
    site.broker.disconnect(site.door_engine)
    site.broker.connect(site.door_engine, Connection(most_payload_bytes=1000))
    kept = keep_from(site, bool)
    site.door.add_identity("Ada", [a_new_face(1)])
    site.broker.run(20)
    assert kept == []
    assert "the broker takes 1000: it stays here" in site.standing("door").trouble
    site.broker.disconnect(site.door_engine)
    site.broker.connect(site.door_engine, Connection(most_payload_bytes=10_000))
    site.broker.run(1)

    assert kept
    assert site.standing("door").trouble == ""


def test_an_answer_to_a_number_that_was_given_twice_is_not_mistaken(site) -> None:
    site.join()
    site.door.add_identity("Ada", [a_new_face(1)])
    site.broker.run(10)
    ((number,),) = site.head.connection.execute("SELECT number FROM sync_proposed").fetchall()
    # As after a snapshot was put back, with a clock that was set back too.
    with transaction(site.door.connection) as connection:
        connection.execute("UPDATE sqlite_sequence SET seq = ? WHERE name = 'sync_proposal'", (number - 1,))
    utc = site.clock.ms
    site.clock.ms = -1_000_000
    site.door.add_identity("Grace", [a_new_face(2)])
    site.clock.ms = utc
    site.broker.clock = _Behind(site.clock)
    site.broker.run(60)
    assert site.names("head") == ["Ada", "Grace"]
    assert site.is_settled()


class _Behind:
    """The same clock, whose idea of the day is long past."""

    def __init__(self, clock: HandClock) -> None:
        self._clock = clock

    @property
    def ms(self) -> int:
        return self._clock.ms

    @ms.setter
    def ms(self, value: int) -> None:
        self._clock.ms = value

    def moment(self):
        present = self._clock.moment()
        return type(present)(present.steady_ms, present.utc_ms - 1_000_000_000)


EDIT = st.tuples(
    st.sampled_from(["head", "door"]),
    st.sampled_from(["add", "rename", "remove", "face", "no face", "custom id", "merge"]),
    st.integers(0, 5),
    st.sampled_from([0, 0, 1, 20]),
)


@settings(max_examples=12, deadline=None)
@given(st.lists(EDIT, min_size=3, max_size=10), st.integers(0, 2**32), st.sampled_from(["auto", "ask"]))
def test_after_everything_came_both_databases_are_the_same(edits, seed, policy) -> None:
    with tempfile.TemporaryDirectory() as folder:
        site = LossySite(Path(folder), proposals=policy)
        try:
            site.head.add_identity("Zero", [a_new_face(100)])
            site.join()
            site.broker.chance = random.Random(seed)
            for step, (where, what, which, turns) in enumerate(edits):
                _edit(site.head if where == "head" else site.door, what, which, step)
                for _ in range(turns):
                    site.broker.turn()
                    site.clock.ms += 250
            site.broker.let_go()
            site.broker.chance = None
            _answer_all(site, random.Random(seed))
            assert site.is_settled(), site.standing("door")
        finally:
            site.stop()


def _answer_all(site: LossySite, chance: random.Random) -> None:
    for _ in range(20):
        site.broker.run(40)
        for each in waiting_proposals(site.head.connection):
            try:
                if chance.random() < 0.6:
                    accept(site.head, each.node, each.number, EMBEDDER)
                else:
                    refuse(site.head, each.node, each.number)
            except InputError as error:
                if "cannot be taken" in str(error):
                    refuse(site.head, each.node, each.number)
        if site.is_settled():
            return


def _edit(store, what: str, which: int, step: int) -> None:
    people = store.identities()
    one = people[which % len(people)] if people else None
    if what == "add" or one is None:
        store.add_identity(f"Person {step}", [a_new_face(step)])
    elif what == "rename":
        store.rename(one.id, f"Renamed {step}")
    elif what == "remove":
        store.remove([one.id])
    elif what == "face":
        store.add_faces(one.id, [a_new_face(step + 50)])
    elif what == "no face" and one.faces:
        with store.change() as (revision, now_ms):
            store.touch(one.id, revision, now_ms)
            store.connection.execute(
                "DELETE FROM face WHERE number IN (SELECT face.number FROM face JOIN identity ON"
                " identity.number = face.identity WHERE identity.id = ? LIMIT 1)",
                (one.id,),
            )
    elif what == "custom id":
        taken = store.connection.execute("SELECT 1 FROM identity WHERE custom_id = ?", (str(which),))
        if taken.fetchone() is None:
            store.set_custom_id(one.id, str(which))
    elif what == "merge" and len(people) > 1:
        heir = people[(which + 1) % len(people)]
        with store.change() as (revision, now_ms):
            store.touch(heir.id, revision, now_ms)
            merge_identity(store, one.id, heir.id, revision, now_ms)
