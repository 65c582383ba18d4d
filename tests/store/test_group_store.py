"""Groups on the disk: what the daemon writes down, and what commands do with it."""

import pytest

from builders.groups import DAY_MS, THEN_MS, a_grouped_track, a_track_id, looks_of
from builders.namespaces import MODEL, OTHER_MODEL, START_UTC_MS, HandClock, Ids, a_new_face, raw_bytes
from edged.domain.errors import GroupError, IdentityError
from edged.domain.group import CrowdedOut, UngroupedTrack
from edged.recognition.grouping import KEPT_TRACKS, founded_id
from edged.settings.groups import Groups
from edged.settings.quantities import Duration
from edged.store.fsck import fsck
from edged.store.group_records import GroupRecords
from edged.store.group_store import GroupStore
from edged.store.namespace_files import namespace_path
from edged.store.namespace_snapshots import _TABLES
from edged.store.namespace_store import NamespaceStore


class Home:
    """A namespace as the daemon writes it and as commands see it, each with a connection of its own."""

    def __init__(self, data_dir, **settings):
        self.data_dir = data_dir
        self.clock = HandClock()
        self.records = GroupRecords(data_dir, ["home"], Groups(**settings), self.clock, Ids("daemon"))

    def tell(self, *news):
        self.records.record([("home", one) for one in news])

    def sweep(self):
        while self.records.sweep():
            pass

    def store(self):
        return NamespaceStore.open(namespace_path(self.data_dir, "home"), self.clock, Ids("command"))

    def groups(self):
        with self.store() as store:
            return GroupStore(store).groups()


@pytest.fixture
def home(tmp_path):
    made = Home(tmp_path / "data")
    yield made
    made.records.close()
    path = namespace_path(made.data_dir, "home")
    if path.exists():
        assert [finding for finding in fsck(path) if "copy" not in finding] == []


def group_id(number):
    return founded_id(a_track_id(number), ())


def test_a_track_is_kept_with_its_faces_chips_and_mean(home):
    home.tell(a_grouped_track(1, person=7, faces=3, chips=True))

    with home.store() as store:
        groups = GroupStore(store)
        (group,) = groups.groups()
        faces = groups.faces_of(group, with_chips=True)
        (track,) = groups.means_of(group, MODEL)
    assert (group.id, group.visits, group.tracks, group.faces, group.feeds) == (
        group_id(1),
        1,
        1,
        3,
        ("hall",),
    )
    assert (group.first_seen_ms, group.last_seen_ms) == (THEN_MS, THEN_MS + 1000)
    assert all(face.png for face in faces)
    assert (track.mean == looks_of(7, view=1)).all()
    assert track.effective == 2.0


def test_a_track_that_is_told_again_is_the_same_track(home):
    home.tell(a_grouped_track(1, person=7, faces=1))
    home.tell(a_grouped_track(1, person=7, faces=3), a_grouped_track(1, person=7, faces=2))

    (group,) = home.groups()
    assert (group.tracks, group.faces, group.visits) == (1, 2, 1)


def test_the_faces_of_a_group_are_bounded_and_stay_varied(tmp_path):
    home = Home(tmp_path, max_faces=4)
    for number in range(5):
        home.tell(a_grouped_track(number, 7, group=group_id(0), seen_before=number, at_ms=number * DAY_MS))

    with home.store() as store:
        groups = GroupStore(store)
        (group,) = groups.groups()
        faces = groups.faces_of(group)
    assert (group.visits, group.tracks, group.faces) == (5, 5, 4)
    assert len({face.track for face in faces}) == 4, "of four different days"
    home.records.close()


def test_the_tracks_of_a_group_are_bounded(home):
    for number in range(KEPT_TRACKS + 3):
        home.tell(a_grouped_track(number, 7, group=group_id(0), seen_before=number, faces=1))

    (group,) = home.groups()
    assert (group.tracks, group.visits) == (KEPT_TRACKS, KEPT_TRACKS + 3)


def test_a_track_that_is_known_after_all_leaves_nothing_behind(home):
    home.tell(a_grouped_track(1, 7, chips=True), a_grouped_track(2, 7, group=group_id(1), seen_before=1))
    home.tell(UngroupedTrack(a_track_id(2)))
    assert [(one.tracks, one.visits) for one in home.groups()] == [(1, 1)]

    home.tell(UngroupedTrack(a_track_id(1)), UngroupedTrack(a_track_id(99)))

    assert home.groups() == []


class TestRetention:
    def test_the_oldest_are_deleted_beyond_the_number(self, tmp_path):
        home = Home(tmp_path, max_groups=3)
        for number in range(20):
            home.clock.ms = number
            home.tell(a_grouped_track(number, number))

        home.sweep()

        assert {one.id for one in home.groups()} == {group_id(n) for n in (17, 18, 19)}
        home.records.close()

    def test_what_is_too_old_is_deleted_and_its_bytes_with_it(self, tmp_path):
        home = Home(tmp_path, max_age=Duration(3600))
        home.tell(a_grouped_track(1, 7, chips=True))
        vector = looks_of(7, view=1).tobytes()
        home.records.close()
        assert vector in raw_bytes(tmp_path)
        home.clock.ms = 3_600_001

        home.sweep()

        assert home.groups() == []
        home.records.close()
        assert vector not in raw_bytes(tmp_path)

    def test_age_goes_by_the_daemons_clock_not_by_the_clips(self, home):
        home.tell(a_grouped_track(1, 7, at_ms=-3650 * DAY_MS))

        home.sweep()

        assert len(home.groups()) == 1

    def test_what_made_room_in_memory_is_deleted(self, home):
        home.tell(a_grouped_track(1, 7), CrowdedOut(group_id(1)))

        assert home.groups() == []


class TestCommands:
    @pytest.fixture
    def two(self, home):
        """Two groups: of two tracks, and of one."""
        home.tell(
            a_grouped_track(1, 7, chips=True),
            a_grouped_track(2, 7, group=group_id(1), seen_before=1, at_ms=DAY_MS),
            a_grouped_track(3, 8, at_ms=2 * DAY_MS, feed_id="door"),
        )
        with home.store() as store:
            yield store, GroupStore(store), home

    def test_a_group_is_found_by_its_beginning(self, two):
        _, groups, _ = two

        assert groups.find(group_id(1)[:6]).id == group_id(1)
        with pytest.raises(GroupError, match="no group here"):
            groups.find(group_id(1)[:3])
        with pytest.raises(GroupError, match="no group here"):
            groups.find("nobody")

    def test_naming_makes_a_person_of_the_chosen_faces_and_the_group_is_gone(self, two):
        store, groups, _ = two
        group = groups.find(group_id(1))
        faces = groups.faces_of(group)

        person = groups.enrol(group, [faces[0].number, faces[3].number], name="Eileen", custom_id="e1")

        (one, other) = store.faces_of(person.id, MODEL)
        assert (person.name, person.custom_id, person.faces) == ("Eileen", "e1", 2)
        assert (one.embedding == looks_of(7, view=100)).all()
        assert (one.chip is not None, other.chip is not None) == (True, False)
        assert one.source == f"group {group.id[:8]}, feed hall"
        assert [left.id for left in groups.groups()] == [group_id(3)]
        (change,) = [store.changes_since(0, MODEL)]
        assert [one.identity.id for one in change.changed] == [person.id]

    def test_a_group_can_be_given_to_somebody_enrolled(self, two):
        store, groups, _ = two
        ada = store.add_identity("Ada", [a_new_face(1)])
        group = groups.find(group_id(3))

        person = groups.enrol(group, [groups.faces_of(group)[0].number], into=ada.id)

        assert (person.id, person.faces) == (ada.id, 2)

    def test_a_name_that_cannot_be_changes_nothing(self, two):
        store, groups, _ = two
        store.add_identity("Ada", [a_new_face(1)], custom_id="taken")

        with pytest.raises(IdentityError):
            groups.enrol(groups.find(group_id(3)), [], name="Bob", custom_id="taken")

        assert len(groups.groups()) == 2
        assert [person.name for person in store.identities()] == ["Ada"]

    def test_merging_keeps_the_first_id_and_everything_that_is_known(self, two):
        _, groups, _ = two

        merged = groups.merge([groups.find(group_id(3)), groups.find(group_id(1))])

        assert (merged.id, merged.tracks, merged.visits) == (group_id(3), 3, 3)
        assert merged.feeds == ("door", "hall")
        assert (merged.first_seen_ms, merged.last_seen_ms) == (THEN_MS, THEN_MS + 2 * DAY_MS + 1000)

    def test_splitting_moves_tracks_to_a_group_of_their_own(self, two):
        _, groups, _ = two

        made = groups.split_off(groups.find(group_id(1)), [a_track_id(2)])

        assert (made.id, made.tracks, made.visits) == (group_id(2), 1, 1)
        left = groups.find(group_id(1))
        assert (left.tracks, left.visits) == (1, 1)
        with pytest.raises(GroupError, match="neither none nor all"):
            groups.split_off(left, [a_track_id(1)])

    def test_what_was_merged_can_be_split_off_with_its_old_id(self, two):
        _, groups, _ = two
        groups.merge([groups.find(group_id(1)), groups.find(group_id(3))])

        made = groups.split_off(groups.find(group_id(1)), [a_track_id(3)])

        assert made.id == group_id(3)

    def test_forgetting_deletes_the_bytes(self, two):
        store, groups, home = two
        vector = looks_of(7, view=1).tobytes()
        home.records.close()

        assert groups.forget([groups.find(group_id(1))]) == ()

        store.close()
        assert vector not in raw_bytes(home.data_dir)

    def test_a_group_that_is_gone_by_now_is_told(self, two):
        _, groups, home = two
        group = groups.find(group_id(1))
        home.tell(CrowdedOut(group.id))

        with pytest.raises(GroupError, match="is gone by now"):
            groups.merge([group, groups.find(group_id(3))])


class TestNewsOnTheWay:
    """A command changes a group of which the daemon still has something to write down."""

    def test_of_a_forgotten_group_nothing_comes_back(self, home):
        home.tell(a_grouped_track(1, 7))
        with home.store() as store:
            groups = GroupStore(store)
            groups.forget(groups.groups())

        home.tell(a_grouped_track(1, 7), a_grouped_track(2, 7, group=group_id(1)))

        assert home.groups() == []

    def test_of_a_merged_group_everything_goes_to_its_heir(self, home):
        home.tell(a_grouped_track(1, 7), a_grouped_track(2, 8), a_grouped_track(3, 9))
        with home.store() as store:
            groups = GroupStore(store)
            groups.merge([groups.find(group_id(2)), groups.find(group_id(1))])
            groups.merge([groups.find(group_id(3)), groups.find(group_id(2))])

        home.tell(a_grouped_track(4, 7, group=group_id(1), seen_before=1))

        assert [(one.id, one.tracks) for one in home.groups()] == [(group_id(3), 4)]

    def test_a_track_that_was_moved_stays_where_it_was_moved_to(self, home):
        home.tell(a_grouped_track(1, 7), a_grouped_track(2, 7, group=group_id(1)))
        with home.store() as store:
            groups = GroupStore(store)
            groups.split_off(groups.find(group_id(1)), [a_track_id(2)])

        home.tell(a_grouped_track(2, 7, group=group_id(1), faces=3))

        assert {one.id: one.faces for one in home.groups()} == {group_id(1): 2, group_id(2): 3}

    def test_of_a_track_that_was_split_off_and_forgotten_nothing_comes_back(self, home):
        home.tell(a_grouped_track(1, 7), a_grouped_track(2, 7, group=group_id(1)))
        with home.store() as store:
            groups = GroupStore(store)
            groups.forget([groups.split_off(groups.find(group_id(1)), [a_track_id(2)])])
            assert groups.changes_since(0, MODEL).lost == (a_track_id(2),)

        home.tell(a_grouped_track(2, 7, group=group_id(1)))

        assert [(one.id, one.tracks) for one in home.groups()] == [(group_id(1), 1)]

    def test_after_a_start_a_replay_may_found_it_again(self, home):
        home.tell(a_grouped_track(1, 7))
        with home.store() as store:
            groups = GroupStore(store)
            groups.forget(groups.groups())

        home.records.begin()
        home.tell(a_grouped_track(1, 7))

        assert len(home.groups()) == 1


class TestAnotherModel:
    def test_faces_with_chips_are_embedded_again_and_their_tracks_have_means(self, home):
        home.tell(a_grouped_track(1, 7, chips=True, faces=2), a_grouped_track(2, 8))
        with home.store() as store:
            groups = GroupStore(store)
            chips = list(groups.chips_without(OTHER_MODEL))
            assert len(chips) == 2
            assert list(groups.chips_without(MODEL)) == []

            groups.add_embeddings(
                OTHER_MODEL, [(face, looks_of(7, view=n)) for n, (face, _) in enumerate(chips)]
            )
            groups.add_embeddings(OTHER_MODEL, [(4711, looks_of(1))])

            assert list(groups.chips_without(OTHER_MODEL)) == []
            (track,) = groups.means_of(groups.find(group_id(1)), OTHER_MODEL)
            (blind,) = groups.means_of(groups.find(group_id(2)), OTHER_MODEL)
            assert track.mean @ looks_of(7) > 0.95
            assert 1 <= track.effective <= 2
            assert blind.mean is None
            change = groups.changes_since(0, OTHER_MODEL)
            assert [one.id for one in change.changed] == [group_id(1)]


class TestChangesSince:
    def test_the_daemons_own_news_are_none_and_commands_are(self, home):
        home.tell(a_grouped_track(1, 7), a_grouped_track(2, 8))
        with home.store() as store:
            groups = GroupStore(store)
            assert groups.changes_since(0, MODEL) is None
            everything = groups.changes_since(-1, MODEL)
            assert {one.id for one in everything.changed} == {group_id(1), group_id(2)}

            groups.merge([groups.find(group_id(1)), groups.find(group_id(2))])
            merged = groups.changes_since(0, MODEL)
            assert [one.id for one in merged.changed] == [group_id(1)]
            assert merged.gone == ((group_id(2), group_id(1)),)
            assert not merged.is_whole

            groups.forget(groups.groups())
            forgotten = groups.changes_since(merged.revision, MODEL)
            assert forgotten.changed == ()
            assert dict(forgotten.gone) == {group_id(1): None, group_id(2): None}
            assert groups.changes_since(forgotten.revision + 5, MODEL).is_whole, "the file was exchanged"


def test_a_snapshot_holds_the_people_and_no_stranger(home):
    home.tell(a_grouped_track(1, 7, chips=True))
    with home.store() as store:
        ada = store.add_identity("Ada", [a_new_face(1, chip=True)])
        path = store.snapshots.take(store.connection, START_UTC_MS)

        with NamespaceStore.open(path, home.clock, Ids(), read_only=True) as copy:
            assert [person.id for person in copy.identities()] == [ada.id]
            assert GroupStore(copy).groups() == []
            assert copy.ledger == store.ledger
    assert looks_of(7, view=1).tobytes() not in path.read_bytes()


HISTORY = {
    *("job", "job_track", "job_identity", "seen_face", "seen_chip", "seen_embedding"),
    *("picture", "history_volume", "erased_track", "kept_bytes"),
}


def test_every_table_is_either_in_snapshots_or_of_groups_or_of_the_history(home):
    with home.store() as store:
        tables = {
            row[0] for row in store.connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")
        }
    people = {name for name in tables if "group" not in name and not name.startswith("sqlite_")} - HISTORY
    # Pages on their way: whoever is recovered from a snapshot fetches them again.
    people.remove("sync_page")
    assert people == set(_TABLES)
    assert tables > HISTORY
