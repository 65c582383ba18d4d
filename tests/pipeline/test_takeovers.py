"""One place, two people: a track that somebody else has now, and things that are no faces."""

import itertools
import json
from functools import cache

import cv2
import msgspec
import numpy as np
import pytest

from bench.daemon import BOTTLE, CLIPS, CLIPS_OF
from builders.recognition import a_calibration, a_gallery, an_identity, at
from builders.scenes import FRAME_MS, PORTRAIT, a_picture, frames, portrait, real_models
from edged.domain.feed_state import FeedState
from edged.inference.models import load_models
from edged.pipeline.examine import examine
from edged.pipeline.feed import FeedPipeline
from edged.recognition.wire import Origin
from edged.settings.feeds import Feed
from edged.settings.recognition import Detection, Models, Quality
from edged.settings.root import Settings
from edged.settings.sinks import ConsoleSink
from edged.settings.sources import FileSource

SETTINGS = Settings(feeds=(Feed(id="hall", source=FileSource(path="x")),), sinks=(ConsoleSink(),))
EILEEN = an_identity("Eileen Collins")
footage = pytest.mark.skipif(not CLIPS.is_dir(), reason=f"the shared footage is not at {CLIPS}")


def a_pipeline(settings=SETTINGS):
    models = real_models()
    return FeedPipeline(Origin("porch", "home", "hall", 1, is_replay=True), settings, models)


@pytest.fixture(scope="module")
def gallery():
    (face,) = examine(real_models(), Quality(), portrait())
    return a_gallery((EILEEN, [face.embedding]), calibration=a_calibration())


def face_box(picture):
    """Left, upper edge and side of the best face."""
    box = real_models().detector.detect(picture)[0].box
    return box.x_min, box.y_min, box.width


def into(box, other):
    """The move of pictures that brings one box onto the other."""
    scale = other[2] / box[2]
    return np.array([[scale, 0, other[0] - scale * box[0]], [0, scale, other[1] - scale * box[1]]])


def moved_by(move, picture):
    """The moved picture; what was beyond its edges is like them."""
    size = picture.shape[1], picture.shape[0]
    return cv2.warpAffine(picture, move, size, borderMode=cv2.BORDER_REPLICATE).astype(np.uint8)


@cache
def eileen():
    return a_picture(260)


@cache
def somebody_else():
    """Grace Hopper of the sample scene, where Eileen Collins is in `eileen()`."""
    capture = cv2.VideoCapture(str(PORTRAIT.parent / "scene.mp4"))
    capture.set(cv2.CAP_PROP_POS_FRAMES, 275)
    picture = np.asarray(capture.read()[1], np.uint8)
    return moved_by(into(face_box(picture), face_box(eileen())), picture)


def seen(pipeline, pictures, gallery):
    """What the pipeline tells of these pictures and of their end."""
    messages = [m for frame in frames(pictures) for m in pipeline.process(frame, gallery)]
    return messages + pipeline.end(at(len(pictures) * FRAME_MS))


def bodies(messages, kind):
    return [json.loads(message.body) for message in messages if message.kind == kind]


def last_faces(messages):
    """The faces of the last job, and the time each was seen."""
    (*_, final) = bodies(messages, "job")
    return [found for image in final["images"] for found in image["objects"]]


class TestTakeover:
    def test_two_people_at_one_place_are_two_tracks_with_a_decision_each(self, gallery):
        pipeline = a_pipeline()

        messages = seen(pipeline, [eileen()] * 15 + [somebody_else()] * 25, gallery)

        faces = last_faces(messages)
        decisions = {found["edge"]["trackId"]: found["edge"]["decision"] for found in faces}
        assert list(decisions.values()) == ["known", "unknown"]
        assert pipeline.takeovers == 1
        assert [event["type"] for event in bodies(messages, "event")] == ["known", "unknown", "left", "left"]
        people = max(bodies(messages, "presence"), key=lambda presence: len(presence["persons"]))["persons"]
        assert {person["trackId"] for person in people} == set(decisions)

    def test_no_picture_of_the_newcomer_bears_the_first_ones_name(self, gallery):
        messages = seen(a_pipeline(), [eileen()] * 15 + [somebody_else()] * 25, gallery)

        swapped_ms = at(15 * FRAME_MS).utc_ms
        for found in last_faces(messages):
            assert ("identityId" in found) == (found["createdAt"] < swapped_ms)

    def test_the_other_way_round_the_newcomer_is_known(self, gallery):
        messages = seen(a_pipeline(), [somebody_else()] * 15 + [eileen()] * 20, gallery)

        assert [event["type"] for event in bodies(messages, "event")][:2] == ["unknown", "known"]

    @pytest.mark.parametrize("place", [2, 4, 10])
    def test_one_odd_face_changes_nothing(self, gallery, place):
        pictures = [eileen()] * 25
        pictures[place] = somebody_else()
        pipeline = a_pipeline()

        messages = seen(pipeline, pictures, gallery)

        assert pipeline.takeovers == 0
        assert [event["type"] for event in bodies(messages, "event")] == ["known", "left"]
        assert {found["edge"]["decision"] for found in last_faces(messages)} == {"known"}

    def test_an_odd_face_that_comes_first_makes_no_track_of_its_own(self, gallery):
        pipeline = a_pipeline()

        messages = seen(pipeline, [somebody_else(), *[eileen()] * 20], gallery)

        assert pipeline.takeovers == 0
        assert pipeline.rejected["unlike the rest of its track"] == 1
        assert [event["type"] for event in bodies(messages, "event")] == ["known", "left"]

    def test_the_same_frames_split_into_the_same_tracks(self, gallery):
        pictures = [eileen()] * 12 + [somebody_else()] * 12 + [eileen()] * 12

        once, again = (seen(a_pipeline(), pictures, gallery) for _ in range(2))

        assert once == again
        assert len({found["edge"]["trackId"] for found in last_faces(once)}) == 3


class TestCounting:
    def test_what_is_counted_reaches_the_feeds_state(self, gallery):
        pipeline = a_pipeline()
        seen(pipeline, [eileen()] * 2, gallery)
        state = FeedState(
            feed_id="hall",
            namespace="home",
            device="porch",
            capturing=True,
            state="capturing",
            fps=10,
            frames=2,
            dropped=0,
            reconnections=0,
            at=0,
        )

        told = json.loads(msgspec.json.encode(pipeline.added_to(state)))

        assert told["refused"] == {"gone too soon": 1}
        assert "takeovers" not in told, "absent when there were none"
        assert "grey" not in told

    def test_a_feed_in_infrared_light_says_so(self, gallery):
        pipeline = a_pipeline()
        grey = cv2.cvtColor(cv2.cvtColor(eileen(), cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)

        messages = seen(pipeline, [np.asarray(grey, np.uint8)] * 15, gallery)

        assert pipeline.is_grey
        assert [event["type"] for event in bodies(messages, "event")] == ["known", "left"], (
            "and is recognised"
        )

    def test_each_face_that_is_too_small_to_look_at_is_counted_once(self, gallery):
        pipeline = a_pipeline(msgspec.structs.replace(SETTINGS, detection=Detection(min_face_px=500)))

        seen(pipeline, [eileen()] * 7, gallery)

        assert pipeline.rejected == {"smaller than min_face_px": 7}
        assert pipeline.refused == {}

    def test_each_look_at_a_weak_face_is_counted_once_under_each_of_its_reasons(self, gallery):
        pipeline = a_pipeline()
        dark = np.asarray(eileen() * 0.12, np.uint8)

        seen(pipeline, [dark] * 9, gallery)

        looks = pipeline.rejected["too dark"]
        assert 3 <= looks <= 9
        assert all(count <= looks for count in pipeline.rejected.values())


def clip(name, first=0, count=40):
    """Frames of a clip, ten in a second."""
    capture = cv2.VideoCapture(str(CLIPS / name))
    pictures = []
    for number in itertools.count():
        if not capture.grab() or len(pictures) == first + count:
            return pictures[first:]
        if number % 3 == 0:
            pictures.append(np.asarray(capture.retrieve()[1], np.uint8))
    return pictures


@pytest.fixture(scope="module")
def household():
    """asl_A and asl_C, enrolled from a clip each."""
    people = []
    for number, person in enumerate(("asl_A", "asl_C"), 1):
        pictures = clip(CLIPS_OF[person][0])[::4]
        found = [face for picture in pictures for face in examine(real_models(), Quality(), picture)]
        embeddings = [face.embedding for face in found if face.embedding is not None]
        people.append((an_identity(person, number=number), embeddings))
    return a_gallery(*people, calibration=a_calibration())


@pytest.mark.footage
@footage
class TestFootage:
    @pytest.mark.parametrize(
        ("first", "then", "names"),
        [
            ("brother.mkv", "learn.mkv", ["asl_A", None]),
            ("hungry.mkv", "milk.mkv", [None, "asl_C"]),
            ("milk.mkv", "brother.mkv", ["asl_C", "asl_A"]),
        ],
    )
    def test_who_steps_into_anothers_place_gets_a_track_and_a_name_of_their_own(
        self, household, first, then, names
    ):
        before = clip(first, count=14)
        box = face_box(before[-1])
        after = clip(then, count=16)
        move = into(face_box(after[0]), box)
        moved = [moved_by(move, picture) for picture in after]
        pipeline = a_pipeline()

        messages = seen(pipeline, before + moved, household)

        told = {found["edge"]["trackId"]: found["edge"].get("name") for found in last_faces(messages)}
        assert pipeline.takeovers == 1
        assert list(told.values()) == names

    @pytest.mark.parametrize("place", [4, 12])
    def test_one_frame_of_somebody_else_makes_no_second_track(self, household, place):
        pictures = clip("brother.mkv", count=20)
        other = clip("learn.mkv", count=1)[0]
        pictures[place] = moved_by(into(face_box(other), face_box(pictures[place])), other)
        pipeline = a_pipeline()

        messages = seen(pipeline, pictures, household)

        assert pipeline.takeovers == 0
        assert {found["edge"].get("name") for found in last_faces(messages)} == {"asl_A"}

    @pytest.mark.parametrize("person", ["again.mkv", "bird.mkv", "book.mkv", "eat.mkv", "hungry.mkv"])
    def test_nobody_is_taken_for_two_or_for_no_face(self, household, person):
        pipeline = a_pipeline()

        messages = seen(pipeline, clip(person), household)

        assert pipeline.takeovers == 0
        assert pipeline.refused == {}
        first = bodies(messages, "job")[0]
        assert first["createdAt"] - at(0).utc_ms <= 300, "believed as soon as three looks allow, or one later"

    @pytest.mark.parametrize("score", [0.5, 0.3])
    def test_bottles_and_hands_never_become_a_track(self, household, score):
        settings = msgspec.structs.replace(SETTINGS, detection=Detection(min_score=score))
        models = real_models() if score == 0.5 else keen_models()
        pipeline = FeedPipeline(Origin("porch", "home", "hall", 1, is_replay=True), settings, models)

        messages = seen(pipeline, clip(BOTTLE, count=67), household)

        assert bodies(messages, "job") == []
        assert sum(pipeline.refused.values()) > 0, "the detector no longer fires here"


@cache
def keen_models():
    """The shipped models, with a detector that fires sooner."""
    return load_models(Models(threads=1), min_score=0.3)
