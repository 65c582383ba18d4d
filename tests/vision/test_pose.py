import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders.meshes import a_mesh, mirrored, turned
from edged.vision.pose import pose_of

yaws = st.floats(-80, 80)
pitches = st.floats(-80, 80)
rolls = st.floats(-170, 170)


def angles(points):
    pose = pose_of(points)
    return pose.yaw, pose.pitch, pose.roll


def test_a_frontal_upright_face_has_no_angles():
    assert angles(a_mesh()) == pytest.approx((0, 0, 0), abs=1e-3)


@given(yaws, pitches, rolls)
def test_a_turned_mesh_has_the_angles_it_was_turned_by(yaw, pitch, roll):
    assert angles(turned(a_mesh(), yaw=yaw, pitch=pitch, roll=roll)) == pytest.approx(
        (yaw, pitch, roll), abs=0.05
    )


@given(yaws, pitches, rolls)
def test_in_a_mirror_yaw_and_roll_change_sides(yaw, pitch, roll):
    points = turned(a_mesh(), yaw=yaw, pitch=pitch, roll=roll)
    assert angles(mirrored(points, 640)) == pytest.approx((-yaw, pitch, -roll), abs=0.05)


@given(yaws, pitches, rolls)
def test_frontality_is_the_cosine_of_the_angle_to_the_camera_however_tilted(yaw, pitch, roll):
    # The normal of the face turned by yaw and pitch; only its part along the camera's axis counts.
    expected = math.cos(math.radians(yaw)) * math.cos(math.radians(pitch))
    found = pose_of(turned(a_mesh(), yaw=yaw, pitch=pitch, roll=roll)).frontality
    assert found == pytest.approx(expected, abs=2e-3)


def test_the_back_of_a_head_is_not_frontal():
    assert pose_of(turned(a_mesh(), yaw=150)).frontality == 0


@given(yaws, pitches, st.floats(0.05, 20), st.floats(-1000, 1000))
def test_place_and_size_do_not_matter(yaw, pitch, scale, shift):
    points = turned(a_mesh(), yaw=yaw, pitch=pitch)
    moved = (points * scale + np.float32(shift)).astype(np.float32)
    assert angles(moved) == pytest.approx((yaw, pitch, 0), abs=0.5)


def test_the_nose_goes_where_yaw_and_pitch_say():
    # x to the right, y down: looking right moves the nose right of the eyes' middle, looking up moves it up.
    frontal, right, up = a_mesh(), turned(a_mesh(), yaw=20), turned(a_mesh(), pitch=20)
    assert right[1, 0] > frontal[1, 0]
    assert up[1, 1] < frontal[1, 1]


def test_a_clockwise_tilt_brings_the_pictures_right_eye_down():
    tilted = turned(a_mesh(), roll=20)
    assert tilted[263, 1] > tilted[33, 1]


def test_a_mesh_without_extent_has_the_pose_zero():
    assert angles(np.zeros((468, 3), np.float32)) == (0, 0, 0)


@given(st.floats(-1e3, 1e3, width=32), st.floats(-1e3, 1e3, width=32))
def test_a_mesh_that_is_a_line_has_finite_angles(x, z):
    points = np.outer(np.linspace(0, 1, 468), [x, 0, z]).astype(np.float32)
    assert all(math.isfinite(angle) for angle in angles(points))
