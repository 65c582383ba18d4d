import math

import cv2
import numpy as np
import pytest

from edged.domain.face import CHIP_SIZE_PX, Landmarks
from edged.vision.alignment import CHIP_POINTS, MESH_POINTS, aligned_chip, chip_to_input, placed_chip
from edged.vision.similarity import Similarity


def turned(points, scale=1.0, degrees=0.0, x=0.0, y=0.0):
    cosine, sine = math.cos(math.radians(degrees)) * scale, math.sin(math.radians(degrees)) * scale
    return (points @ np.array([[cosine, sine], [-sine, cosine]]) + [x, y]).astype(np.float32)


def a_face(**place):
    """Landmarks of a face whose chip lies turned, scaled and moved so in the frame."""
    points = np.zeros((468, 3), np.float32)
    points[list(MESH_POINTS), :2] = turned(np.array(CHIP_POINTS), **place)
    return Landmarks(points, 1.0)


def a_frame(width=640, height=480):
    """Slow waves, different in each channel: whatever is sampled between pixels is nearly exact."""
    y, x = np.mgrid[0:height, 0:width]
    waves = [np.sin(x / 37) + np.cos(y / 41), np.sin((x + y) / 53), np.cos((x - 2 * y) / 67)]
    return np.stack([127 + 60 * wave for wave in waves], axis=2).astype(np.uint8)


def test_a_face_that_lies_as_in_a_chip_is_cut_out_as_it_is():
    frame = a_frame()
    chip = aligned_chip(frame, a_face(x=100, y=50))
    assert chip.shape == (CHIP_SIZE_PX, CHIP_SIZE_PX, 3)
    difference = chip[:, :, ::-1].astype(int) - frame[50:200, 100:250]
    assert np.abs(difference).max() <= 2


def test_a_chip_is_rgb_and_read_only():
    red = np.zeros((480, 640, 3), np.uint8)
    red[:, :, 2] = 200
    chip = aligned_chip(red, a_face(x=100, y=50))
    assert chip[75, 75].tolist() == [200, 0, 0]
    assert not chip.flags.writeable


def test_what_lies_outside_the_frame_is_black():
    chip = aligned_chip(np.full((480, 640, 3), 200, np.uint8), a_face(x=-75, y=50))
    assert (chip[:, :70] == 0).all()
    assert (chip[:, 80:] == 200).all()


def test_a_mesh_that_is_all_one_point_gives_a_black_chip():
    chip = aligned_chip(a_frame(), Landmarks(np.full((468, 3), 50, np.float32), 0.0))
    assert chip.shape == (CHIP_SIZE_PX, CHIP_SIZE_PX, 3)
    assert not chip.any()


def test_a_face_far_outside_the_frame_is_all_black():
    for scale in (1, 5):
        chip = aligned_chip(np.full((480, 640, 3), 200, np.uint8), a_face(scale=scale, x=9000, y=-9000))
        assert (chip == 0).all()


@pytest.mark.parametrize("degrees", [-40, 0, 25, 170])
@pytest.mark.parametrize("scale", [2.1, 3.0, 4.7, 9.0])
def test_a_large_face_is_the_same_place_as_a_direct_warp(scale, degrees):
    frame = a_frame(1920, 1080)
    middle = turned(np.array([[75.0, 75.0]]), scale=scale, degrees=degrees)[0]
    face = a_face(scale=scale, degrees=degrees, x=960 - middle[0], y=540 - middle[1])
    to_chip = Similarity.fitted(face.points[list(MESH_POINTS), :2].tolist(), CHIP_POINTS)
    direct = cv2.warpAffine(frame, to_chip.matrix(), (CHIP_SIZE_PX, CHIP_SIZE_PX))
    inside = direct.min(axis=2) > 0
    difference = np.abs(aligned_chip(frame, face)[:, :, ::-1].astype(int) - direct)[5:-5, 5:-5]
    # A wave is as long as 170 pixels of the frame, so half a pixel of the chip would be many levels.
    assert difference[inside[5:-5, 5:-5]].mean() < 1.5


def test_a_large_face_does_not_alias():
    _, x = np.mgrid[0:1080, 0:1920]
    stripes = np.repeat((((x // 2) % 2) * 255).astype(np.uint8)[:, :, None], 3, axis=2)
    chip = aligned_chip(stripes, a_face(scale=5, x=400, y=150))
    assert chip.std() < 16
    assert chip.mean() == pytest.approx(127.5, abs=3)


def test_the_dlib_template_is_the_chip_itself():
    assert chip_to_input("dlib150", CHIP_SIZE_PX) is None


def test_the_dlib_template_in_another_size_is_the_chip_resized():
    chip = a_frame(CHIP_SIZE_PX, CHIP_SIZE_PX)
    way = chip_to_input("dlib150", 300)
    assert way.of(-0.5, -0.5) == (-0.5, -0.5)
    assert way.of(149.5, 149.5) == pytest.approx((299.5, 299.5))
    wanted = cv2.resize(chip, (300, 300), interpolation=cv2.INTER_LINEAR)
    assert np.abs(placed_chip(chip, way, 300).astype(int) - wanted).max() <= 2


def test_the_arcface_template_has_eyes_nose_and_mouth_where_insightface_has_them():
    way = chip_to_input("arcface112", 112)
    eyes = [way.of(47.7, 47.3), way.of(103.2, 47.1)]
    assert eyes[0] == pytest.approx((38.3, 51.7), abs=1.2)
    assert eyes[1] == pytest.approx((73.5, 51.5), abs=1.2)
    assert way.of(72.8, 78.3) == pytest.approx((56.0, 71.7), abs=1.2)
    assert way.of(74.1, 106.9) == pytest.approx((56.1, 92.3), abs=1.2)


def test_a_template_grows_with_the_input():
    small, large = chip_to_input("arcface112", 112), chip_to_input("arcface112", 224)
    for x, y in ((0, 0), (75, 75), (149, 20)):
        u, v = small.of(x, y)
        assert large.of(x, y) == pytest.approx((2 * u + 0.5, 2 * v + 0.5))


def test_a_chip_lands_where_the_similarity_says():
    chip = a_frame(CHIP_SIZE_PX, CHIP_SIZE_PX)
    way = chip_to_input("arcface112", 112)
    placed = placed_chip(chip, way, 112)
    assert placed.shape == (112, 112, 3)
    for x, y in ((40, 50), (75, 75), (110, 120)):
        u, v = (round(number) for number in way.of(x, y))
        assert np.abs(placed[v, u].astype(int) - chip[y, x]).max() <= 6


def test_beyond_the_chip_its_edge_is_repeated():
    chip = np.full((CHIP_SIZE_PX, CHIP_SIZE_PX, 3), (200, 100, 50), np.uint8)
    placed = placed_chip(chip, chip_to_input("arcface112", 112), 112)
    assert (placed == (200, 100, 50)).all()


def test_a_small_input_does_not_alias():
    stripes = np.repeat(((np.arange(CHIP_SIZE_PX) % 2) * 255).astype(np.uint8)[None, :, None], 150, axis=0)
    placed = placed_chip(np.repeat(stripes, 3, axis=2), chip_to_input("dlib150", 48), 48)
    assert placed[:, 2:-2].std() < 40
