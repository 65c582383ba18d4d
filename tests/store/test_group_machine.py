"""Whatever commands do while the daemon groups, its books and the disk end up saying the same."""

import tempfile
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from builders.groups import DAY_MS, a_book, a_track_id, an_unknown, looks_of
from builders.namespaces import MODEL, HandClock, Ids, a_store
from edged.domain.group import CrowdedOut, GroupedTrack, StrangeFace, UngroupedTrack
from edged.settings.groups import Groups
from edged.store.fsck import fsck
from edged.store.group_records import GroupRecords
from edged.store.group_store import GroupStore

MOST_GROUPS = 4
WHICH = st.integers(0, 99)


class GroupMachine(RuleBasedStateMachine):
    """A recogniser with its book, news on their way to the disk, and somebody who types commands."""

    def __init__(self) -> None:
        super().__init__()
        self._folder = tempfile.TemporaryDirectory()
        path = Path(self._folder.name)
        self.clock = HandClock()
        self.records = GroupRecords(
            path, ["home"], Groups(max_groups=MOST_GROUPS), self.clock, Ids("records")
        )
        self.store = a_store(path, seed="command")
        self.groups = GroupStore(self.store)
        self.book = a_book(most_groups=MOST_GROUPS)
        self.revision = -1
        self.on_the_way = []
        self.tracks = 0

    def teardown(self) -> None:
        self.records.close()
        self.store.close()
        assert fsck(self.store.path) == []
        self._folder.cleanup()

    @rule(person=st.integers(0, 5))
    def a_stranger_comes(self, person):
        self.tracks += 1
        self.clock.ms += DAY_MS // 24
        track = an_unknown(self.tracks, person, at_ms=self.tracks * DAY_MS)
        membership, crowded_out = self.book.assign(track)
        self.on_the_way += [CrowdedOut(group_id) for group_id in crowded_out]
        face = StrangeFace(looks_of(person, view=self.tracks), None, 0.5, 0.0, 0.0, track.first_seen_ms)
        self.on_the_way.append(
            GroupedTrack(
                track.id,
                "hall",
                membership,
                track.first_seen_ms,
                track.last_seen_ms,
                MODEL,
                track.mean,
                track.effective,
                (face,),
            )
        )

    @rule(which=WHICH)
    def somebody_is_known_after_all(self, which):
        track_id = a_track_id(1 + which % (self.tracks + 1))
        if self.book.withdraw(track_id):
            self.on_the_way.append(UngroupedTrack(track_id))

    @rule()
    def news_are_written(self):
        self.records.record([("home", one) for one in self.on_the_way])
        self.on_the_way.clear()

    @rule()
    def retention_is_looked_after(self):
        self.records.sweep()

    @rule()
    def the_book_hears_of_changes(self):
        change = self.groups.changes_since(self.revision, MODEL)
        if change is not None:
            self.book.apply(change)
            self.revision = change.revision

    @precondition(lambda self: len(self.groups.groups()) > 1)
    @rule(which=WHICH)
    def two_are_merged(self, which):
        found = self.groups.groups()
        self.groups.merge([found[which % len(found)], found[(which + 1) % len(found)]])

    @precondition(lambda self: any(one.tracks > 1 for one in self.groups.groups()))
    @rule(which=WHICH)
    def one_is_split(self, which):
        several = [one for one in self.groups.groups() if one.tracks > 1]
        group = several[which % len(several)]
        tracks = self.groups.tracks_of(group)
        self.groups.split_off(group, [tracks[which % len(tracks)].id])

    @precondition(lambda self: self.groups.groups())
    @rule(which=WHICH)
    def one_is_forgotten(self, which):
        found = self.groups.groups()
        self.groups.forget([found[which % len(found)]])

    @precondition(lambda self: self.groups.groups())
    @rule(which=WHICH)
    def one_is_named(self, which):
        found = self.groups.groups()
        group = found[which % len(found)]
        self.groups.enrol(group, [self.groups.faces_of(group)[0].number], name="Somebody")

    @rule()
    def when_everything_has_arrived_both_say_the_same(self):
        for _ in range(2):
            self.news_are_written()
            while self.records.sweep():
                pass
            self.the_book_hears_of_changes()
        fresh = a_book(most_groups=MOST_GROUPS)
        fresh.apply(self.groups.changes_since(-1, MODEL))
        for number in range(1, self.tracks + 1):
            mine, disk = (book.membership(a_track_id(number)) for book in (self.book, fresh))
            assert (mine and mine.group_id) == (disk and disk.group_id)

    @invariant()
    def groups_are_bounded(self):
        assert len(self.book) <= MOST_GROUPS


TestGroupMachine = GroupMachine.TestCase
TestGroupMachine.settings = settings(max_examples=40, stateful_step_count=40, deadline=None)
