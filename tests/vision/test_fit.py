import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders.meshes import a_mesh, landmarks, turned
from edged.domain.box import Box
from edged.domain.face import Detection
from edged.vision.fit import fit_of
from edged.vision.keypoints import upright_in

LIPS = (13, 14)


def a_face_mesh(**place):
    """A mesh with lips."""
    points = a_mesh(**place)
    points[list(LIPS)] = (points[1] + points[152]) / 2
    return points


def detected(points, *, side_eyes=2.4):
    """The detection that a detector in full agreement with the mesh would give."""
    right, left = points[[33, 133], :2].mean(axis=0), points[[263, 362], :2].mean(axis=0)
    nose, mouth = points[1, :2], points[list(LIPS), :2].mean(axis=0)
    x, y = points[:, :2].mean(axis=0)
    half = side_eyes * float(np.linalg.norm(left - right)) / 2
    keypoints = np.stack([right, left, nose, mouth, right, left]).astype(np.float32)
    return Detection(Box(x - half, y - half, x + half, y + half), keypoints, 0.9)


def test_a_mesh_where_the_detector_has_the_same_fits():
    points = a_face_mesh()
    fit = fit_of(detected(points), landmarks(points))
    assert fit.misfit == pytest.approx(0, abs=1e-5)
    assert fit.size == pytest.approx(1 / 2.4, abs=0.1)


def test_the_misfit_is_told_in_sides_of_the_box():
    points = a_face_mesh(eyes_px=40)
    moved = points.copy()
    moved[:, 0] += 9.6
    assert fit_of(detected(points), landmarks(moved)).misfit == pytest.approx(0.1, abs=1e-4)


@given(st.floats(8, 200), st.floats(-300, 900), st.floats(-300, 900))
def test_neither_place_nor_size_in_the_frame_changes_anything(eyes_px, x, y):
    here, there = a_face_mesh(), a_face_mesh(eyes_px=eyes_px, x=x, y=y)
    one, other = fit_of(detected(here), landmarks(here)), fit_of(detected(there), landmarks(there))
    assert other.size == pytest.approx(one.size, rel=1e-3)
    assert np.allclose(other.shape, one.shape, atol=2e-3)


def test_a_head_in_profile_keeps_its_size():
    points = turned(a_face_mesh(), yaw=80)
    assert fit_of(detected(points, side_eyes=12), landmarks(points)).size > 0.25


@given(st.floats(-40, 40), st.floats(-60, 60))
def test_keypoints_that_a_box_alone_gave_say_nothing_of_misfit(roll, yaw):
    points = turned(a_face_mesh(), roll=roll, yaw=yaw)
    box = detected(points).box
    guessed = Detection(box, np.array(upright_in(box), np.float32).reshape(6, 2), 0.9)
    assert fit_of(guessed, landmarks(points)).misfit == 0


def test_a_box_without_size_is_measured_without_trouble():
    points = a_face_mesh()
    nothing = Detection(Box(5, 5, 5, 5), np.zeros((6, 2), np.float32), 0.5)
    assert fit_of(nothing, landmarks(points)).misfit > 1
