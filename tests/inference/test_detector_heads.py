"""Real .tflite detectors of each head, from frame to faces; `scripts/models/tiny_models.py` made them."""

import cv2
import numpy as np
import pytest

from builders.own_models import HEADS, add_own
from edged.domain.box import Box
from edged.domain.errors import ModelError
from edged.domain.face import Detection
from edged.inference.catalogue import Catalogue
from edged.inference.models import load_models
from edged.inference.runtime import find_runtime
from edged.inference.verify import verify
from edged.settings.recognition import Models
from edged.vision.alignment import aligned_chip
from edged.vision.keypoints import from_five, upright_in


def a_frame(*cells):
    """640 x 480: dark, with the cells (row, column) of 160 pixels bright; the models see 4 x 3 of them."""
    frame = np.full((480, 640, 3), 30, np.uint8)
    for row, column in cells:
        # The letterbox puts the frame 80 pixels (8 of the input) lower, so that rows begin in the middle.
        frame[160 * row + 80 : 160 * row + 240, 160 * column : 160 * column + 160] = 255
    return frame


def a_detector(folder, name, min_score=0.5, **changes):
    add_own(folder, name, {**HEADS[name], **changes})
    return load_models(Models(directory=str(folder), detector=name, threads=1), min_score).detector


@pytest.mark.parametrize("name", HEADS)
def test_a_face_is_found_where_it_is(tmp_path, name):
    (face,) = a_detector(tmp_path, name).detect(a_frame((0, 2)))
    assert face.box.centre == pytest.approx((400, 160), abs=6)
    assert (face.box.width, face.box.height) == pytest.approx((240, 240), abs=6)
    assert 0.8 < face.score <= 1
    assert face.keypoints.shape == (6, 2)
    assert not face.keypoints.flags.writeable
    right_eye, left_eye = face.keypoints[:2]
    assert right_eye[0] < 400 < left_eye[0]
    assert right_eye[1] == pytest.approx(left_eye[1], abs=3)


@pytest.mark.parametrize("name", HEADS)
def test_several_faces_come_best_first_and_a_dark_frame_has_none(tmp_path, name):
    detector = a_detector(tmp_path, name)
    frame = a_frame((0, 0), (1, 3))
    frame[240:400, 480:640] = 200
    found = detector.detect(frame)
    assert [face.box.centre[0] > 320 for face in found] == [False, True]
    assert found[0].score > found[1].score
    assert detector.detect(a_frame()) == []


@pytest.mark.parametrize("name", ["yunet", "scrfd-int8"])
def test_the_models_own_points_are_used(tmp_path, name):
    (face,) = a_detector(tmp_path, name).detect(a_frame((0, 1)))
    x, y = face.box.centre
    assert face.keypoints[0] == pytest.approx((x - 48, y - 36), abs=6)
    assert face.keypoints[1] == pytest.approx((x + 48, y - 36), abs=6)
    assert face.keypoints[2] == pytest.approx((x, y + 24), abs=6)
    assert face.keypoints[3] == pytest.approx((x, y + 72), abs=6)


def test_the_least_score_is_kept(tmp_path):
    # The tiny YuNet gives every bright cell the root of 1 x 0.81.
    assert len(a_detector(tmp_path, "yunet", 0.85).detect(a_frame((0, 2)))) == 1
    assert a_detector(tmp_path, "yunet", 0.95).detect(a_frame((0, 2))) == []


def test_scores_that_are_logits_are_said_so_in_the_card(tmp_path):
    # Shares taken for logits: 0.5 to 0.73, for all that is bright and all that is dark.
    detector = a_detector(tmp_path, "scrfd-int8", 0.7, scores="logit")
    (face,) = detector.detect(a_frame((0, 2)))
    assert face.score == pytest.approx(1 / (1 + np.exp(-1)), abs=0.01)


def test_another_class_of_an_ssd_is_no_face(tmp_path):
    detector = a_detector(tmp_path, "ssd", face_class=1)
    assert all(face.score == pytest.approx(0.6, abs=0.05) for face in detector.detect(a_frame((0, 2))))


@pytest.mark.parametrize(
    ("name", "head", "words"),
    [
        ("yunet", {"kind": "yunet", "input_px": 128}, "input has the shape"),
        ("yunet", {"kind": "scrfd", "input_px": 64}, "shapes .* card's head wants"),
        ("scrfd-int8", {"kind": "scrfd", "input_px": 64, "per_cell": 3}, "192 x 1"),
        ("yunet", {"kind": "yunet", "input_px": 64, "strides": [8, 16, 64]}, "for 1 x 1 cells"),
        ("ssd", {"kind": "ssd", "input_px": 64}, "in this order"),
        ("yunet", {"kind": "ssd", "input_px": 64}, "4 outputs"),
        (
            "yunet",
            {"kind": "blazeface", "input_px": 64, "grids": []},
            "no one output of the model has size 16",
        ),
    ],
)
def test_a_head_that_the_model_has_not_is_refused_with_what_it_has(tmp_path, name, head, words):
    add_own(tmp_path, name, head)
    with pytest.raises(ModelError, match=words):
        load_models(Models(directory=str(tmp_path), detector=name, threads=1), 0.5)


@pytest.mark.parametrize(
    ("head", "words"),
    [
        ({"kind": "retina", "input_px": 64}, "retina"),
        ({"kind": "yunet"}, "input_px"),
        ({"kind": "yunet", "input_px": 0}, "input_px"),
        ({"kind": "ssd", "input_px": 64, "outputs": ["boxes", "boxes", "scores"]}, "once each"),
        ({"kind": "yunet", "input_px": 64, "input_scale": {"std": [1, 0, 1]}}, "must not be 0"),
        ({"kind": "yunet", "input_px": 64, "input_scale": {"factor": 2, "mean": [1, 1, 1]}}, "not both"),
    ],
)
def test_a_card_that_contradicts_itself_is_refused_by_name(tmp_path, head, words):
    add_own(tmp_path, "yunet", head)
    with pytest.raises(ModelError, match=f"card of model yunet.*{words}"):
        Catalogue(str(tmp_path)).card("yunet")


def test_a_model_without_reference_results_is_run_and_what_it_gives_is_said(tmp_path):
    add_own(tmp_path, "yunet", HEADS["yunet"])
    verdict = verify(Catalogue(str(tmp_path)), "yunet", find_runtime())
    assert verdict.works
    assert "faces in a picture of one" in verdict.deviations[0]


def as_seen_by(face, *, width=1.0, height=1.0, five=False):
    """The face as a detector with a tighter box, and five points or none, would tell of it."""
    x, y = face.box.centre
    half_width, half_height = face.box.width * width / 2, face.box.height * height / 2
    box = Box(x - half_width, y - half_height, x + half_width, y + half_height)
    numbers = upright_in(box)
    if five:
        mouth = face.keypoints[3]
        across = 0.3 * (face.keypoints[1] - face.keypoints[0])
        points = [*face.keypoints[:3], mouth - across, mouth + across]
        numbers = from_five([(float(u), float(v)) for u, v in points])
    return Detection(box, np.array(numbers, np.float32).reshape(6, 2), face.score)


@pytest.mark.parametrize("degrees", [-20, 0, 20])
@pytest.mark.parametrize(
    "told", [{"five": True}, {"five": True, "width": 0.8, "height": 1.1}, {}, {"width": 0.8, "height": 1.1}]
)
def test_five_points_or_a_box_alone_are_enough_for_the_mesh_and_the_chip(models, portrait, told, degrees):
    turn = cv2.getRotationMatrix2D((128, 128), degrees, 1)
    frame = cv2.warpAffine(portrait, turn, (256, 256))
    (face,) = models.detector.detect(frame)

    def looked_at(detection):
        landmarks = models.landmarker.locate(frame, detection)
        return landmarks, models.embedder.embed(aligned_chip(frame, landmarks))

    (wanted, known), (found, seen) = looked_at(face), looked_at(as_seen_by(face, **told))
    eyes = np.linalg.norm(wanted.points[33, :2] - wanted.points[263, :2])
    assert found.presence > 0.9
    assert np.linalg.norm((found.points - wanted.points)[:, :2], axis=1).mean() < 0.08 * eyes
    assert seen @ known > 0.98
