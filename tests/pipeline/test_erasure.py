"""Somebody who is removed while they are in view, or were a moment ago, is named no more from then on."""

import json

import pytest

from builders.recognition import a_gallery, an_embedding, an_identity, at
from builders.scenes import a_picture, frames, portrait, real_models
from edged.pipeline.examine import examine
from edged.pipeline.feed import FeedPipeline
from edged.recognition.wire import Origin
from edged.settings.feeds import Feed
from edged.settings.recognition import Quality
from edged.settings.root import Settings
from edged.settings.sinks import ConsoleSink
from edged.settings.sources import FileSource

SETTINGS = Settings(feeds=(Feed(id="hall", source=FileSource(path="x")),), sinks=(ConsoleSink(),))
EILEEN = an_identity("Eileen Collins", number=1)
BEN = an_identity("Ben", number=2)
MERGED = an_identity("Colonel Collins", number=3)
FAR = an_embedding((1, 50.0))
"""Nobody who is ever in view."""


@pytest.fixture(scope="module")
def her_face():
    (face,) = examine(real_models(), Quality(), portrait())
    return face.embedding


@pytest.fixture
def with_her(her_face):
    return a_gallery((BEN, [FAR]), (EILEEN, [her_face]))


@pytest.fixture
def without_her():
    return a_gallery((BEN, [FAR]))


@pytest.fixture
def pipeline():
    live = FeedPipeline(Origin("porch", "home", "hall", 1, is_replay=False), SETTINGS, real_models())
    live.begin(at(0))
    return live


def walk(pipeline, pictures, gallery, start_ms=0):
    return [m for frame in frames(pictures, start_ms=start_ms) for m in pipeline.process(frame, gallery)]


def bodies(messages, kind):
    return [json.loads(message.body) for message in messages if message.kind == kind]


def decisions(job):
    return {found["edge"]["decision"] for image in job["images"] for found in image["objects"]}


def test_she_who_is_in_view_is_unknown_with_the_next_frame(pipeline, with_her, without_her):
    walk(pipeline, [a_picture(260)] * 15, with_her)

    messages = walk(pipeline, [a_picture(260)] * 2, without_her, start_ms=1500)

    left, came = bodies(messages, "event")
    assert (left["type"], came["type"]) == ("left", "unknown")
    assert left["trackId"] == came["trackId"]
    assert bodies(messages, "presence")[-1]["persons"][0].keys().isdisjoint({"identityId", "name"})
    assert all(EILEEN.name.encode() not in message.body for message in messages)
    assert all(EILEEN.id.encode() not in message.body for message in messages)


def test_she_who_went_a_moment_ago_is_not_named_in_the_jobs_last_telling(pipeline, with_her, without_her):
    first = walk(pipeline, [a_picture(260)] * 15 + [a_picture(None)] * 20, with_her)
    assert decisions(bodies(first, "job")[-1]) == {"known"}

    messages = walk(pipeline, [a_picture(None)] * 30, without_her, start_ms=3500)

    final = bodies(messages, "job")[-1]
    assert final["status"] == "COMPLETED_SUCCESSFULLY"
    assert decisions(final) == {"unknown"}
    assert final["images"][0]["objects"][0]["edge"]["reason"] == "no longer enrolled"
    assert final["images"][0]["objects"][0]["edge"]["corrected"] is True
    assert [event["type"] for event in bodies(messages, "event")] == ["left"]
    assert all(EILEEN.name.encode() not in message.body for message in messages)
    assert all(EILEEN.id.encode() not in message.body for message in messages)


def test_a_feed_without_frames_hears_of_it_too(pipeline, with_her, without_her):
    walk(pipeline, [a_picture(260)] * 15, with_her)

    messages = pipeline.tick(at(1600), without_her) + pipeline.tick(at(2700), without_her)
    messages += pipeline.tick(at(5000), without_her)

    assert [job["status"] for job in bodies(messages, "job")] == ["IN_PROGRESS", "COMPLETED_SUCCESSFULLY"]
    assert bodies(messages, "presence")[-1]["persons"] == []
    assert all(EILEEN.id.encode() not in message.body for message in messages)


def test_she_who_was_merged_into_another_identity_is_known_as_that_one_at_once(pipeline, with_her, her_face):
    walk(pipeline, [a_picture(260)] * 15, with_her)

    merged = a_gallery((BEN, [FAR]), (MERGED, [her_face]))
    messages = walk(pipeline, [a_picture(260)] * 15, merged, start_ms=1500)

    assert [event["type"] for event in bodies(messages, "event")] == ["left", "known"]
    assert {job["images"][0]["objects"][0]["identityId"] for job in bodies(messages, "job")} == {MERGED.id}


def test_others_in_view_are_not_touched(pipeline, with_her, her_face):
    walk(pipeline, [a_picture(260)] * 15, with_her)

    messages = walk(pipeline, [a_picture(260)] * 5, a_gallery((EILEEN, [her_face])), start_ms=1500)

    assert messages == []
