import itertools
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edged.domain.moment import Moment
from edged.settings.quantities import Duration
from edged.settings.recognition import Motion
from edged.vision.motion import MotionGate

CLIPS = Path(__file__).parents[3] / "shared" / "fixtures" / "clips"
STEP_MS = 100


def a_gate(**changes):
    return MotionGate(Motion(**changes))


def a_room(width=640, height=480):
    """A picture with structure: soft blobs of light and some edges."""
    chance = np.random.default_rng(7)
    blobs = cv2.resize(chance.integers(30, 220, (6, 8, 3), dtype=np.uint8), (width, height))
    cv2.rectangle(blobs, (width // 2, height // 4), (width // 2 + 90, height), (40, 60, 90), -1)
    return blobs


def with_face(picture, x, y=200, size=60):
    shown = picture.copy()
    cv2.ellipse(shown, (x, y), (size // 2, int(size * 0.65)), 0, 0, 360, (130, 160, 210), -1)
    cv2.circle(shown, (x - size // 6, y), size // 12, (30, 30, 30), -1)
    cv2.circle(shown, (x + size // 6, y), size // 12, (30, 30, 30), -1)
    return shown


def noisy(picture, deviation, chance):
    noise = chance.standard_normal(picture.shape, np.float32) * deviation
    return np.clip(picture + noise, 0, 255).astype(np.uint8)


def looks(gate, pictures, *, busy=False, from_ms=0):
    """What the gate says of pictures, ten a second."""
    return [
        gate.update(Moment(from_ms + index * STEP_MS, 0), picture, busy=busy)
        for index, picture in enumerate(pictures)
    ]


def settled(**changes):
    """A gate that has seen an empty room for ten seconds and is shut; the next frame is at 10 s."""
    gate = a_gate(recheck=Duration(3600), **changes)
    said = looks(gate, [a_room()] * 100)
    assert not said[-1]
    return gate


def test_the_first_frame_is_always_looked_at():
    assert looks(a_gate(), [a_room()]) == [True]


def test_a_still_room_shuts_the_gate_after_hold():
    said = looks(a_gate(hold=Duration(2), recheck=Duration(60)), [a_room()] * 50)
    assert said == [True] * 20 + [False] * 30


def test_a_still_room_is_looked_at_once_in_every_recheck():
    said = looks(a_gate(hold=Duration(1), recheck=Duration(5)), [a_room()] * 300)
    times = [index * STEP_MS for index, looked in enumerate(said) if looked]
    assert times[10:] == list(range(5900, 30000, 5000))


@pytest.mark.parametrize("size", [40, 60, 120])
def test_a_face_that_comes_opens_the_gate_at_once(size):
    assert looks(settled(), [with_face(a_room(), 150, size=size)], from_ms=10_000) == [True]


def test_somebody_who_stands_still_is_looked_at_while_followed():
    gate = settled()
    assert all(looks(gate, [with_face(a_room(), 150)] * 600, busy=True, from_ms=10_000))


def test_what_is_put_down_and_stays_becomes_background():
    gate = settled()
    said = looks(gate, [with_face(a_room(), 150)] * 600, from_ms=10_000)
    assert said[0]
    assert not said[-1]


@pytest.mark.parametrize("deviation", [3, 8, 15, 25])
def test_a_noisy_sensor_keeps_the_gate_shut(deviation):
    chance = np.random.default_rng(1)
    gate = a_gate(recheck=Duration(3600))
    said = looks(gate, (noisy(a_room(), deviation, chance) for _ in range(90)))
    assert not any(said[60:])


@pytest.mark.parametrize("deviation", [3, 8, 15])
def test_a_face_is_noticed_through_the_noise(deviation):
    chance = np.random.default_rng(2)
    gate = a_gate(recheck=Duration(3600))
    looks(gate, (noisy(a_room(), deviation, chance) for _ in range(40)))
    faces = [noisy(with_face(a_room(), 100 + 20 * step), deviation, chance) for step in range(5)]
    assert all(looks(gate, faces, from_ms=10_000))


def test_a_lamp_opens_the_gate_and_soon_is_the_usual_light():
    lit = np.clip(a_room().astype(np.float32) * 1.5 + 20, 0, 255).astype(np.uint8)
    said = looks(settled(hold=Duration(2)), [lit] * 300, from_ms=10_000)
    assert said[0]
    assert not any(said[150:])


def test_exposure_that_drifts_is_no_motion():
    room = a_room().astype(np.float32)
    drifting = [np.clip(room + 0.3 * step, 0, 255).astype(np.uint8) for step in range(100)]
    assert not any(looks(settled(), drifting, from_ms=10_000))


def test_another_size_of_picture_is_all_new():
    assert looks(settled(), [a_room(1280, 720)] * 3, from_ms=10_000) == [True] * 3


def test_without_the_gate_every_frame_is_looked_at():
    assert all(looks(a_gate(enabled=False), [a_room()] * 100))


@pytest.mark.parametrize("shape", [(1, 1), (3, 500), (4, 4), (7, 1), (2160, 3840)])
def test_pictures_of_any_shape_are_measured(shape):
    gate = a_gate(recheck=Duration(3600), hold=Duration(1))
    dark, bright = np.zeros((*shape, 3), np.uint8), np.full((*shape, 3), 200, np.uint8)
    dark.setflags(write=False)
    assert not looks(gate, [dark] * 15)[-1]
    bright[: shape[0] // 2] = 0
    assert isinstance(gate.update(Moment(5000, 0), bright, busy=False), bool)


def test_the_picture_is_left_as_it_was():
    picture = a_room()
    looks(a_gate(), [picture] * 3)
    assert np.array_equal(picture, a_room())


def decided(motion, steps):
    """What the gate's second half says of (share, gap in ms, busy), without pictures."""
    gate = MotionGate(motion)
    times = itertools.accumulate((gap for _, gap, _ in steps[1:]), initial=0)
    said = [
        gate._decide(at_ms, share, busy=busy) for at_ms, (share, _, busy) in zip(times, steps, strict=True)
    ]
    return list(itertools.accumulate((gap for _, gap, _ in steps[1:]), initial=0)), said


motions = st.builds(
    lambda open_at, ratio, hold, recheck: Motion(
        open_at=open_at, close_at=open_at * ratio, hold=Duration(hold), recheck=Duration(recheck)
    ),
    st.floats(0.001, 0.5),
    st.floats(0, 1),
    st.floats(0, 20),
    st.floats(1, 60),
)
histories = st.lists(
    st.tuples(st.floats(0, 1) | st.just(0.0), st.integers(0, 5000), st.booleans()), min_size=1, max_size=40
)


@given(motions, histories)
def test_much_change_and_followed_faces_always_open(motion, steps):
    _, said = decided(motion, steps)
    assert all(
        looked
        for looked, (share, _, busy) in zip(said, steps, strict=True)
        if busy or share >= motion.open_at
    )


@given(motions, histories)
def test_nothing_goes_unseen_for_longer_than_recheck(motion, steps):
    times, said = decided(motion, steps)
    last = 0
    for at_ms, looked in zip(times, said, strict=True):
        if looked:
            last = at_ms
        assert at_ms - last < motion.recheck * 1000


@given(motions, histories)
def test_little_change_never_opens_a_shut_gate_before_recheck(motion, steps):
    steps = [(min(share, motion.open_at * 0.99), gap, False) for share, gap, _ in steps]
    times, said = decided(motion, steps)
    looked_at = [0, *(at_ms for at_ms, looked in zip(times, said, strict=True) if looked)]
    assert all(
        late - early >= motion.recheck * 1000 or late == 0 for early, late in itertools.pairwise(looked_at)
    )


@given(motions, st.lists(st.integers(1, 500), min_size=1, max_size=40))
def test_once_open_it_stays_open_for_hold(motion, gaps):
    steps = [(1.0, 0, False), *((0.0, gap, False) for gap in gaps)]
    times, said = decided(motion, steps)
    assert all(looked for at_ms, looked in zip(times, said, strict=True) if at_ms < motion.hold * 1000)


def test_between_the_two_shares_the_gate_stays_as_it_is():
    motion = Motion(open_at=0.1, close_at=0.05, hold=Duration(0), recheck=Duration(3600))
    shares = [0.2, 0.07, 0.07, 0.01, 0.07, 0.07, 0.1, 0.06]
    _, said = decided(motion, [(share, 100, False) for share in shares])
    assert said == [True, True, True, False, False, False, True, True]


@pytest.mark.footage
@pytest.mark.skipif(not CLIPS.is_dir(), reason=f"the shared footage is not at {CLIPS}")
class TestFootage:
    @staticmethod
    def frames(name):
        capture = cv2.VideoCapture(str(CLIPS / name))
        try:
            while True:
                grabbed, picture = capture.read()
                if not grabbed:
                    return
                yield picture
        finally:
            capture.release()

    def test_people_who_gesture_are_looked_at_all_the_time(self):
        gate = a_gate()
        assert all(
            gate.update(Moment(index * 33, 0), picture, busy=False)
            for index, picture in enumerate(self.frames("milk.mkv"))
        )

    def test_a_real_picture_that_stands_still_shuts_the_gate(self):
        frozen = next(self.frames("book.mkv"))
        chance = np.random.default_rng(3)
        said = looks(a_gate(recheck=Duration(3600)), (noisy(frozen, 4, chance) for _ in range(60)))
        assert not any(said[30:])
