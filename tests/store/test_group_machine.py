"""Whatever commands and other nodes do while the daemon groups, its books and the disk say the same."""

import tempfile
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from builders.groups import DAY_MS, a_book, a_track_id, an_unknown, looks_of
from builders.namespaces import MODEL, HandClock, Ids, a_store
from builders.syncs import an_epoch
from edged.domain.group import CrowdedOut, GroupedTrack, StrangeFace, UngroupedTrack
from edged.domain.identifiers import derived_id
from edged.replication.shared_groups import SharedFate, SharedGroup, SharedGroups, half_of, id_bytes
from edged.settings.groups import Groups
from edged.store.fsck import fsck
from edged.store.group_records import GroupRecords
from edged.store.group_store import GroupStore
from edged.store.sync_groups import begin_sharing, fates_due, settle, take_back, take_in

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
        an_epoch(self.store)
        begin_sharing(self.store.connection)
        self.groups = GroupStore(self.store)
        self.book = a_book(most_groups=MOST_GROUPS)
        self.revision = -1
        self.on_the_way = []
        self.tracks = 0
        self.words = 0

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
    def a_group_may_be_one_elsewhere(self, which):
        same = self.book.same_elsewhere(a_track_id(1 + which % (self.tracks + 1)))
        if same is not None:
            self.on_the_way.append(same)

    def _an_id(self, which):
        """Of a group that is here, or of one that another node could have founded."""
        known = [one.id for one in self.groups.groups()]
        return [*known, *(derived_id("elsewhere", number) for number in range(4))][which % (len(known) + 4)]

    @rule(people=st.dictionaries(WHICH, st.integers(0, 5), max_size=3), node=st.sampled_from(["a", "b"]))
    def another_node_shares(self, people, node):
        self.words += 1
        now_ms = self.store.now_ms + self.words
        seen_ms = self.clock.moment().utc_ms
        groups = {
            self._an_id(which): SharedGroup(
                id_bytes(self._an_id(which)),
                seen_ms - which * DAY_MS,
                seen_ms,
                1 + which,
                now_ms,
                2.0,
                half_of(looks_of(person, view=which)),
            )
            for which, person in people.items()
        }
        self._hear(node, SharedGroups(now_ms, MODEL, tuple(groups.values())))

    @rule(which=WHICH, other=WHICH, fate=st.sampled_from(["forgotten", "merged", "named"]))
    def another_node_says_what_became_of_a_group(self, which, other, fate):
        self.words += 1
        now_ms = self.store.now_ms + self.words
        group_id, heir = self._an_id(which), self._an_id(other)
        people = self.store.identities()
        if fate == "named":
            heir = people[other % len(people)].id if people else derived_id("nobody", other)
        if heir != group_id:
            named = None if fate == "forgotten" else id_bytes(heir)
            told = SharedFate(id_bytes(group_id), fate, named, now_ms)
            self._hear("a", SharedGroups(now_ms, MODEL, (), (told,)))

    def _hear(self, node, word):
        take_in(self.store.connection, node, word, 1, now_ms=word.at_ms, before_ms=0)

    @rule(later_ms=st.sampled_from([0, 700_000]))
    def what_was_named_elsewhere_is_gone_on_with(self, later_ms):
        fates_due(self.store.connection, self.store.now_ms)
        settle(self.store.connection, self.store.now_ms + later_ms)

    @rule()
    def another_node_shares_nothing_any_more(self):
        take_back(self.store.connection, "a")

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
