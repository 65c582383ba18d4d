"""An authority and an honest broker: what is in the database is what members read."""

import pytest

from builders.authorities import (
    SECRET,
    TOPICS,
    Broker,
    a_join,
    a_report,
    an_authority,
    found_at,
    keys_of,
    parts_of_node,
)
from builders.namespaces import a_new_face
from edged.domain.sync_state import SyncRole, SyncState
from edged.replication.following import heir_of
from edged.replication.keys import envelope_place, seal_envelope
from edged.replication.statement import StatementKind, taken_apart
from edged.replication.statements import Alive
from edged.store.database import transaction
from edged.store.sync_founding import keep_succession, take_over
from edged.store.sync_members import member, members, remove_member
from edged.store.sync_pages import retire
from edged.store.sync_records import (
    EpochRecord,
    envelopes,
    epoch_record,
    membership,
    write_envelope,
    write_epoch,
)
from edged.sync.authority import Authority
from edged.sync.outgoing import WINDOW
from edged.sync.participant import Connection


@pytest.fixture
def broker():
    return Broker()


@pytest.fixture
def authority(tmp_path, broker):
    started = an_authority(tmp_path, broker)
    yield started
    started.close()


@pytest.fixture
def store(authority):
    with authority._desk.parts.open_store() as opened:
        yield opened


def enrol(store, *names):
    return [store.add_identity(name, [a_new_face(number)]) for number, name in enumerate(names)]


def let_in(broker, *nodes):
    broker.turn()
    for node in nodes:
        broker.publish(TOPICS.join(node), a_join(node), is_retained=False)
    broker.run(2)


def pages_in(log):
    return [topic for topic, payload in log if TOPICS.page_of(topic) and payload]


def test_who_is_enrolled_is_in_the_pages_that_the_manifest_lists(authority, store, broker):
    enrol(store, "Ada", "Ben")
    broker.run(4)

    assert broker.names("head") == ["Ada", "Ben"]
    assert broker.manifest.identities == 2
    assert authority.standing(broker.now).state is SyncState.IN_STEP


def test_the_manifest_goes_out_when_every_page_is_there_and_then_the_word_that_it_is_in_force(store, broker):
    enrol(store, "Ada")
    broker.run(4)
    kinds = [topic.split("/")[3] for topic, _ in broker.log]

    assert kinds[:4] == ["member", "page", "manifest", "alive"]
    alive = taken_apart(StatementKind.ALIVE, broker.retained[TOPICS.alive]).body(Alive)
    assert alive.epoch == broker.manifest.epoch


def test_one_changed_person_among_many_moves_one_page(store, broker):
    with store.change() as (revision, now_ms):
        for number in range(2000):
            store.insert_identity(f"Person {number}", "x" * 200 + str(number), revision, now_ms)
    broker.run(20)
    assert broker.manifest.buckets == 16
    someone = store.identities()[700]
    broker.log.clear()
    before = {entry.sha256 for entry in broker.manifest.pages}
    store.rename(someone.id, "Somebody else")
    broker.run(3)

    assert len(pages_in(broker.log)) == 1
    assert len({entry.sha256 for entry in broker.manifest.pages} - before) == 1
    assert "Somebody else" in broker.names("head")


def test_changes_are_gathered_into_one_epoch(store, broker):
    broker.run(3)
    first = broker.manifest.epoch
    for name in ("Ada", "Ben", "Cem"):
        enrol(store, name)
        broker.turn()
    broker.run(3)

    assert broker.manifest.epoch == first + 1
    assert broker.names("head") == ["Ada", "Ben", "Cem"]


def test_nothing_is_published_again_at_a_restart_where_the_broker_has_it(tmp_path, authority, store, broker):
    enrol(store, "Ada")
    broker.run(4)
    epoch = broker.manifest.epoch
    broker.disconnect(authority)
    broker.log.clear()
    again = Authority(parts_of_node(tmp_path, run="2", clock=broker.clock))
    broker.connect(again)
    broker.run(3)
    again.close()

    assert broker.manifest.epoch == epoch
    assert not pages_in(broker.log)
    assert TOPICS.manifest not in [topic for topic, _ in broker.log]


def test_a_broker_that_lost_everything_gets_everything_again(authority, store, broker):
    enrol(store, "Ada")
    let_in(broker, "door")
    broker.run(4)
    payload = broker.retained[TOPICS.manifest]
    broker.disconnect(authority)
    broker.retained.clear()
    broker.connect(authority)
    broker.run(4)

    assert broker.retained[TOPICS.manifest] == payload
    assert broker.names("door") == ["Ada"]


def test_no_more_letters_are_under_way_than_the_window_holds(authority, store, broker):
    with store.change() as (revision, now_ms):
        for number in range(3000):
            store.insert_identity(f"Person {number}", "x" * 200 + str(number), revision, now_ms)
    broker.clock.ms += 2000
    (to_itself,) = authority.turn(broker.now)
    authority.acknowledged(to_itself.ticket, broker.now)
    sent = []
    for _ in range(20):
        broker.clock.ms += 500
        sent.append(len(list(authority.turn(broker.now))))

    assert sum(sent) == WINDOW


def test_a_node_with_the_invitation_is_let_in_and_can_read(store, broker):
    enrol(store, "Ada")
    let_in(broker, "door")
    broker.run(3)

    assert [each.node for each in members(store.connection)] == ["door"]
    assert broker.names("door") == ["Ada"]


@pytest.mark.parametrize("topic_node", ["door", "window"])
def test_a_node_without_the_secret_or_on_the_topic_of_another_is_not_let_in(
    authority, store, broker, topic_node
):
    secret = SECRET if topic_node == "window" else bytes(16)
    broker.publish(TOPICS.join(topic_node), a_join("door", secret=secret), is_retained=False)
    broker.turn()
    broker.publish(TOPICS.join(topic_node), a_join("door", secret=secret), is_retained=False)
    broker.run(2)

    assert members(store.connection) == []
    assert sum(authority.standing(broker.now).refused.values()) >= 1


def test_reports_are_kept_and_say_who_is_behind(authority, store, broker):
    let_in(broker, "door", "gate")
    broker.publish(TOPICS.report("door"), a_report(broker, "door"))
    broker.run(1)
    standing = authority.standing(broker.now)

    assert (standing.members, standing.members_behind) == (2, 1)
    assert member(store.connection, "door").epoch == broker.manifest.epoch


def test_a_report_of_a_stranger_counts_for_nothing(authority, store, broker):
    let_in(broker, "door")
    broker.publish(TOPICS.report("door"), a_report(broker, "door").replace(b"in step", b"out of"))
    broker.publish(TOPICS.report("gate"), a_report(broker, "gate"))
    broker.run(1)

    assert authority.standing(broker.now).refused == {"unsigned": 1, "stranger": 1}
    assert member(store.connection, "door").epoch == 0


def test_a_page_that_a_member_does_not_get_is_published_again_but_not_all_the_time(store, broker):
    enrol(store, "Ada")
    let_in(broker, "door")
    broker.run(3)
    name = broker.manifest.pages[0].sha256
    broker.clock.ms += 20_000
    broker.log.clear()
    for _ in range(4):
        broker.clock.ms += 500
        broker.publish(TOPICS.report("door"), a_report(broker, "door", missing=(name,)))
        broker.turn()

    assert pages_in(broker.log) == [TOPICS.page(name)]


def test_pages_that_nobody_needs_any_more_are_cleared_after_the_grace(store, broker):
    (ada,) = enrol(store, "Ada")
    broker.run(4)
    old = TOPICS.page(broker.manifest.pages[0].sha256)
    store.rename(ada.id, "Ada L.")
    broker.run(4)
    assert old in broker.retained
    broker.clock.ms += 601_000
    broker.run(2)

    assert old not in broker.retained
    assert broker.names("head") == ["Ada L."]


def test_rotation_shuts_out_who_was_put_out_and_forgets_the_old_key(store, broker):
    enrol(store, "Ada")
    let_in(broker, "door", "gate")
    broker.run(3)
    old_key = broker.key_for("gate")
    with transaction(store.connection):
        assert remove_member(store.connection, "gate", broker.now.utc_ms)
    broker.run(4)

    assert broker.manifest.key_generation == old_key.generation + 1
    assert list(envelopes(store.connection)) == [old_key.generation + 1]
    assert broker.names("door") == ["Ada"]
    assert broker.member("gate").state == "removed"
    assert broker.member("gate").envelope == ""


def test_the_key_changes_by_itself_once_everybody_confirmed_an_erasure(tmp_path, broker):
    authority = an_authority(tmp_path, broker, rotate_every=60)
    with parts_of_node(tmp_path, run="hand", clock=broker.clock).open_store() as store:
        ada, _ = enrol(store, "Ada", "Ben")
        let_in(broker, "door")
        broker.run(4)
        store.remove([ada.id])
        broker.clock.ms += 60_000
        broker.run(8)
        assert broker.manifest.key_generation == 1
        assert broker.manifest.erased_epoch == broker.manifest.epoch
        broker.publish(TOPICS.report("door"), a_report(broker, "door"))
        broker.run(8)

    assert broker.manifest.key_generation == 2
    assert broker.names("door") == ["Ben"]
    authority.close()


def test_two_writers_with_one_key_are_noticed_and_both_stop(tmp_path, broker):
    writers = []
    for place in ("one", "two"):
        parts = parts_of_node(tmp_path / place, run=place, clock=broker.clock)
        found_at(parts)
        with parts.open_store() as store:
            enrol(store, place)
        writers.append(Authority(parts))
    for writer in writers:
        broker.connect(writer)
    broker.run(6)
    standings = [writer.standing(broker.now) for writer in writers]

    assert SyncState.SPLIT in [each.state for each in standings]
    assert all(
        "another node publishes" in each.trouble for each in standings if each.state is SyncState.SPLIT
    )
    for writer in writers:
        writer.close()


def test_a_page_that_the_connection_does_not_take_is_told_with_the_remedy(tmp_path, broker):
    parts = parts_of_node(tmp_path, clock=broker.clock)
    found_at(parts)
    with parts.open_store() as store:
        enrol(store, *(str(number) for number in range(20)))
    authority = Authority(parts)
    broker.connect(authority, Connection(most_payload_bytes=4000))
    broker.run(4)

    assert "`sync.pages: mirror`" in authority.standing(broker.now).trouble
    assert TOPICS.manifest not in broker.retained
    authority.close()


def test_a_mirror_alone_gets_the_pages_where_that_is_wished(tmp_path, broker):
    authority = an_authority(tmp_path, broker, pages="mirror")
    broker.run(4)

    assert broker.manifest.pages
    assert not pages_in(broker.log)
    authority.close()


def test_a_manifest_that_somebody_wrote_over_is_published_again(authority, store, broker):
    enrol(store, "Ada")
    broker.run(4)
    payload = broker.retained[TOPICS.manifest]
    broker.clock.ms += 20_000
    broker.publish(TOPICS.manifest, b"junk")
    broker.run(1)

    assert broker.retained[TOPICS.manifest] == payload
    assert authority.standing(broker.now).refused == {"unsigned": 1}


def test_the_namespace_is_handed_to_a_member_that_goes_on_with_all_members(authority, store, broker):
    enrol(store, "Ada")
    let_in(broker, "door", "gate")
    broker.run(3)
    with transaction(store.connection):
        store.connection.execute("UPDATE sync_membership SET successor = 'door'")
    broker.run(2)
    assert "cannot be the authority yet" in authority.standing(broker.now).trouble
    broker.publish(TOPICS.report("door"), a_report(broker, "door"))
    broker.run(3)
    assert broker.manifest.successor is None
    says_that_it_is_ready(broker, "door")
    broker.run(1)

    assert broker.manifest.successor is not None
    assert broker.manifest.successor[0] == "door"
    assert membership(store.connection).role is SyncRole.MEMBER
    assert [node for node, _ in broker.member("door").succession.members] == ["gate", "head"]


def says_that_it_is_ready(broker, node):
    """To be the authority: it keeps what it was told."""
    told_at = broker.member(node).succession.told_at
    broker.publish(TOPICS.report(node), a_report(broker, node, succeeds=told_at))


def test_a_successor_that_does_not_answer_is_not_waited_for(authority, store, broker):
    enrol(store, "Ada")
    let_in(broker, "door")
    broker.run(3)
    broker.publish(TOPICS.report("door"), a_report(broker, "door"))
    with transaction(store.connection):
        store.connection.execute("UPDATE sync_membership SET successor = 'door'")
    broker.run(3)
    promised = broker.manifest.epoch + 1
    assert broker.member("door").succession is not None
    enrol(store, "Ben")
    broker.run(61)

    assert "did not answer" in authority.standing(broker.now).trouble
    assert (membership(store.connection).role, membership(store.connection).successor) == (
        SyncRole.AUTHORITY,
        None,
    )
    # What was promised does not count any more: there is an epoch after it.
    assert broker.manifest.epoch > promised
    assert broker.names("door") == ["Ada", "Ben"]
    assert broker.member("door").succession is None
    broker.run(600)
    assert authority.standing(broker.now).trouble == ""


def test_the_successor_goes_on_and_whoever_believed_the_first_authority_believes_it(tmp_path, broker):
    head = an_authority(tmp_path / "head", broker)
    let_in(broker, "door", "gate")
    broker.run(3)
    broker.publish(TOPICS.report("door"), a_report(broker, "door"))
    with head._desk.parts.open_store() as store, transaction(store.connection):
        store.connection.execute("UPDATE sync_membership SET successor = 'door'")
    broker.run(2)
    says_that_it_is_ready(broker, "door")
    broker.run(1)
    broker.disconnect(head)
    parts = parts_of_node(tmp_path / "door", "door", clock=broker.clock)
    a_member_that_applied(parts, broker)
    with parts.open_store() as store, transaction(store.connection):
        keep_succession(store.connection, broker.member("door").succession)
        assert take_over(store.connection, "home", "door", parts.keys, broker.now.utc_ms)
        assert not take_over(store.connection, "home", "door", parts.keys, broker.now.utc_ms)
    door = Authority(parts)
    broker.connect(door)
    broker.run(4)

    manifest = broker.manifest
    assert manifest.writer == "door"
    assert manifest.epoch == 3
    first = keys_of("head").authority.public
    assert heir_of(first, manifest, "home", 1) == keys_of("door").authority.public
    assert broker.names("gate") == broker.names("head") == []
    for each in (head, door):
        each.close()


def a_member_that_applied(parts, broker):
    """The rows that a member has once it applied what the broker has."""
    key = broker.key_for(parts.node)
    place = envelope_place("home", parts.node, key.generation)
    payload = broker.retained[TOPICS.manifest]
    with parts.open_store() as store, transaction(store.connection) as connection:
        connection.execute(
            "INSERT INTO sync_membership (only_row, role, node, authority, since_ms)"
            " VALUES (1, 'member', ?, ?, 0)",
            (parts.node, keys_of("head").authority.public),
        )
        sealed = seal_envelope(key.secret, parts.keys.sealing_public, place, parts.chance)
        write_envelope(connection, key.generation, sealed)
        now_ms = broker.now.utc_ms
        write_epoch(connection, EpochRecord(broker.manifest.epoch, payload, 0, now_ms, now_ms, 0, 0, 0))


@pytest.mark.usefixtures("authority")
def test_an_epoch_that_members_have_already_is_never_used_again(broker):
    let_in(broker, "door")
    broker.run(3)
    broker.publish(TOPICS.report("door"), a_report(broker, "door", epoch=40))
    broker.run(3)

    assert broker.manifest.epoch == 41


def test_pages_to_be_cleared_are_not_cleared_where_they_are_listed_again(store, broker):
    (ada,) = enrol(store, "Ada")
    broker.run(4)
    with transaction(store.connection):
        retire(store.connection, [broker.manifest.pages[0].sha256], broker.now.utc_ms)
    store.set_custom_id(ada.id, "7")
    broker.run(4)
    assert epoch_record(store.connection).epoch == broker.manifest.epoch
    broker.clock.ms += 601_000
    broker.run(2)

    assert broker.names("head") == ["Ada"]


def test_a_manifest_waits_until_the_broker_has_acknowledged_each_of_its_pages(authority, store, broker):
    enrol(store, "Ada")
    broker.clock.ms += 2000
    (to_itself,) = authority.turn(broker.now)
    authority.acknowledged(to_itself.ticket, broker.now)
    (page,) = authority.turn(broker.now)
    for _ in range(4):
        broker.clock.ms += 500
        assert list(authority.turn(broker.now)) == []
    authority.acknowledged(page.ticket, broker.now)
    (manifest,) = authority.turn(broker.now)

    assert TOPICS.page_of(page.topic)
    assert manifest.topic == TOPICS.manifest
