import json
from dataclasses import replace

import msgspec
import pytest

from edged.api.answers import DetectEdge, DetectImage, DetectJob
from edged.delivery.orphans import OpenJob, closing_message
from edged.domain.job import ImageStatus, Job, JobStatus
from edged.domain.message import Reply


def an_orphan(*, images=(), updated=1000, is_replay=False, **more):
    job = {
        "id": "j",
        "createdAt": 900,
        "status": "IN_PROGRESS",
        "feedId": "door",
        "images": list(images),
        "edge": {
            "schema": 1,
            "namespace": "home",
            "device": "d",
            "sequence": 3,
            "origin": "camera",
            "updatedAt": updated,
            "delayedMs": 0,
        },
    } | more
    return OpenJob("j", "home", "door", 3, json.dumps(job).encode(), is_replay=is_replay)


def an_image(*objects, status="COMPLETED_SUCCESSFULLY"):
    return {"id": "i", "url": "edged://d/door/i", "status": status, "objects": list(objects)}


A_FACE = {
    "confidence": 0.9,
    "createdAt": 950,
    "boundingBox": {"xMin": 0.1, "yMin": 0.1, "xMax": 0.2, "yMax": 0.2},
    "edge": {"faceId": "f", "trackId": "t", "decision": "unknown"},
}


@pytest.mark.parametrize(
    ("images", "status"),
    [
        ([], "COMPLETED_ALL_ERROR"),
        ([an_image()], "COMPLETED_ALL_ERROR"),
        ([an_image(), an_image(A_FACE)], "COMPLETED_PARTIAL_ERROR"),
    ],
)
def test_an_orphan_is_closed_by_what_was_usable_of_it(images, status):
    message = closing_message(an_orphan(images=images), 5000)
    job = msgspec.json.decode(message.body, type=Job)
    assert (job.status, job.edge.sequence, job.edge.updated_at) == (status, 4, 5000)
    assert job.is_final
    assert (message.sequence, message.is_final, message.subject_id, message.at_ms) == (4, True, "j", 5000)
    assert (message.namespace, message.feed_id) == ("home", "door")


@pytest.mark.parametrize(
    ("images", "status"),
    [
        ([an_image(status="IN_PROGRESS")], "COMPLETED_ALL_ERROR"),
        ([an_image(status="IMAGE_DOWNLOAD_ERROR")], "COMPLETED_ALL_ERROR"),
        ([an_image(), an_image(status="IN_PROGRESS")], "COMPLETED_PARTIAL_ERROR"),
    ],
)
def test_a_request_has_an_answer_where_a_picture_was_done_though_nobody_is_in_it(images, status):
    reply = Reply("answers", b"1")
    orphan = replace(
        an_orphan(images=images), is_request=True, recipients=("hook:h",), reply=reply, client_id="app"
    )
    message = closing_message(orphan, 5000)
    assert json.loads(message.body)["status"] == status
    assert (message.is_request, message.recipients, message.reply, message.client_id) == (
        True,
        ("hook:h",),
        reply,
        "app",
    )


def test_a_detect_job_is_closed_in_its_own_shape():
    image = DetectImage(id="i", url="u", status=ImageStatus.IN_PROGRESS, objects=())
    job = DetectJob(
        id="j",
        created_at=900,
        status=JobStatus.IN_PROGRESS,
        job_results=(),
        image_results=(image,),
        edge=DetectEdge(schema=1, device="d", sequence=3, updated_at=1000),
    )
    orphan = OpenJob("j", "", "", 3, msgspec.json.encode(job), is_replay=False, is_request=True)
    closed = msgspec.json.decode(closing_message(orphan, 5000).body, type=DetectJob)
    assert (closed.status, closed.edge.sequence, closed.edge.updated_at) == ("COMPLETED_ALL_ERROR", 4, 5000)
    assert [one.status for one in closed.image_results] == ["JOB_ERROR"]


def test_an_image_that_was_in_progress_has_failed_and_the_others_stay_as_they_were():
    done, midway = an_image(A_FACE), an_image(status="IN_PROGRESS")
    job = json.loads(closing_message(an_orphan(images=[done, midway]), 5000).body)
    assert job["images"] == [done, midway | {"status": "JOB_ERROR"}]


def test_a_wall_clock_that_went_back_does_not_make_the_last_word_older_than_the_one_before():
    assert closing_message(an_orphan(updated=9000), 5000).at_ms == 9000


def test_a_replay_stays_in_its_clips_time():
    message = closing_message(an_orphan(updated=1000, is_replay=True), 5000)
    assert (message.at_ms, message.is_replay) == (1000, True)


def test_fields_that_this_edged_does_not_know_are_kept():
    assert json.loads(closing_message(an_orphan(novelty=[1]), 5000).body)["novelty"] == [1]


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{}", b'{"images":{},"edge":{"updatedAt":1}}', b'{"images":[]}']
)
def test_what_is_no_job_is_refused(body):
    with pytest.raises(ValueError):  # noqa: PT011 - msgspec's and ours
        closing_message(OpenJob("j", "home", "door", 1, body, is_replay=False), 5000)
