"""One feed's frames through the real models."""

import json
from dataclasses import replace

import msgspec
import numpy as np
import pytest

from builders.recognition import a_gallery, an_identity, at
from builders.scenes import FRAME_MS, a_picture, frames, portrait, real_models
from edged.domain.face import Detection
from edged.domain.frame import Pixels
from edged.pipeline.examine import examine
from edged.pipeline.face_picture import FacePicture
from edged.pipeline.feed import FeedPipeline
from edged.recognition.gallery import Gallery
from edged.recognition.wire import Origin
from edged.settings.feeds import Feed
from edged.settings.presence import Presence
from edged.settings.quantities import Duration
from edged.settings.recognition import Quality
from edged.settings.root import Settings
from edged.settings.sinks import ConsoleSink
from edged.settings.sources import FileSource

SETTINGS = Settings(feeds=(Feed(id="hall", source=FileSource(path="x")),), sinks=(ConsoleSink(),))
EILEEN = an_identity("Eileen Collins")


class CountingDetector:
    """The real detector, with a count of its calls."""

    def __init__(self) -> None:
        self.calls = 0

    def detect(self, pixels: Pixels) -> list[Detection]:
        """As the real one."""
        self.calls += 1
        return real_models().detector.detect(pixels)


@pytest.fixture
def detector():
    return CountingDetector()


@pytest.fixture
def pipeline(detector):
    return a_pipeline(detector)


def a_pipeline(detector, *, is_replay=True, picture=None):
    models = replace(real_models(), detector=detector)
    origin = Origin("porch", "home", "hall", 1, is_replay)
    return FeedPipeline(origin, SETTINGS, models, picture=picture)


@pytest.fixture(scope="module")
def gallery():
    (face,) = examine(real_models(), Quality(), portrait())
    return a_gallery((EILEEN, [face.embedding]))


def walk(pipeline, pictures, gallery, start_ms=0):
    return [m for frame in frames(pictures, start_ms=start_ms) for m in pipeline.process(frame, gallery)]


def bodies(messages, kind):
    return [json.loads(message.body) for message in messages if message.kind == kind]


def test_an_enrolled_person_comes_stays_and_goes(pipeline, gallery):
    messages = walk(pipeline, [a_picture(260)] * 15 + [a_picture(None)] * 110, gallery)

    first, *_, last = bodies(messages, "job")
    assert first["status"] == "IN_PROGRESS"
    assert last["status"] == "COMPLETED_SUCCESSFULLY"
    assert {o["identityId"] for image in last["images"] for o in image["objects"]} == {EILEEN.id}
    assert [event["type"] for event in bodies(messages, "event")] == ["known", "left"]
    assert [len(presence["persons"]) for presence in bodies(messages, "presence")] == [0, 1, 0]


def test_somebody_who_is_not_enrolled_is_unknown(pipeline):
    messages = walk(pipeline, [a_picture(260)] * 15, Gallery.empty()) + pipeline.end(at(1500))

    (event, left) = bodies(messages, "event")
    assert (event["type"], left["type"]) == ("unknown", "left")
    final = bodies(messages, "job")[-1]
    assert final["images"][0]["objects"][0]["edge"]["decision"] == "unknown"


def test_a_still_empty_scene_is_hardly_ever_searched(pipeline, detector, gallery):
    walk(pipeline, [a_picture(None)] * 90, gallery)

    assert detector.calls <= 90 * FRAME_MS / 2000 + 20, "after the hold of two seconds, only rechecks"
    before = detector.calls
    walk(pipeline, [a_picture(None)] * 50, gallery, start_ms=9000)
    assert detector.calls - before <= 1


def test_somebody_who_stands_still_is_not_forgotten(pipeline, gallery):
    messages = walk(pipeline, [a_picture(260)] * 100, gallery)

    assert [event["type"] for event in bodies(messages, "event")] == ["known"]
    assert len(pipeline_persons(messages)) == 1


def pipeline_persons(messages):
    return bodies(messages, "presence")[-1]["persons"]


def test_another_resolution_in_the_middle_goes_on_with_the_same_job(pipeline, gallery):
    walk(pipeline, [a_picture(260)] * 15, gallery)
    smaller = [a_picture(130, x=100, y=60, width=320, height=240)] * 15

    messages = walk(pipeline, smaller, gallery, start_ms=1500) + pipeline.end(at(3000))

    finals = [job for job in bodies(messages, "job") if job["status"] != "IN_PROGRESS"]
    assert len(finals) == 1
    assert all(
        0 <= edge <= 1
        for image in finals[0]["images"]
        for found in image["objects"]
        for edge in found["boundingBox"].values()
    )


def test_a_live_feed_without_frames_still_ends_its_job(detector, gallery):
    live = a_pipeline(detector, is_replay=False)
    live.begin(at(0))
    walk(live, [a_picture(260)] * 15, gallery)

    messages = live.tick(at(1400 + 3000))
    assert [job["status"] for job in bodies(messages, "job")] == ["COMPLETED_SUCCESSFULLY"]
    assert bodies(messages, "presence") == [], "whoever is unseen for so short is still there"
    later = live.tick(at(1400 + 10_000))

    (left,) = bodies(later, "event")
    assert (left["type"], left["jobId"]) == ("left", bodies(messages, "job")[0]["id"])
    assert pipeline_persons(later) == []


def test_who_comes_back_in_time_has_not_left_though_it_is_another_job(detector, gallery):
    live = a_pipeline(detector, is_replay=False)
    live.begin(at(0))
    messages = walk(live, [a_picture(260)] * 15 + [a_picture(None)] * 60, gallery)

    messages += walk(live, [a_picture(260)] * 15, gallery, start_ms=7500)

    assert len({job["id"] for job in bodies(messages, "job")}) == 2
    assert [event["type"] for event in bodies(messages, "event")] == ["known"]
    assert len(live.sights()) == 1


def test_a_feed_that_is_switched_off_lets_everybody_go_at_once(detector, gallery):
    live = a_pipeline(detector, is_replay=False)
    live.begin(at(0))
    walk(live, [a_picture(260)] * 15, gallery)

    messages = live.switch_off(at(1450))

    assert [job["status"] for job in bodies(messages, "job")] == ["COMPLETED_SUCCESSFULLY"]
    assert [event["type"] for event in bodies(messages, "event")] == ["left"]
    assert pipeline_persons(messages) == []
    assert live.tick(at(5000), gallery) == []
    again = walk(live, [a_picture(260)] * 15, gallery, start_ms=9000)
    assert [event["type"] for event in bodies(again, "event")] == ["known"], "on again, as if nothing was"


def test_a_live_feed_begins_by_saying_that_nobody_is_there(detector):
    (message,) = a_pipeline(detector, is_replay=False).begin(at(0))

    assert message.kind == "presence"
    assert bodies([message], "presence")[0]["persons"] == []


def test_a_face_too_poor_to_recognise_is_counted_and_told_as_undecided(pipeline, gallery):
    dark = [np.asarray(a_picture(260) * 0.12, np.uint8)] * 15

    messages = walk(pipeline, dark, gallery) + pipeline.end(at(1500))

    assert pipeline.rejected["too dark"] > 0
    (final,) = bodies(messages, "job")
    assert final["edge"]["sequence"] == 1
    assert final["images"][0]["objects"][0]["edge"]["decision"] == "undecided"
    assert bodies(messages, "event") == []


def test_a_person_removed_from_the_gallery_is_unknown_a_second_later(pipeline, gallery):
    walk(pipeline, [a_picture(260)] * 15, gallery)

    messages = walk(pipeline, [a_picture(260)] * 15, Gallery.empty(), start_ms=1500)

    assert [event["type"] for event in bodies(messages, "event")] == ["left", "unknown"]


def test_the_same_frames_give_the_same_messages(detector, gallery):
    pictures = [a_picture(None)] * 5 + [a_picture(260)] * 12 + [a_picture(None)] * 40

    assert walk(a_pipeline(detector), pictures, gallery) == walk(a_pipeline(detector), pictures, gallery)


def test_a_reload_lets_people_leave_after_another_time(detector, gallery):
    live = a_pipeline(detector, is_replay=False)
    live.begin(at(0))
    walk(live, [a_picture(260)] * 15, gallery)

    live.configure(msgspec.structs.replace(SETTINGS, presence=Presence(leave_after=Duration(1))))

    messages = live.tick(at(1400 + 1000))
    assert [event["type"] for event in bodies(messages, "event")] == ["left"]
    assert pipeline_persons(messages) == []


class Board:
    """Keeps which pictures are shown."""

    def __init__(self):
        self.shown = []

    def show(self, image):
        """Take note of a picture."""
        self.shown.append(image)

    def hide(self, feed_id):
        """Take note of that none is shown."""
        self.shown.append(feed_id)


def test_somebody_who_came_is_shown_until_they_are_removed(detector, gallery):
    board = Board()
    live = a_pipeline(detector, is_replay=False, picture=FacePicture("home", "hall", board.show, board.hide))
    live.begin(at(0))
    walk(live, [a_picture(260)] * 15, gallery)

    (image, *more) = board.shown
    assert (image.namespace, image.feed_id, image.identity_id) == ("home", "hall", EILEEN.id)
    assert [one.identity_id for one in more] == [EILEEN.id] * len(more)
    live.tick(at(20_000), gallery)
    live.tick(at(20_001), Gallery.empty())
    assert board.shown[-1] == "hall", "long gone, and still shown until then"


def test_a_feed_that_is_switched_off_shows_nobody(detector, gallery):
    board = Board()
    live = a_pipeline(detector, is_replay=False, picture=FacePicture("home", "hall", board.show, board.hide))
    live.begin(at(0))
    walk(live, [a_picture(260)] * 15, gallery)

    live.switch_off(at(1500))
    live.switch_off(at(1600))

    assert board.shown.count("hall") == 1
