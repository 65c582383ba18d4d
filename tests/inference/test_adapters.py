"""The adapters on the installed runtime; `test_both_runtimes.py` runs this file on the other one too."""

import math

import cv2
import numpy as np
import pytest

from edged.domain.errors import InputError, ModelError
from edged.domain.face import EMBEDDING_SIZE
from edged.inference.card import EmbedderHead
from edged.inference.embedder import ChipEmbedder
from edged.inference.models import load_models
from edged.inference.pixel_scale import FLOAT
from edged.settings.recognition import Models
from edged.vision.alignment import aligned_chip

PORTRAIT_PX = 512
"""Side of the portrait that the published figures are about."""


def detected(models, frame):
    faces = models.detector.detect(frame)
    assert len(faces) == 1
    return faces[0]


def embedded(models, frame):
    landmarks = models.landmarker.locate(frame, detected(models, frame))
    return models.embedder.embed(aligned_chip(frame, landmarks))


def frames_of(path, every=8, most=8):
    capture = cv2.VideoCapture(str(path))
    frames = []
    while len(frames) < most:
        is_there, frame = capture.read()
        if not is_there:
            break
        if int(capture.get(cv2.CAP_PROP_POS_FRAMES)) % every == 0:
            frames.append(frame)
    capture.release()
    return frames


def test_the_short_range_finds_the_portrait_where_it_was_measured(portrait):
    # Figures of another decoder on the same model, in pixels of the whole portrait.
    detector = load_models(Models(detector="blazeface-short-range", threads=1), 0.5).detector
    (face,) = detector.detect(portrait)
    factor = PORTRAIT_PX / portrait.shape[0]
    box = np.array([face.box.x_min, face.box.y_min, face.box.x_max, face.box.y_max]) * factor
    assert face.score == pytest.approx(0.923, abs=0.005)
    assert box == pytest.approx([178.1, 80.9, 272.1, 175.0], abs=0.6)
    right_eye, left_eye, nose, mouth, right_ear, left_ear = face.keypoints * factor
    assert right_eye == pytest.approx([203.9, 100.8], abs=0.6)
    assert left_eye == pytest.approx([248.0, 108.4], abs=0.6)
    assert nose == pytest.approx([222.0, 124.7], abs=0.6)
    assert mouth == pytest.approx([218.9, 145.5], abs=0.6)
    assert right_ear == pytest.approx([177.9, 109.2], abs=0.6)
    assert left_ear == pytest.approx([271.1, 124.7], abs=0.6)


def test_the_full_range_finds_the_same_face(models, portrait):
    face = detected(models, portrait)
    eyes = face.keypoints[:2] * PORTRAIT_PX / portrait.shape[0]
    assert face.score > 0.85
    assert eyes == pytest.approx(np.array([[203.9, 100.8], [248.0, 108.4]]), abs=5)


@pytest.mark.parametrize(("height", "width"), [(480, 640), (720, 1280), (1280, 720), (300, 280)])
def test_a_face_is_found_where_it_was_put_in_a_frame_of_any_shape(models, portrait, height, width):
    side = min(height, width) - 20
    portrait = cv2.resize(portrait, (side, side), interpolation=cv2.INTER_AREA)
    alone = detected(models, portrait)
    frame = np.full((height, width, 3), 90, np.uint8)
    top, left = height - side, width - side
    frame[top:, left:] = portrait
    found = detected(models, frame)
    eye_distance = float(np.linalg.norm(alone.keypoints[0] - alone.keypoints[1]))
    assert np.abs(found.keypoints - alone.keypoints - [left, top]).mean() < 0.15 * eye_distance


def test_a_frame_does_not_show_through_in_the_next_one(models, portrait):
    first = detected(models, portrait)
    models.detector.detect(np.full((720, 1280, 3), 255, np.uint8))
    models.detector.detect(np.full((1280, 720, 3), 255, np.uint8))
    again = detected(models, portrait)
    assert again.box == first.box
    assert again.score == first.score


def test_a_frame_is_left_as_it_was(models, portrait):
    frame = portrait.copy()
    frame.setflags(write=False)
    embedded(models, frame)
    assert (frame == portrait).all()


def test_nobody_is_found_in_a_grey_frame(models):
    assert models.detector.detect(np.full((480, 640, 3), 120, np.uint8)) == []


def test_the_least_score_is_kept(portrait):
    assert load_models(Models(threads=1), min_score=0.95).detector.detect(portrait) == []


def test_the_mesh_has_its_points_on_the_face(models, portrait):
    face = detected(models, portrait)
    landmarks = models.landmarker.locate(portrait, face)
    assert landmarks.points.shape == (468, 3)
    assert landmarks.points.dtype == np.float32
    assert landmarks.presence > 0.99
    right_eye, left_eye = face.keypoints[:2]
    assert landmarks.points[[33, 133], :2].mean(axis=0) == pytest.approx(right_eye, abs=3)
    assert landmarks.points[[362, 263], :2].mean(axis=0) == pytest.approx(left_eye, abs=3)


def test_the_nose_is_nearer_to_the_camera_than_the_ears(models, portrait):
    points = models.landmarker.locate(portrait, detected(models, portrait)).points
    assert points[1, 2] < points[234, 2]
    assert points[1, 2] < points[454, 2]
    width = np.linalg.norm(points[454, :2] - points[234, :2])
    assert 0.2 * width < points[454, 2] - points[1, 2] < 1.2 * width


def test_the_mesh_turns_with_the_face(models, portrait):
    turn = cv2.getRotationMatrix2D((128, 128), 20, 1)
    points = models.landmarker.locate(portrait, detected(models, portrait)).points[:, :2]
    frame = cv2.warpAffine(portrait, turn, (256, 256))
    found = models.landmarker.locate(frame, detected(models, frame)).points[:, :2]
    assert np.abs(points @ turn[:, :2].T + turn[:, 2] - found).mean() < 1.5


def test_where_no_face_is_the_mesh_says_so(models, portrait):
    face = detected(models, portrait)
    landmarks = models.landmarker.locate(np.full_like(portrait, 128), face)
    assert landmarks.presence < 0.1


def test_results_are_read_only(models, portrait):
    face = detected(models, portrait)
    landmarks = models.landmarker.locate(portrait, face)
    embedding = models.embedder.embed(aligned_chip(portrait, landmarks))
    for array in (face.keypoints, landmarks.points, embedding):
        assert not array.flags.writeable


def test_results_stay_when_the_models_run_again(models, portrait):
    face = detected(models, portrait)
    landmarks = models.landmarker.locate(portrait, face)
    chip = aligned_chip(portrait, landmarks)
    embedding = models.embedder.embed(chip)
    kept = face.keypoints.copy(), landmarks.points.copy(), embedding.copy()
    noise = np.random.default_rng(0).integers(0, 256, portrait.shape, np.uint8)
    models.detector.detect(noise)
    models.landmarker.locate(noise, face)
    models.embedder.embed(noise[:150, :150])
    for array, copy in zip((face.keypoints, landmarks.points, embedding), kept, strict=True):
        assert (array == copy).all()


def test_an_embedding_is_the_unit_mean_of_a_chip_and_its_mirror_image(models, portrait):
    chip = np.ascontiguousarray(portrait[20:170, 40:190])
    both = [models.embedder.raw(side) for side in (chip, np.ascontiguousarray(chip[:, ::-1]))]
    mean = sum(vector / np.linalg.norm(vector) for vector in both)
    embedding = models.embedder.embed(chip)
    assert embedding.shape == (EMBEDDING_SIZE,)
    assert embedding.dtype == np.float32
    assert embedding == pytest.approx(mean / np.linalg.norm(mean), abs=1e-6)


def test_a_face_and_its_mirror_image_have_the_same_embedding(models, portrait):
    chip = np.ascontiguousarray(portrait[20:170, 40:190])
    mirrored = np.ascontiguousarray(chip[:, ::-1])
    assert models.embedder.embed(chip) == pytest.approx(models.embedder.embed(mirrored), abs=1e-6)


@pytest.mark.parametrize("shape", [(149, 150, 3), (150, 150), (112, 112, 3)])
def test_a_chip_of_another_size_is_refused(models, shape):
    with pytest.raises(InputError, match="shape"):
        models.embedder.embed(np.zeros(shape, np.uint8))


class SilentNetwork:
    """A model of a kind that its runtime does not really know: it runs, and all its outputs stay zero."""

    def expect_square(self, _side_px):
        pass

    def input_type(self):
        return FLOAT

    def output_with(self, size):
        self.size = size
        return 0

    def input(self):
        return np.zeros((150, 150, 3), np.float32)

    def run(self):
        pass

    def flat(self, _number):
        return np.zeros(self.size, np.float32)


def test_an_embedder_that_gives_nothing_is_told_from_one_that_works():
    silent = ChipEmbedder(SilentNetwork(), EmbedderHead(input_px=150, size=128), "0" * 64)
    with pytest.raises(ModelError, match="length 0"):
        silent.embed(np.zeros((150, 150, 3), np.uint8))


@pytest.mark.parametrize("name", ["dlib-resnet-v1-dynamic-int8", "dlib-resnet-v1-weight-only-int8"])
def test_the_embedder_is_the_one_that_dlib_has(name, shared):
    with np.load(shared / "reference" / "embedder-reference.npz") as reference:
        chips, originals = reference["chips"], reference["embeddings"]
    embedder = load_models(Models(embedder=name, threads=1), 0.5).embedder
    for chip, original in zip(chips, originals, strict=True):
        found = embedder.raw(chip)
        assert found @ original / np.linalg.norm(found) / np.linalg.norm(original) >= 0.999


def test_our_alignment_gives_nearly_what_dlibs_own_gives(models, portrait, shared):
    with np.load(shared / "reference" / "embedder-reference.npz") as reference:
        chip = reference["chips"][list(reference["kind"]).index("astronaut")]
    whole = cv2.resize(portrait, (PORTRAIT_PX, PORTRAIT_PX), interpolation=cv2.INTER_CUBIC)
    assert embedded(models, whole) @ models.embedder.embed(chip) > 0.99


@pytest.mark.footage
@pytest.mark.parametrize(
    ("clip", "other"),
    [("again", "brother"), ("bird", "milk"), ("book", "learn"), ("eat", None), ("hungry", None)],
)
def test_people_on_clips_are_like_themselves_and_unlike_others(models, shared, clip, other):
    clips = shared / "fixtures" / "clips"

    def mean(name):
        vectors = [embedded(models, frame) for frame in frames_of(clips / f"{name}.mkv")]
        assert len(vectors) >= 4
        total = np.sum(vectors, axis=0)
        return total / np.linalg.norm(total)

    strangers = {"again": "eat", "bird": "hungry", "book": "bird", "eat": "milk", "hungry": "learn"}
    probe = mean(clip)
    assert probe @ mean(strangers[clip]) < 0.97
    if other:
        assert probe @ mean(other) > 0.975


@pytest.mark.footage
def test_the_bottle_gives_no_sure_face(models, shared):
    for frame in frames_of(shared / "fixtures" / "clips" / "bottle-detection.mp4", every=20, most=20):
        for face in models.detector.detect(frame):
            assert face.score < 0.65


def test_detections_are_best_first(models, portrait):
    small = cv2.GaussianBlur(cv2.resize(portrait, (180, 180)), (0, 0), 2)
    frame = np.full((256, 512, 3), 90, np.uint8)
    frame[:180, :180], frame[:, 256:] = small, portrait
    scores = [face.score for face in models.detector.detect(frame)]
    assert len(scores) == 2
    assert scores == sorted(scores, reverse=True)
    assert all(math.isfinite(score) and 0.5 <= score <= 1 for score in scores)
