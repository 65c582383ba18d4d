"""The sample clip is what its script says, and its script keeps to what it was asked for."""

import cv2
import pytest

from edged.cli.demo import CLIP, PORTRAIT
from sample_clip.portraits import PORTRAITS, Portrait
from sample_clip.scene import FRAME_HEIGHT_PX, FRAME_WIDTH_PX, GARDEN_WALL_TOP_PX
from sample_clip.story import FPS, LENGTH_S, VISITS, Pose, Visit, evening_at

CLOSE_AFTER_S = 3.0
"""The default of `sightings.close_after`: visits must be further apart, to be jobs of their own."""


def _poses(visit: Visit) -> list[Pose]:
    times = (number / FPS for number in range(round(LENGTH_S * FPS)))
    return [pose for pose in map(visit.pose_at, times) if pose is not None]


def _half_width_px(portrait: Portrait, pose: Pose) -> float:
    """How far the cut-out reaches to a side of the face, at most."""
    reach = max(abs(x - portrait.face_centre_px) for x, _ in portrait.points_px())
    return reach * pose.face_px / portrait.face_px


def test_the_clip_is_as_long_and_as_large_as_the_story() -> None:
    capture = cv2.VideoCapture(str(CLIP))
    try:
        assert capture.get(cv2.CAP_PROP_FRAME_WIDTH) == FRAME_WIDTH_PX
        assert capture.get(cv2.CAP_PROP_FRAME_HEIGHT) == FRAME_HEIGHT_PX
        assert capture.get(cv2.CAP_PROP_FPS) == FPS
        frames = 0
        while capture.grab():
            frames += 1
    finally:
        capture.release()
    assert frames == round(LENGTH_S * FPS)
    assert 20 <= LENGTH_S <= 40


def test_the_portrait_can_be_read_and_is_larger_than_any_face_of_the_clip() -> None:
    portrait = cv2.imread(str(PORTRAIT))
    assert portrait is not None
    assert portrait.shape[1] > 2 * max(pose.face_px for visit in VISITS for pose in _poses(visit))


def test_the_stranger_comes_between_two_visits_of_the_enrolled_person() -> None:
    assert [visit.name for visit in VISITS] == ["Eileen Collins", "Grace Hopper", "Eileen Collins"]


def test_nobody_is_there_between_visits_for_longer_than_a_sighting_stays_open() -> None:
    ends = [0.0, *(visit.poses[-1][0] for visit in VISITS)]
    begins = [*(visit.poses[0][0] for visit in VISITS), LENGTH_S]
    gaps = [begin - end for begin, end in zip(begins, ends, strict=True)]
    # A face is out of view before its shoulders are, so the gaps that count are longer than these.
    assert min(gaps[1:-1]) > CLOSE_AFTER_S
    assert gaps[0] >= 2
    assert gaps[-1] >= 2


@pytest.mark.parametrize("visit", VISITS, ids=lambda visit: f"{visit.name} {visit.poses[0][0]}")
def test_people_come_and_go_at_the_sides_of_the_picture(visit: Visit) -> None:
    for pose in (visit.poses[0][1], visit.poses[-1][1]):
        reach = _half_width_px(PORTRAITS[visit.name], pose)
        assert pose.x_px + reach < 10 or pose.x_px - reach > FRAME_WIDTH_PX - 10


@pytest.mark.parametrize("visit", VISITS, ids=lambda visit: f"{visit.name} {visit.poses[0][0]}")
def test_the_garden_wall_hides_where_a_portrait_ends(visit: Visit) -> None:
    portrait = PORTRAITS[visit.name]
    rows = {"Eileen Collins": 512, "Grace Hopper": 600}[visit.name]
    top = min(y for _, y in portrait.points_px())
    lowest = [pose.top_px + (rows - top) * pose.face_px / portrait.face_px for pose in _poses(visit)]
    assert min(lowest) >= GARDEN_WALL_TOP_PX


def test_the_second_visit_differs_in_light_size_and_angle() -> None:
    first, _, second = VISITS
    assert evening_at(first.poses[-1][0]) == 0
    assert evening_at(second.poses[0][0]) == 1
    assert max(pose.face_px for pose in _poses(second)) < max(pose.face_px for pose in _poses(first)) - 10
    assert (
        max(abs(pose.roll_deg) for pose in _poses(second)) > max(abs(p.roll_deg) for p in _poses(first)) + 2
    )
