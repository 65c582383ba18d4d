from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders.chips import a_drawn_face, in_grey, with_mask, with_sunglasses
from builders.faces_in_motion import a_detection
from builders.meshes import a_mesh, landmarks, turned
from builders.scenes import portrait
from edged.domain.face import CHIP_SIZE_PX, Rejection
from edged.inference.models import load_models
from edged.settings.recognition import Models, Quality
from edged.vision.alignment import aligned_chip
from edged.vision.quality import assess

CLIPS = Path(__file__).parents[3] / "shared" / "fixtures" / "clips"


def a_chip(*, brightness=128.0, contrast=30.0, blur_px=0.0):
    """Random structure of all sizes a face has, with that mean and deviation in its middle."""
    chance = np.random.default_rng(5)
    coarse = cv2.resize(chance.normal(0, 1, (12, 12)).astype(np.float32), (CHIP_SIZE_PX, CHIP_SIZE_PX))
    fine = cv2.GaussianBlur(chance.normal(0, 1, (CHIP_SIZE_PX, CHIP_SIZE_PX)).astype(np.float32), (0, 0), 2)
    grey = coarse + fine
    if blur_px:
        grey = cv2.GaussianBlur(grey, (0, 0), blur_px)
    middle = grey[15:-15, 15:-15]
    grey = (grey - middle.mean()) / middle.std() * contrast + brightness
    return cv2.cvtColor(np.clip(np.round(grey), 0, 255).astype(np.uint8), cv2.COLOR_GRAY2RGB)


def assessed(points=None, chip=None, *, presence=1.0, score=1.0, frame=(640, 480), **limits):
    points = a_mesh() if points is None else points
    return assess(
        Quality(**limits),
        *frame,
        a_detection(score=score),
        landmarks(points, presence),
        a_chip() if chip is None else chip,
    )


def test_a_good_face_has_nothing_against_it():
    found = assessed()
    assert found.is_good
    assert found.score > 0.7


def test_the_measures_are_those_of_the_face():
    found = assessed(turned(a_mesh(eyes_px=30), yaw=10, roll=-5), a_chip(brightness=100, contrast=20))
    assert found.size_px == pytest.approx(30, rel=0.05)
    assert found.brightness == pytest.approx(100, abs=1)
    assert found.contrast == pytest.approx(20, abs=0.5)
    assert (found.yaw_deg, found.pitch_deg, found.roll_deg) == pytest.approx((10, 0, -5), abs=0.1)


@pytest.mark.parametrize(
    ("spoilt", "reason"),
    [
        ({"points": a_mesh(eyes_px=10)}, Rejection.TOO_SMALL),
        ({"chip": a_chip(blur_px=8)}, Rejection.BLURRED),
        ({"points": turned(a_mesh(), yaw=50)}, Rejection.TURNED),
        ({"points": turned(a_mesh(), yaw=-50)}, Rejection.TURNED),
        ({"points": turned(a_mesh(), pitch=45)}, Rejection.TURNED),
        ({"points": turned(a_mesh(), roll=-60)}, Rejection.TILTED),
        ({"chip": a_chip(brightness=20, contrast=8)}, Rejection.TOO_DARK),
        ({"chip": a_chip(brightness=240, contrast=8)}, Rejection.TOO_BRIGHT),
        ({"chip": a_chip(contrast=3)}, Rejection.FLAT),
        ({"points": a_mesh(x=10)}, Rejection.CUT_OFF),
        ({"points": a_mesh(y=470)}, Rejection.CUT_OFF),
        ({"presence": 0.3}, Rejection.NO_FACE),
    ],
)
def test_each_fault_has_its_own_reason_and_costs_score(spoilt, reason):
    found = assessed(**spoilt)
    assert found.rejections == (reason,)
    assert found.score < assessed().score / 1.5


def test_several_faults_are_all_told():
    found = assessed(a_mesh(eyes_px=10, x=5), a_chip(brightness=10, contrast=3), presence=0.1)
    assert set(found.rejections) == {
        Rejection.TOO_SMALL,
        Rejection.TOO_DARK,
        Rejection.FLAT,
        Rejection.CUT_OFF,
        Rejection.NO_FACE,
    }


def test_a_face_at_the_very_edge_is_not_cut_off():
    points = a_mesh()
    points[:, 0] -= points[:, 0].min()
    assert assessed(points).is_good


def test_dim_light_alone_is_no_blur():
    bright, dim = assessed(chip=a_chip(contrast=40)), assessed(chip=a_chip(brightness=60, contrast=10))
    assert dim.sharpness == pytest.approx(bright.sharpness, rel=0.15)


def test_the_more_blurred_the_less_sharp_and_the_lower_the_score():
    found = [assessed(chip=a_chip(blur_px=blur)) for blur in (0, 1, 2, 4, 8)]
    assert [f.sharpness for f in found] == sorted((f.sharpness for f in found), reverse=True)
    assert [f.score for f in found] == sorted((f.score for f in found), reverse=True)


def test_each_limit_is_the_settings():
    points = turned(a_mesh(eyes_px=30), yaw=20)
    assert assessed(points).is_good
    assert assessed(points, max_yaw_deg=15.0).rejections == (Rejection.TURNED,)
    assert assessed(points, min_size_px=40.0).rejections == (Rejection.TOO_SMALL,)
    assert assessed(points, min_sharpness=10000.0).rejections == (Rejection.BLURRED,)


@pytest.mark.parametrize("value", [0, 255])
def test_a_chip_of_one_colour_is_measured_without_trouble(value):
    found = assessed(chip=np.full((CHIP_SIZE_PX, CHIP_SIZE_PX, 3), value, np.uint8))
    assert Rejection.FLAT in found.rejections
    assert found.score == 0


def test_a_covered_face_weighs_little_and_is_refused_only_where_that_is_asked_for():
    bare, covered = assessed(chip=a_drawn_face()), assessed(chip=with_sunglasses(a_drawn_face()))
    assert not bare.is_covered
    assert covered.is_covered
    assert covered.is_good
    assert covered.score < bare.score / 4
    strict = assessed(chip=with_sunglasses(a_drawn_face()), max_occlusion=0.5)
    assert strict.rejections == (Rejection.COVERED,)
    assert assessed(chip=a_drawn_face(), max_occlusion=0.5).is_good


def test_a_grey_face_is_known_as_grey_and_weighs_as_much():
    colour, grey = assessed(chip=a_drawn_face()), assessed(chip=in_grey(a_drawn_face()))
    assert (colour.is_grey, grey.is_grey) == (False, True)
    assert grey.score == pytest.approx(colour.score, rel=0.02)


def test_frontality_is_told_with_the_angles():
    assert assessed().frontality == pytest.approx(1, abs=1e-3)
    assert assessed(turned(a_mesh(), yaw=30)).frontality == pytest.approx(0.866, abs=5e-3)


def test_limits_of_zero_switch_a_measure_off():
    off = {
        "min_sharpness": 0.0,
        "min_brightness": 0.0,
        "max_brightness": 255.0,
        "min_contrast": 0.0,
        "min_presence": 0.0,
    }
    black = np.zeros((CHIP_SIZE_PX, CHIP_SIZE_PX, 3), np.uint8)
    assert assessed(chip=black, **off).is_good


@given(
    st.floats(4, 200),
    st.floats(-89, 89),
    st.floats(-89, 89),
    st.floats(-180, 180),
    st.floats(0, 1),
    st.floats(0, 1),
)
def test_the_score_is_a_share_and_falls_with_presence(eyes_px, yaw, pitch, roll, presence, score):
    points = turned(a_mesh(eyes_px=eyes_px), yaw=yaw, pitch=pitch, roll=roll)
    found = assessed(points, presence=presence, score=score)
    assert 0 <= found.score <= 1
    assert found.score <= assessed(points, presence=1.0, score=score).score + 1e-6


@given(st.floats(0, 85), st.floats(0, 85))
def test_the_more_turned_the_lower_the_score(less, more):
    less, more = sorted((less, more))
    assert assessed(turned(a_mesh(), yaw=more)).score <= assessed(turned(a_mesh(), yaw=less)).score + 1e-3


@pytest.mark.parametrize(
    ("worn", "covered"),
    [(lambda chip: chip, False), (with_sunglasses, True), (with_mask, True)],
    ids=["nothing", "sunglasses", "mask"],
)
def test_what_a_real_face_wears_is_seen(models, worn, covered):
    (detection,) = models.detector.detect(portrait())
    mesh = models.landmarker.locate(portrait(), detection)
    chip = worn(aligned_chip(portrait(), mesh))
    height, width = portrait().shape[:2]
    assert assess(Quality(), width, height, detection, mesh, chip).is_covered == covered


PEOPLE = (
    "again.mkv",
    "bird.mkv",
    "book.mkv",
    "brother.mkv",
    "eat.mkv",
    "hungry.mkv",
    "learn.mkv",
    "milk.mkv",
)


@pytest.fixture(scope="module")
def models():
    return load_models(Models(), min_score=0.5)


@pytest.mark.footage
@pytest.mark.skipif(not CLIPS.is_dir(), reason=f"the shared footage is not at {CLIPS}")
class TestFootage:
    @staticmethod
    def found_in(models, name, *, every, blur_px=0.0):
        """The qualities of the faces in every so many frames of a clip, blurred if asked for."""
        capture = cv2.VideoCapture(str(CLIPS / name))
        try:
            number = 0
            while capture.grab():
                number += 1
                if number % every:
                    continue
                picture = capture.retrieve()[1]
                if blur_px:
                    picture = cv2.GaussianBlur(picture, (0, 0), blur_px)
                for detection in models.detector.detect(picture):
                    mesh = models.landmarker.locate(picture, detection)
                    chip = aligned_chip(picture, mesh)
                    yield assess(Quality(), picture.shape[1], picture.shape[0], detection, mesh, chip)
        finally:
            capture.release()

    @pytest.mark.parametrize("clip", PEOPLE)
    def test_nearly_every_face_is_good_enough(self, models, clip):
        found = list(self.found_in(models, clip, every=5))
        assert len(found) >= 9
        assert sum(quality.is_good for quality in found) >= 0.9 * len(found)
        assert not any(quality.is_covered for quality in found)
        assert not any(quality.is_grey for quality in found)

    @pytest.mark.parametrize("clip", ["bird.mkv", "hungry.mkv", "milk.mkv"])
    def test_out_of_focus_every_face_is_blurred(self, models, clip):
        found = list(self.found_in(models, clip, every=10, blur_px=4))
        assert len(found) >= 4
        assert all(Rejection.BLURRED in quality.rejections for quality in found)

    def test_what_the_detector_takes_for_a_face_beside_the_bottles_is_none(self, models):
        found = list(self.found_in(models, "bottle-detection.mp4", every=7))
        assert found, "the detector no longer fires here: this test has lost its sense"
        assert all(Rejection.NO_FACE in quality.rejections for quality in found)
