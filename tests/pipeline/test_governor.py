"""The governor on a simulated machine: one that heats up slowly, and whose models take their time."""

import math
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edged.pipeline.governor import OUT_OF_TIME, TOO_HOT, FeedWork, Governor, Readings, fair_shares
from edged.settings.governor import Governor as Settings

NOTHING = FeedWork(0, 0, 0.0)


@dataclass
class Camera:
    """A feed: what it is configured to, what it really offers, what a frame of it costs."""

    fps: float = 10.0
    offers: float = 100.0
    cost_s: float = 0.01


@dataclass
class Machine:
    """Gives every feed as many frames as any other while time lasts, as the slots do; heats up with its work.

    Attributes:
        idle_c, busy_c: temperatures it comes to in the end, doing nothing and working all the time.
        inertia_s: of its heat sink.
        requests: share of its time that requests take.
    """

    cameras: dict[str, Camera]
    limits: Settings = field(default_factory=Settings)
    idle_c: float = 45.0
    busy_c: float = 60.0
    inertia_s: float = 90.0
    celsius: float | None = 45.0
    throttled: tuple[str, ...] = ()
    requests: float = 0.0
    share: float = 0.5

    def __post_init__(self):
        self.governor = Governor(
            self.limits, {name: camera.fps for name, camera in self.cameras.items()}, self.share
        )
        self.now_s = 0.0
        self.requests_s = 0.0
        self.done = dict.fromkeys(self.cameras, NOTHING)
        self.decision = self.governor.decide(self._readings())
        self.changes = []
        self.busy = 0.0

    def run(self, seconds):
        for _ in range(seconds):
            self._second()
            before, self.decision = self.decision, self.governor.decide(self._readings())
            if before.fps != self.decision.fps:
                self.changes.append((self.now_s, before.fps, self.decision.fps))
        return self.decision

    def _second(self):
        self.now_s += 1
        offered = {name: min(c.offers, self.decision.fps[name]) for name, c in self.cameras.items()}
        looked = _served(offered, self.cameras, 1.0 - self.requests)
        self.busy = sum(looked[name] * camera.cost_s for name, camera in self.cameras.items()) + self.requests
        self.requests_s += self.requests
        for name, camera in self.cameras.items():
            was = self.done[name]
            self.done[name] = FeedWork(
                was.looked + looked[name],
                was.dropped + offered[name] - looked[name],
                was.busy_s + looked[name] * camera.cost_s,
            )
        if self.celsius is not None:
            ends_at = self.idle_c + (self.busy_c - self.idle_c) * self.busy
            self.celsius += (ends_at - self.celsius) * (1 - math.exp(-1 / self.inertia_s))

    def _readings(self):
        return Readings(self.now_s, self.celsius, self.throttled, self.requests_s, dict(self.done))


def _served(offered, cameras, time_s):
    """Frames that are looked at: of each feed the same number, as far as it offers so many."""
    looked, left = {}, dict(offered)
    while left:
        most = time_s / sum(cameras[name].cost_s for name in left)
        content = [name for name in left if left[name] <= most]
        if not content:
            return looked | dict.fromkeys(left, most)
        for name in content:
            looked[name] = left.pop(name)
            time_s -= looked[name] * cameras[name].cost_s
    return looked


NEEDS = st.dictionaries(
    st.sampled_from("abcdefgh"), st.floats(0, 10, allow_subnormal=False), min_size=1, max_size=8
)


@given(needs=NEEDS, capacity=st.floats(0, 10, allow_subnormal=False))
def test_shares_use_all_there_is_and_nobody_gets_more_than_needed(needs, capacity):
    shares = fair_shares(needs, capacity)

    assert sum(shares.values()) == pytest.approx(min(sum(needs.values()), capacity), abs=1e-9)
    assert all(0 <= shares[name] <= needs[name] for name in needs)


@given(needs=NEEDS, capacity=st.floats(0, 10, allow_subnormal=False))
def test_whoever_gets_less_than_needed_has_no_less_than_anybody(needs, capacity):
    shares = fair_shares(needs, capacity)

    cut = [shares[name] for name in needs if shares[name] < needs[name]]
    assert all(share >= max(shares.values()) - 1e-9 for share in cut)


def test_a_machine_with_time_to_spare_is_left_alone():
    machine = Machine({"hall": Camera(), "gate": Camera()})

    decision = machine.run(3600)

    assert decision.fps == {"hall": 10, "gate": 10}
    assert (decision.slowed, decision.reasons, machine.changes) == ("", (), [])
    assert decision.load == pytest.approx(0.2, abs=0.01)


def test_a_hot_machine_slows_all_feeds_alike_and_they_come_back_when_it_is_cool():
    cameras = {"hall": Camera(cost_s=0.04), "gate": Camera(fps=8, cost_s=0.04)}
    machine = Machine(cameras, idle_c=50, busy_c=105)

    decision = machine.run(1800)

    assert decision.reasons == (f"lately {TOO_HOT}",), "it has cooled, and is kept cool"
    assert decision.fps["hall"] / 10 == decision.fps["gate"] / 8 < 1
    assert machine.celsius < 80
    assert decision.slowed.startswith("lately too hot: hall ")

    machine.idle_c, machine.busy_c = 30, 50
    assert machine.run(7200).fps == {"hall": 10, "gate": 8}


def test_it_steps_down_within_seconds_and_up_within_minutes():
    machine = Machine({"hall": Camera(cost_s=0.001)}, celsius=None)
    machine.throttled = ("under-voltage",)
    assert machine.run(5).fps == {"hall": 7.5}
    assert machine.decision.reasons == ("under-voltage",)

    machine.throttled = ()
    assert machine.run(25).fps == {"hall": 7.5}
    assert machine.run(60).fps == {"hall": 10}


def test_a_short_peak_of_heat_is_no_reason():
    machine = Machine({"hall": Camera()}, celsius=None)
    machine.throttled = ("too hot",)
    machine.run(1)
    machine.throttled = ()

    assert machine.run(60).slowed == ""


def test_no_feed_is_slowed_below_the_least_rate_or_its_own_where_that_is_lower():
    cameras = {"hall": Camera(fps=10), "shed": Camera(fps=0.5)}
    machine = Machine(cameras, Settings(min_fps=2.0), celsius=None, throttled=("too hot",))

    assert machine.run(3600).fps == {"hall": 2.0, "shed": 0.5}
    assert machine.decision.slowed == "too hot: hall 2 of 10 frames/s"


def test_a_cheap_feed_keeps_all_it_needs_and_the_greedy_ones_share_the_rest():
    cameras = {
        "still": Camera(fps=10, cost_s=0.0002),
        "calm": Camera(fps=10, cost_s=0.015),
        "crowd": Camera(fps=30, cost_s=0.08),
        "street": Camera(fps=30, cost_s=0.04),
    }
    machine = Machine(cameras, Settings(min_fps=0.5), celsius=None)

    decision = machine.run(120)

    assert decision.reasons == (OUT_OF_TIME,)
    assert decision.fps["still"] == decision.fps["calm"] == 10
    used = {name: decision.fps[name] * camera.cost_s for name, camera in cameras.items()}
    assert sum(used.values()) <= 0.9
    assert used["crowd"] == pytest.approx(used["street"], rel=0.5), "a step apart at most"


def test_what_was_taken_for_want_of_time_comes_back_when_the_crowd_has_gone():
    crowd = Camera(fps=20, cost_s=0.1)
    machine = Machine({"hall": Camera(cost_s=0.01), "crowd": crowd}, celsius=None)
    assert machine.run(120).fps["crowd"] < 10

    crowd.cost_s = 0.001
    assert machine.run(180).fps == {"hall": 10, "crowd": 20}
    assert machine.decision.slowed == ""


def test_a_camera_slower_than_configured_is_not_charged_for_frames_it_never_sends():
    machine = Machine({"slow": Camera(fps=30, offers=5, cost_s=0.08), "hall": Camera(cost_s=0.02)})

    assert machine.run(300).slowed == ""


def test_requests_leave_the_feeds_what_is_not_theirs_and_take_no_more_than_their_share():
    cameras = {"hall": Camera(fps=10, cost_s=0.06)}
    busy_with_requests = Machine(cameras, celsius=None, requests=0.5, share=0.25)

    decision = busy_with_requests.run(300)

    assert decision.slowed == "", "0.6 of the time is within what requests leave"
    assert decision.load == pytest.approx(1.0, abs=0.05)


@st.composite
def machines(draw):
    cameras = {
        f"feed-{number}": Camera(
            fps=draw(st.sampled_from([1.0, 5.0, 10.0, 15.0, 30.0])),
            offers=draw(st.sampled_from([3.0, 12.0, 100.0])),
            cost_s=draw(st.floats(0.0005, 0.15)),
        )
        for number in range(draw(st.integers(1, 5)))
    }
    idle_c = draw(st.floats(30, 70))
    return Machine(
        cameras,
        Settings(min_fps=draw(st.sampled_from([0.5, 1.0, 5.0]))),
        idle_c=idle_c,
        busy_c=idle_c + draw(st.floats(0, 70)),
        inertia_s=draw(st.floats(5, 400)),
        celsius=idle_c,
        requests=draw(st.sampled_from([0.0, 0.2])),
    )


def test_a_step_up_that_does_not_last_is_tried_ever_more_seldom():
    # Half of the frames leave it cool, three quarters make it hot: no step is right.
    machine = Machine({"hall": Camera(cost_s=0.085)}, idle_c=20, busy_c=120, inertia_s=30)
    machine.run(3600)
    in_first_hour = len(machine.changes)
    machine.run(3 * 3600)

    machine.changes.clear()
    machine.run(3600)

    assert 1 <= len(machine.changes) <= 4 < in_first_hour


@settings(max_examples=4, deadline=None)
@given(machine=machines())
def test_it_comes_to_rest_on_any_machine(machine):
    machine.run(3600)
    before = len(machine.changes)

    machine.run(3600)

    assert len(machine.changes) - before <= 8 * len(machine.cameras), machine.changes[before:]


@settings(max_examples=4, deadline=None)
@given(machine=machines())
def test_a_change_is_one_step_and_nothing_leaves_its_bounds(machine):
    machine.run(1200)

    for _, before, after in machine.changes:
        for name, camera in machine.cameras.items():
            least = min(camera.fps, machine.limits.min_fps)
            assert least <= after[name] <= camera.fps
            assert after[name] >= min(before[name], max(before[name] / 2, least)) - 1e-9
    assert 0 <= machine.decision.load <= 1


@settings(max_examples=4, deadline=None)
@given(machine=machines())
def test_whatever_it_was_all_comes_back_when_the_cause_is_gone(machine):
    machine.run(1800)
    machine.idle_c, machine.busy_c, machine.requests = 25.0, 40.0, 0.0
    for camera in machine.cameras.values():
        camera.cost_s = 0.0005

    machine.run(2 * 3600)

    assert machine.decision.fps == {name: camera.fps for name, camera in machine.cameras.items()}
    assert machine.decision.slowed == ""
