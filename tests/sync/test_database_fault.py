"""A node whose database is locked, or whose disk is full, wherever it writes: told, left alone, and over."""

import os
from contextlib import ExitStack
from dataclasses import replace

import pytest

from builders.authorities import TOPICS, Broker
from builders.namespaces import a_new_face
from builders.setbacks import FullDisk, Hindrance, Locked, Setback, small_disk
from builders.sharing import House
from edged.app import sync_commands
from edged.domain.sync_state import SyncState
from edged.replication.statement import StatementKind, taken_apart
from edged.replication.statements import Manifest
from edged.store.namespace_files import namespace_path

TIMES = int(os.environ.get("EDGED_TEST_SETBACKS", "1"))
"""How often each place that writes is met; `EDGED_TEST_SETBACKS=5` for a long look."""
POSTMAN, THIEF = 7, 8
LASTS_MS = 6_500
"""A setback is met again once, at least."""
QUIET_MS = 45_000
"""Longer than the longest rest."""
NAMES = ("front", "back")
OF_BOTH = {
    "sync_groups.begin_sharing",
    "sync_groups.fates_due",
    "sync_groups.next_word_ms",
    "sync_groups.sweep",
    "sync_groups.take_in",
}
OF_A_MEMBER = OF_BOTH | {
    "joining.Joining._take",
    "proposing.Proposing.answered",
    "proposing.Proposing.follow",
    "proposing.Proposing.payloads",
    "sync_applying.apply_epoch",
    "sync_following.confirm",
    "sync_following.confirm_sweep",
    "sync_following.settle_keys",
    "sync_following.take_told",
    "sync_staging.stage",
}
OF_AN_AUTHORITY = OF_BOTH | {
    "deciding.Deciding.answers",
    "epoch_making.EpochMaking.forget_old_keys",
    "epoch_making.EpochMaking.sweep",
    "handing_over.HandingOver.step_back",
    "handing_over.HandingOver.successor",
    "member_arrivals.MemberArrivals._let_in",
    "member_arrivals.MemberArrivals.write_down",
    "member_telling.MemberTelling._tell",
    "member_telling.MemberTelling._write_down",
    "member_telling.MemberTelling.broker_is_blank",
    "page_publishing.PagePublishing._write_down",
    "sync_decisions.decide",
    "sync_publishing.write_next_epoch",
}
WHERE = {"front": OF_AN_AUTHORITY, "back": OF_A_MEMBER}


def cleared(store):
    """As a daemon does it."""
    left = list(store.swept_log())
    store.snapshots.tidy(store.connection)
    return left


class Site:
    """An authority and a member; at one of them each place that writes meets the setback."""

    def __init__(self, folder, victim: str, setback: Setback, remedy: str) -> None:
        self.broker = Broker()
        self.houses = {
            name: House(
                folder / name,
                self.broker,
                name,
                gather=0,
                alive_every=5,
                report_every=10,
                grace=1,
                ask_every=1,
            )
            for name in NAMES
        }
        self.victim = self.houses[victim]
        self.path = namespace_path(self.victim.folder, "home")
        self.remedy = remedy
        self.hindrance = Hindrance(setback, lambda _, passed: passed < TIMES)
        for house in self.houses.values():
            house.parts = replace(house.parts, swept=cleared)
            house.eyes.store().close()
        self.victim.parts = replace(
            self.victim.parts, open_store=self.hindrance.opening(self.victim.parts.open_store)
        )
        self.told: set[str] = set()
        self.allowed: list[set[str]] = [set()]
        self._since_ms: int | None = None

    def run(self, seconds: int = 20) -> None:
        """So much time, and more until nothing is met any more."""
        clock, until_ms = self.broker.clock, self.broker.clock.ms + seconds * 1000
        while clock.ms < until_ms:
            self.broker.turn()
            clock.ms += 2000
            if self.hindrance.is_on:
                self._look()
                until_ms = max(until_ms, clock.ms + QUIET_MS)

    def _look(self) -> None:
        now_ms = self.broker.clock.ms
        self._since_ms = self._since_ms or now_ms
        standing, point = self.victim.standing, self.hindrance.failed[-1]
        if standing.trouble:
            assert str(self.path) in standing.trouble
            assert self.remedy in standing.trouble
            if standing.state is SyncState.FAULTY or point.startswith("sync_groups."):
                self.told.add(point)
        if now_ms - self._since_ms >= LASTS_MS:
            # One after the rest, by the role, its groups, and whoever looks what the role is.
            assert self.hindrance.openings <= 4
            for house in self.houses.values():
                # Of before or of after what was done last, and of nothing between.
                assert set(house.people()) in self.allowed[-2:], point
            self.hindrance.end()
            self.hindrance.openings, self._since_ms = 0, None

    def expect(self, *people: str) -> None:
        """Somebody does something, after which these are known in the end."""
        self.allowed.append(set(people))

    def check(self) -> None:
        """All is as it was wanted, at both."""
        for house in self.houses.values():
            assert (house.standing.state, house.standing.trouble) == (SyncState.IN_STEP, ""), house.name
            assert set(house.people()) == self.allowed[-1], house.name
            assert house.findings() == []
        assert len({house.standing.epoch for house in self.houses.values()}) == 1

    def live(self) -> None:
        """All that two nodes do, once each."""
        front, back = self.houses["front"], self.houses["back"]
        front.found()
        back.join(front.invite())
        front.go_online()
        back.go_online()
        # Who asked to be let in, and was not heard, asks again after a while.
        for _ in range(10 * TIMES):
            self.run(60)
            if back.standing.state is SyncState.IN_STEP:
                break
        self.check()

        people = [f"Person {number}" for number in range(12)]
        self.expect(*people)
        with front.eyes.store() as store:
            for number, name in enumerate(people):
                store.add_identity(name, [a_new_face(number)])
        self.run()
        self.check()

        self.expect(*people, "Own")
        with back.eyes.store() as store:
            store.add_identity("Own", [a_new_face(99)])
        self.run()
        self.check()

        self.expect("Person 0", "Own")
        with front.eyes.store() as store:
            store.remove([each.id for each in store.identities() if each.name not in {"Person 0", "Own"}])
        self.run()
        self.check()
        with front.eyes.store() as store:
            sync_commands.rotate(front.place(store))
        self.run()
        self.check()

        self.groups(front, back)

        with front.eyes.store() as store:
            sync_commands.promote(front.place(store), "back")
        self.run()
        self.check()
        assert back.standing.role == "authority"
        with front.eyes.store() as store:
            sync_commands.leave(front.place(store))
        self.run(40)
        assert not front.node.is_synced

    def groups(self, front: House, back: House) -> None:
        """Strangers come and go; one is named, one is forgotten."""
        group = front.eyes.see(1, POSTMAN).group_id
        self.run(120)
        assert back.eyes.see(2, POSTMAN).group_id == group
        back.eyes.see(3, THIEF)
        self.run(120)
        thief = front.eyes.see(4, THIEF)
        self.run()
        assert thief.seen_before == 1
        self.expect(*self.allowed[-1], "Pat")
        back.eyes.name(group, "Pat")
        self.run()
        front.eyes.forget(thief.group_id)
        self.run()
        for house in (front, back):
            assert (house.eyes.ids(), house.eyes.elsewhere()) == ([], [])
        self.check()

    def contents(self) -> dict[int, set[bytes]]:
        """What was published as each epoch."""
        found: dict[int, set[bytes]] = {}
        for topic, payload in self.broker.log:
            if topic == TOPICS.manifest and payload:
                epoch = taken_apart(StatementKind.MANIFEST, payload).body(Manifest).epoch
                found.setdefault(epoch, set()).add(payload)
        return found

    def close(self) -> None:
        self.hindrance.end()
        for house in self.houses.values():
            house.close()


@pytest.mark.parametrize("victim", NAMES)
def test_a_database_that_is_locked_wherever_it_is_written_to_is_left_alone_and_goes_on(tmp_path, victim):
    (tmp_path / victim).mkdir()
    path = namespace_path(tmp_path / victim, "home")
    site = Site(tmp_path, victim, Locked(path), "fuser")
    try:
        site.live()
        assert all(len(each) == 1 for each in site.contents().values())
        assert WHERE[victim] - site.told == set()
    finally:
        site.close()


@pytest.mark.parametrize("victim", NAMES)
def test_a_disk_that_is_full_wherever_it_is_written_to_is_told_and_it_goes_on_with_room(tmp_path, victim):
    with ExitStack() as stack:
        if not stack.enter_context(small_disk(tmp_path / victim)):
            pytest.skip("mounting a small file system needs root")
        path = namespace_path(tmp_path / victim, "home")
        site = Site(tmp_path, victim, FullDisk(path, tmp_path / victim), "df -h")
        try:
            site.live()
            assert all(len(each) == 1 for each in site.contents().values())
            # Where there is nothing to tell yet, nothing is written.
            assert WHERE[victim] - site.told <= {"sync_groups.fates_due"}
        finally:
            site.close()
