"""A namespace that goes from one authority to another and back: what was said under the first counts once."""

import msgspec
import pytest

from builders.authorities import SECRET, TOPICS, Broker, found_at, keys_of, parts_of_node
from builders.namespaces import a_new_face
from edged.domain.sync_state import SyncRole, SyncState
from edged.replication.following import MOST_HANDOVERS, Follower, InForce, accepted
from edged.replication.refusal import RefusedError
from edged.replication.statement import StatementKind, signed
from edged.replication.statements import Handover, Succession
from edged.store.database import transaction
from edged.store.sync_founding import keep_succession
from edged.store.sync_members import remove_member
from edged.store.sync_records import membership
from edged.sync.node import Node, engine_of

DAY_MS = 86_400_000


class Realm:
    """`head`, the authority, and the members `door` and `gate`, each as a daemon has it."""

    def __init__(self, folder):
        self.broker = Broker()
        self.stores, self.nodes, self.parts = {}, {}, {}
        for name in ("head", "door", "gate"):
            parts = parts_of_node(folder / name, name, clock=self.broker.clock)
            self.parts[name], self.stores[name] = parts, parts.open_store()
            if name == "head":
                found_at(parts)
            else:
                self.invite(name)
            node = self.nodes[name] = Node("home", lambda parts=parts: parts, engine_of)
            self.broker.connect(node)
            self.broker.run(8)

    def invite(self, name):
        with transaction(self.stores[name].connection) as connection:
            connection.execute(
                "INSERT INTO sync_membership (only_row, role, node, authority, invitation,"
                " invitation_expires_ms, since_ms) VALUES (1, 'joining', ?, ?, ?, ?, 1)",
                (name, keys_of("head").authority.public, SECRET, self.broker.now.utc_ms + 3_600_000),
            )

    def promote(self, name, by):
        self.want(by, "successor = ?", name)
        self.broker.run(30)
        assert self.role(name) is SyncRole.AUTHORITY
        assert self.role(by) is SyncRole.MEMBER

    def want(self, name, what, *values):
        with transaction(self.stores[name].connection) as connection:
            connection.execute(f"UPDATE sync_membership SET {what}", values)

    def role(self, name):
        return membership(self.stores[name].connection).role

    def names(self, name):
        return sorted(each.name for each in self.stores[name].identities())

    def states(self):
        return {name: node.standing(self.broker.now).state for name, node in self.nodes.items()}

    def close(self):
        for each in (*self.nodes.values(), *self.stores.values()):
            each.close()


@pytest.fixture
def realm(tmp_path):
    made = Realm(tmp_path)
    yield made
    made.close()


def in_step(realm):
    return all(state is SyncState.IN_STEP for state in realm.states().values())


def test_what_an_authority_whose_clock_is_behind_says_counts_with_the_members_of_the_one_before(realm):
    realm.broker.clock.utc_shift_ms -= DAY_MS
    realm.promote("door", by="head")
    realm.want("door", "rotation_wanted = 1")
    realm.broker.run(30)

    assert realm.broker.manifest.key_generation == 2
    assert in_step(realm), realm.states()


def test_a_proposal_of_the_first_reign_played_again_in_the_third_changes_nothing(realm):
    ada = realm.stores["head"].add_identity("Ada", [a_new_face(1)])
    realm.broker.run(8)
    realm.stores["gate"].rename(ada.id, "Ida")
    realm.broker.run(8)
    assert realm.names("head") == ["Ida"]
    old = [each for each in realm.broker.log if each[0] == TOPICS.proposal("gate")]
    realm.stores["head"].rename(ada.id, "Ada")
    realm.broker.run(8)
    realm.promote("door", by="head")
    realm.promote("head", by="door")
    for topic, payload in old:
        realm.broker.publish(topic, payload, is_retained=False)
    realm.broker.run(8)

    assert [realm.names(each) for each in ("head", "door", "gate")] == [["Ada"]] * 3
    assert realm.nodes["head"].standing(realm.broker.now).refused == {"altered": len(old)}
    realm.stores["gate"].rename(ada.id, "Ada Lovelace")
    realm.broker.run(20)
    assert realm.names("head") == ["Ada Lovelace"]


def test_what_an_authority_told_a_node_in_an_earlier_reign_is_over(realm):
    realm.promote("door", by="head")
    with transaction(realm.stores["door"].connection) as connection:
        remove_member(connection, "gate", realm.broker.now.utc_ms)
    log = realm.broker.log
    log.clear()
    realm.broker.run(3)
    (put_out,) = [payload for topic, payload in log if topic == TOPICS.member("gate")][:1]
    assert realm.role("gate") is SyncRole.REMOVED
    # It is let in again, and the namespace goes to and fro.
    with transaction(realm.stores["gate"].connection) as connection:
        connection.execute("UPDATE sync_membership SET role = 'member'")
    with transaction(realm.stores["door"].connection) as connection:
        connection.execute("UPDATE sync_member SET removed_ms = NULL, is_told = 0 WHERE node = 'gate'")
    realm.broker.run(10)
    realm.promote("head", by="door")
    realm.promote("door", by="head")
    realm.broker.publish(TOPICS.member("gate"), put_out)
    realm.broker.run(3)

    assert realm.role("gate") is SyncRole.MEMBER


def test_a_promise_to_a_successor_that_came_to_nothing_is_void(realm):
    broker = realm.broker
    realm.want("head", "successor = ?", "door")
    for _ in range(400):
        broker.turn()
        broker.clock.ms += 10
        told = broker.member("door").succession
        if told is not None:
            break
    assert told is not None
    assert broker.manifest.successor is None
    # Nobody is to follow after all; what `door` was told is kept by whoever wants to use it.
    realm.want("head", "successor = NULL")
    realm.stores["head"].add_identity("Ada", [a_new_face(1)])
    broker.run(8)
    assert realm.role("head") is SyncRole.AUTHORITY
    door, head = keys_of("door").authority, keys_of("head").authority
    usurped = msgspec.structs.replace(
        broker.manifest,
        epoch=broker.manifest.epoch + 1,
        authority=door.public.hex(),
        handovers=(told.handover,),
    )
    gate = Follower("home", head.public, realm.parts["gate"].model_hash)
    believed = InForce(broker.manifest.epoch, "0" * 64)

    with pytest.raises(RefusedError, match="not signed by the authority"):
        accepted(signed(StatementKind.MANIFEST, usurped, door), gate, believed)
    assert in_step(realm)


def test_a_chain_of_handovers_does_not_grow_beyond_what_members_follow(realm):
    head = keys_of("head").authority
    handovers = tuple(
        signed(
            StatementKind.HANDOVER,
            Handover(namespace="home", from_key="0" * 64, to_key="1" * 64, after_epoch=number),
            head,
        ).decode()
        for number in range(MOST_HANDOVERS)
    )
    engine = realm.nodes["head"]._engine
    engine._desk.manifest = msgspec.structs.replace(
        engine._desk.manifest,
        handovers=handovers,
        successor=("head", head.public.hex()),
        authority="0" * 64,
    )
    with transaction(realm.stores["head"].connection) as connection:
        keep_succession(connection, Succession("the last", ()))

    assert engine._handing.handovers() == (*handovers[1:], "the last")
