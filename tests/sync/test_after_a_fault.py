"""What goes on, and what does not, once a database was locked or its disk full for a while."""

import logging
from dataclasses import replace

import pytest

from builders.groups import looks_of
from builders.model_changes import MeanColours
from builders.namespaces import EMBEDDER, MODEL, OTHER_EMBEDDER, a_new_face, random_chip
from builders.setbacks import Hindrance, Locked
from builders.sharing import House, neighbours
from builders.sync_sites import Looks, Site
from edged.app import sync_commands
from edged.domain.identity import NewFace
from edged.domain.sync_state import SyncRole, SyncState
from edged.replication.shared_groups import SharedFate, SharedGroups, id_bytes
from edged.store import sync_groups as rows
from edged.store.namespace_chips import embedding_to_bytes
from edged.store.namespace_files import namespace_path
from edged.store.sync_records import envelopes
from edged.sync.member import Member

POSTMAN = 7


class Pair:
    """An authority, `front`, and a member, `back`, whose database fails where and when a test says so."""

    def __init__(self, front: House, back: House) -> None:
        self.front, self.back = front, back
        self.broker = self.front.broker
        self.chosen = ""
        path = namespace_path(self.back.folder, "home")
        self.hindrance = Hindrance(Locked(path), lambda point, _: point == self.chosen)
        opened = self.hindrance.opening(self.back.parts.open_store)
        self.back.parts = replace(self.back.parts, open_store=opened)
        self.back.go_offline()
        self.back.node.close()
        self.back.go_online()
        self.broker.run(10)

    def fail_at(self, point: str) -> None:
        """Have the database be locked when it is about to be written to there."""
        self.chosen = point

    def heal(self) -> None:
        self.chosen = ""
        self.hindrance.end()


@pytest.fixture
def pair(tmp_path):
    with neighbours(tmp_path, "front", "back", gather=0, alive_every=5, report_every=5) as made:
        pair = Pair(*made)
        yield pair
        pair.hindrance.end()


def test_own_changes_are_proposed_though_no_epoch_came_since(pair):
    pair.hindrance.begin()
    pair.broker.run(12)
    assert pair.back.standing.state is SyncState.FAULTY
    pair.heal()
    pair.broker.run(30)
    assert pair.back.standing.state is SyncState.IN_STEP
    with pair.back.eyes.store() as store:
        store.add_identity("Own", [a_new_face(1)])
    pair.broker.run(10)
    assert pair.front.people() == ["Own"]


def test_nothing_is_asked_for_while_the_database_is_left_alone(pair):
    pair.hindrance.begin()
    pair.broker.run(6)
    assert pair.back.standing.state is SyncState.FAULTY
    asked = 0
    for _ in range(20):
        # What comes at once because it was asked for cannot be taken, and was asked for again and again.
        again = pair.back.node.asks_again()
        asked += len(again)
        for topic in again:
            pair.back.node.arrived(topic, pair.broker.retained.get(topic, b""), pair.broker.now)
        pair.back.node.turn(pair.broker.now)
    assert asked <= 3


def test_attempts_become_rarer_and_one_line_says_what_is_wrong_and_what_to_do(pair, caplog):
    pair.hindrance.begin()
    with caplog.at_level(logging.ERROR):
        pair.broker.run(180)
    # By the role and by what shares groups. With rests of 5 s it would be 36 each, and as many lines.
    assert pair.hindrance.openings <= 2 * 9
    (line,) = [each.getMessage() for each in caplog.records if "not synced" in each.getMessage()]
    assert "home.db is locked" in line
    assert "fuser" in line
    standing = pair.back.standing
    assert (standing.state, standing.epoch) == (SyncState.FAULTY, pair.front.standing.epoch)
    pair.heal()
    pair.broker.run(45)
    assert (pair.back.standing.state, pair.back.standing.trouble) == (SyncState.IN_STEP, "")


def test_the_authority_hears_of_a_member_whose_database_is_faulty(pair):
    pair.hindrance.begin()
    pair.broker.run(12)
    (lag,) = pair.front.node.lags(pair.broker.now)
    assert (lag.node, lag.state) == ("back", "faulty")
    pair.heal()
    pair.broker.run(30)
    (lag,) = pair.front.node.lags(pair.broker.now)
    assert lag.state == "in step"


def test_an_authority_whose_database_fails_keeps_saying_which_epoch_is_in_force(tmp_path):
    with neighbours(tmp_path, "front", gather=0) as (front,):
        hindrance = Hindrance(Locked(namespace_path(front.folder, "home")), lambda _, __: False)
        front.parts = replace(front.parts, open_store=hindrance.opening(front.parts.open_store))
        front.go_offline()
        front.node.close()
        front.go_online()
        front.broker.run(5)
        with front.eyes.store() as store:
            store.add_identity("Ada", [a_new_face(1)])
        hindrance.begin()
        front.broker.run(10)
        assert (front.standing.state, front.standing.epoch) == (SyncState.FAULTY, 1)
        hindrance.end()
        front.broker.run(30)
        assert (front.standing.state, front.standing.epoch) == (SyncState.IN_STEP, 2)


def test_a_new_authority_that_cannot_publish_for_a_while_is_still_followed(pair):
    with pair.front.eyes.store() as store:
        sync_commands.promote(pair.front.place(store), "back")
    pair.fail_at("sync_publishing.write_next_epoch")
    pair.broker.run(60)
    # Its members say meanwhile that they follow the authority of before.
    assert (pair.back.standing.role, pair.back.standing.state) == (SyncRole.AUTHORITY, SyncState.FAULTY)
    pair.heal()
    pair.broker.run(60)
    for house in (pair.front, pair.back):
        assert (house.standing.state, house.standing.epoch) == (SyncState.IN_STEP, 3)


@pytest.mark.parametrize("point", ["sync_groups.fates_due", "sync_groups.next_word_ms"])
def test_that_a_group_is_forgotten_is_told_once_it_can_be(pair, point):
    group = pair.back.eyes.see(1, POSTMAN).group_id
    pair.broker.run(20)
    pair.front.eyes.see(2, POSTMAN)
    pair.broker.run(20)
    pair.fail_at(point)
    pair.back.eyes.forget(group)
    pair.broker.run(3)
    assert pair.back.standing.trouble
    # Once more, with a connection that was just opened, as those after it are.
    pair.hindrance.end()
    pair.broker.run(6)
    assert pair.hindrance.failed == [point, point]
    pair.heal()
    pair.broker.run(30)
    assert (pair.front.eyes.ids(), pair.back.eyes.ids()) == ([], [])


def test_who_is_seen_while_the_database_is_left_alone_is_shared_afterwards(pair):
    pair.back.eyes.see(1, POSTMAN)
    pair.broker.run(20)
    pair.hindrance.begin()
    pair.broker.run(8)
    pair.heal()
    # It is not opened again yet.
    second = pair.back.eyes.see(2, POSTMAN + 1).group_id
    pair.broker.run(40)
    assert second in {group for _, group in pair.front.eyes.elsewhere()}


def test_log_traces_of_a_group_that_was_forgotten_before_a_kill_are_cleared_by_the_next_start(pair):
    back = pair.back
    group = back.eyes.see(1, POSTMAN).group_id
    pair.broker.run(20)
    back.go_offline()
    back.node.close()
    # Until here a run came that was killed.
    fate = SharedFate(id_bytes(group), "forgotten", None, pair.broker.now.utc_ms)
    word = SharedGroups(at_ms=pair.broker.now.utc_ms, model=MODEL, groups=(), fates=(fate,))
    with back.eyes.store() as store:
        store.connection.execute("PRAGMA wal_autocheckpoint = 0")
        rows.take_in(store.connection, "attic", word, 1, now_ms=pair.broker.now.utc_ms, before_ms=0)
    log = namespace_path(back.folder, "home").with_name("home.db-wal")
    mean = embedding_to_bytes(looks_of(POSTMAN, view=1))
    assert mean in log.read_bytes()
    back.go_online()
    pair.broker.run(3)
    assert back.eyes.ids() == []
    assert mean not in log.read_bytes()


def test_what_is_due_after_an_epoch_is_done_though_the_database_fails_right_after_it(tmp_path):
    asked: list[int] = []
    looks = Looks(OTHER_EMBEDDER, lambda store: asked.append(len(store.identities())))
    site = Site(tmp_path, Looks(EMBEDDER), looks, chips=True)
    site.head.add_identity("Ada", [a_face_with_a_crop(1)])
    site.join()
    site.broker.disconnect(site.door_engine)
    site.door_engine.close()
    hindrance = Hindrance(
        Locked(site.path("door")), lambda point, passed: point == "sync_following.settle_keys" and not passed
    )
    parts = site.parts("door")
    site.door_engine = Member(replace(parts, open_store=hindrance.opening(parts.open_store)))
    site.broker.connect(site.door_engine)
    site.broker.run(5)
    asked.clear()

    site.head.add_identity("Ben", [a_face_with_a_crop(2)])
    site.head.connection.execute("UPDATE sync_membership SET rotation_wanted = 1")
    site.broker.run(4)
    assert hindrance.is_on
    assert site.names("door") == ["Ada", "Ben"]
    assert asked == [2]
    hindrance.end()
    site.broker.run(20)
    assert site.standing("door").state is SyncState.IN_STEP
    assert list(envelopes(site.door.connection)) == [2]
    site.stop()


def a_face_with_a_crop(number: int) -> NewFace:
    chip = random_chip(number)
    return NewFace(MODEL, MeanColours(MODEL).embed(chip), chip, 0.75, "portrait.jpg")
