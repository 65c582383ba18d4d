"""Requests from the asking to the last telling, with the real models, threads and outbox."""

import sqlite3
import threading

import msgspec
import numpy as np
import pytest

from builders.recognition import an_identity
from builders.requests import Office, Web, a_jpeg, a_request, until, with_models
from builders.scenes import a_picture, portrait, real_models
from edged.api.problem import Code, Problem
from edged.api.requests import ClassItem, DetectRequest, ExclusionZones, ImageItem
from edged.domain.identity import GalleryChange, IdentityFaces
from edged.domain.message import Reply
from edged.pipeline.examine import examine
from edged.settings.history import History
from edged.settings.quantities import Size
from edged.settings.recognition import Quality
from edged.settings.requests import Requests
from edged.store.history_records import HistoryRecords
from edged.store.history_store import HistoryStore
from edged.store.namespace_files import namespace_path
from edged.store.namespace_store import NamespaceStore
from edged.system.clock import SystemClock

EILEEN = an_identity("Eileen Collins")


@pytest.fixture
def office(tmp_path):
    opened = []

    def open_(**parts):
        opened.append(Office(tmp_path, **parts))
        return opened[-1]

    yield open_
    for one in opened:
        one.close()


def eileen(revision=1):
    (face,) = examine(real_models(), Quality(), portrait())
    return GalleryChange(revision, (IdentityFaces(EILEEN, np.stack([face.embedding])),), ())


def refused(call):
    with pytest.raises(Problem) as caught:
        call()
    return caught.value


def statuses(job):
    return [image["status"] for image in job["images"]]


def test_a_request_is_taken_on_in_progress_and_told_to_its_end(office):
    work = office(web=Web(**{"https://x.example/face": a_jpeg()}))
    work.galleries.apply("home", eileen())

    first = work.clerk.recognize(
        "home",
        a_request(a_jpeg(), "https://x.example/face", custom_id="c1", feed_id="door"),
        client_id="app",
        recipients=("hook:1",),
        reply=Reply("answers", b"7"),
    )

    assert first.status == "IN_PROGRESS"
    assert [image.status for image in first.images] == ["IN_PROGRESS"] * 2
    assert work.outbox.bodies(first.id)[0]["images"][0]["status"] == "IN_PROGRESS", "durable when it returns"
    last = work.final(first.id)
    assert last["status"] == "COMPLETED_SUCCESSFULLY"
    assert (last["customId"], last["feedId"], last["edge"]["origin"]) == ("c1", "door", "api")
    assert [image["objects"][0]["identityId"] for image in last["images"]] == [EILEEN.id] * 2
    assert [image["url"] for image in last["images"]] == [
        f"edged://porch/door/{first.images[0].id}",
        "https://x.example/face",
    ]
    message = work.outbox.told[-1]
    assert (message.is_request, message.is_final, message.recipients) == (True, True, ("hook:1",))
    assert (message.reply, message.client_id, message.feed_id) == (Reply("answers", b"7"), "app", "door")


def test_sequences_count_and_the_history_has_what_the_outbox_has(office):
    work = office()

    job = work.clerk.recognize("home", a_request(a_jpeg()))
    work.final(job.id)
    until(lambda: work.clerk.is_idle)

    told = work.outbox.bodies(job.id)
    assert [one["edge"]["sequence"] for one in told] == list(range(1, len(told) + 1))
    assert [entry.job.edge.sequence for _, entry in work.shelf.entries] == list(range(1, len(told) + 1))
    _, last = work.shelf.entries[-1]
    (face,) = last.faces
    assert face.id == told[-1]["images"][0]["objects"][0]["edge"]["faceId"]
    assert face.embedding is not None
    assert face.chip is not None
    assert face.feed_id is None


def test_a_job_can_be_asked_for_as_soon_as_it_is_taken_on(office, tmp_path):
    ids = (f"id {number}" for number in range(1000))
    records = HistoryRecords(tmp_path, ("home",), History(), SystemClock(), ids.__next__)
    work = office(history=records, keeps_pictures=True)

    def kept(job_id):
        with NamespaceStore.open(namespace_path(tmp_path, "home"), SystemClock(), ids.__next__) as store:
            history = HistoryStore(store)
            job = msgspec.json.decode(history.job(job_id))
            return job, history.picture(job["images"][0]["id"])

    job = work.clerk.recognize("home", a_request(a_jpeg()))

    assert kept(job.id)[0]["id"] == job.id
    work.final(job.id)
    until(lambda: work.clerk.is_idle)
    last, picture = kept(job.id)
    assert last == work.outbox.bodies(job.id)[-1]
    assert picture.startswith(b"\xff\xd8")


def test_each_picture_has_its_own_error(office):
    bomb = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + (60000).to_bytes(4, "big") * 2 + b"\x08\x02\0\0\0"
    work = office()

    job = work.clerk.recognize(
        "home", a_request(a_jpeg(), "https://gone.example", b"GIF89a no", bomb, a_jpeg()[:200])
    )

    last = work.final(job.id)
    assert last["status"] == "COMPLETED_PARTIAL_ERROR"
    assert statuses(last) == [
        "COMPLETED_SUCCESSFULLY",
        "IMAGE_DOWNLOAD_ERROR",
        *["INVALID_IMAGE_FORMAT_ERROR"] * 3,
    ]
    assert work.clerk.counts().images == {
        "COMPLETED_SUCCESSFULLY": 1,
        "IMAGE_DOWNLOAD_ERROR": 1,
        "INVALID_IMAGE_FORMAT_ERROR": 3,
    }


class BrokenDetector:
    """A detector whose runtime has failed."""

    def detect(self, _pixels):
        raise RuntimeError("the delegate is gone")


class BrokenEmbedder:
    """An embedder whose runtime has failed."""

    model_hash = "0" * 64

    def embed(self, _chip):
        raise RuntimeError("the delegate is gone")


@pytest.mark.parametrize(
    ("parts", "status"),
    [
        ({"detector": BrokenDetector()}, "DETECTION_ENGINE_ERROR"),
        ({"embedder": BrokenEmbedder()}, "MODEL_SERVICE_ERROR"),
    ],
)
def test_a_model_that_fails_is_told_and_logged(office, parts, status, caplog):
    work = office(models=with_models(**parts))

    job = work.clerk.recognize("home", a_request(a_jpeg()))

    last = work.final(job.id)
    assert (last["status"], statuses(last)) == ("COMPLETED_ALL_ERROR", [status])
    assert "the delegate is gone" in caplog.text
    assert work.recogniser.failure is None


def test_what_does_not_fit_is_refused_with_a_time_to_ask_again(office):
    work = office(requests=Requests(max_images=64), has_models=False)
    work.clerk.recognize("home", a_request(*[a_jpeg()] * 64))

    problem = refused(lambda: work.clerk.recognize("home", a_request(a_jpeg())))

    assert problem.code == Code.TOO_MANY
    assert problem.retry_after_s >= 1
    assert (work.clerk.counts().accepted, work.clerk.counts().refused, work.clerk.counts().waiting) == (
        1,
        1,
        64,
    )
    work.start_models()
    until(lambda: work.clerk.is_idle)
    assert work.clerk.counts().waiting_bytes == 0
    work.clerk.recognize("home", a_request(a_jpeg()))


def test_a_request_that_never_fits_is_told_so(office):
    work = office(requests=Requests(max_bytes=Size(1_000_000)))

    assert refused(lambda: work.clerk.recognize("home", a_request(bytes(1_000_001)))).code == Code.TOO_LARGE


def test_a_job_waits_for_the_people_who_were_enrolled_before_it(office):
    work = office(stored_revision=lambda _: 5)

    job = work.clerk.recognize("home", a_request(a_jpeg()))
    until(lambda: work.wakes > 0)
    assert len(work.outbox.bodies(job.id)) == 1
    work.galleries.apply("home", eileen(revision=5))

    assert work.final(job.id)["images"][0]["objects"][0]["identityId"] == EILEEN.id


def test_an_outbox_that_fails_refuses_new_jobs_and_loses_none_of_the_old(office, caplog):
    work = office(has_models=False)
    job = work.clerk.recognize("home", a_request(a_jpeg()))
    work.outbox.is_broken = True

    problem = refused(lambda: work.clerk.recognize("home", a_request(a_jpeg())))
    assert (problem.code, problem.status) == (Code.UNAVAILABLE, 503)
    tries = work.outbox.tries
    work.start_models()
    until(lambda: work.outbox.tries > tries + 1)
    assert work.clerk.is_stuck
    work.outbox.is_broken = False

    last = work.final(job.id)
    assert (last["status"], last["edge"]["sequence"]) == ("COMPLETED_SUCCESSFULLY", 2)
    assert "wait in memory" in caplog.text
    assert work.clerk.counts().waiting == 0


def test_a_history_that_fails_keeps_what_it_missed(office):
    work = office()
    work.shelf.is_broken = True

    job = work.clerk.recognize("home", a_request(a_jpeg()))
    work.final(job.id)
    assert not work.clerk.is_idle
    work.shelf.is_broken = False

    until(lambda: work.clerk.is_idle)
    _, entry = work.shelf.entries[-1]
    assert entry.job.status == "COMPLETED_SUCCESSFULLY"
    assert len(entry.faces) == 1


def test_a_daemon_that_ends_leaves_its_jobs_open_in_the_outbox(office, tmp_path):
    work = office(has_models=False)
    job = work.clerk.recognize("home", a_request(a_jpeg()))

    assert work.clerk.stop(10)

    assert refused(lambda: work.clerk.recognize("home", a_request(a_jpeg()))).code == Code.UNAVAILABLE
    assert work.shelf.is_closed
    with sqlite3.connect(tmp_path / "outbox.db") as reading:
        assert reading.execute("SELECT job_id FROM open_job").fetchall() == [(job.id,)]
    reading.close()


def test_a_small_job_is_not_held_up_by_a_large_one(office):
    work = office(has_models=False)
    wall = a_jpeg(a_picture(None))
    large = work.clerk.recognize("home", a_request(*[wall] * 30))
    small = work.clerk.recognize("home", a_request(wall))
    until(lambda: work.desk.depth == 31)

    while work.desk.depth > 29 or not work.desk.is_free:
        work.desk.step()

    assert work.final(small.id)["status"] == "COMPLETED_SUCCESSFULLY"
    assert work.outbox.bodies(large.id)[-1]["status"] == "IN_PROGRESS"


def test_a_slow_server_holds_up_nobody_else(office):
    web = Web(**{"https://slow.example": a_jpeg()})
    web.answers.clear()
    work = office(web=web)

    slow = work.clerk.recognize("home", a_request(*["https://slow.example"] * 5))
    quick = work.clerk.recognize("home", a_request(a_jpeg()))

    assert work.final(quick.id)["status"] == "COMPLETED_SUCCESSFULLY"
    web.answers.set()
    assert work.final(slow.id)["status"] == "COMPLETED_SUCCESSFULLY"
    assert work.clerk.counts().waiting_bytes == 0


def test_kept_pictures_have_true_addresses(office):
    work = office(keeps_pictures=True, web=Web(**{"https://x.example": a_jpeg()}))

    job = work.clerk.recognize("home", a_request(a_jpeg(), "https://x.example", b"none"))
    last = work.final(job.id)
    until(lambda: work.clerk.is_idle)

    kept = {p.image_id: p.jpeg for _, entry in work.shelf.entries for p in entry.pictures}
    ours = [f"https://cam.example/v2/recognition/pictures/home/{image.id}" for image in job.images]
    assert set(kept) == {job.images[0].id, job.images[1].id}
    assert all(jpeg.startswith(b"\xff\xd8") for jpeg in kept.values())
    assert [image["url"] for image in last["images"]] == [
        ours[0],
        "https://x.example",
        f"edged://porch/api/{job.images[2].id}",
    ]
    assert [image.get("proxyUrl") for image in last["images"]] == [None, ours[1], None]


def test_faces_are_detected_outside_of_excluded_cells(office):
    work = office()
    everywhere = ExclusionZones(size=32, zones=((1,) * 32,) * 32)

    def asked(zones):
        request = DetectRequest(
            images=(ImageItem(blob=a_jpeg(), custom_id="p"), ImageItem(blob=a_jpeg(a_picture(None)))),
            classes=(ClassItem(class_="face", exclusion_zones=zones),),
        )
        return work.final(work.clerk.detect("app", request).id)

    seen, hidden = asked(None), asked(everywhere)

    assert seen["status"] == hidden["status"] == "COMPLETED_SUCCESSFULLY"
    ((found,), none) = (image["objects"] for image in seen["imageResults"])
    assert (found["class"], found["verdict"], none) == ("face", True, [])
    (result,) = seen["jobResults"]
    assert (result["image"]["customId"], result["hitl"]) == ("p", False)
    assert hidden["jobResults"] == [{"class": "face", "hitl": False}]
    until(lambda: work.clerk.is_idle)
    assert {client for client, _ in work.detections.jobs} == {"app"}
    assert work.detections.jobs[-1][1].status == "COMPLETED_SUCCESSFULLY"


def test_pictures_are_looked_at_for_enrolment_while_somebody_waits(office):
    work = office(web=Web(**{"https://x.example": a_jpeg()}))

    one, other = work.clerk.looks("home", [ImageItem(blob=a_jpeg()), ImageItem(url="https://x.example")], 30)

    assert len(one.faces) == len(other.faces) == 1
    (embedding,) = work.clerk.embed([one.faces[0].chip], 30)
    assert np.array_equal(embedding, one.faces[0].embedding)
    assert (one.width_px, one.height_px) == (640, 480)
    assert work.clerk.counts().waiting_bytes == work.clerk.counts().waiting == 0


def test_a_picture_that_cannot_be_enrolled_is_named(office):
    work = office()

    unreadable = refused(
        lambda: work.clerk.looks("home", [ImageItem(blob=a_jpeg()), ImageItem(blob=b"x")], 30)
    )
    gone = refused(lambda: work.clerk.looks("home", [ImageItem(url="https://gone.example")], 30))

    assert (unreadable.code, unreadable.field) == (Code.CONFLICT, "images[1]")
    assert (gone.field, "404" in gone.message) == ("images[0]", True)
    until(lambda: work.clerk.counts().waiting == 0)


def test_who_waits_too_long_or_for_a_daemon_that_ends_is_told(office):
    work = office(has_models=False)
    answers = []

    assert refused(lambda: work.clerk.embed([], 0.01)).code == Code.UNAVAILABLE
    waiter = threading.Thread(
        target=lambda: answers.append(
            refused(lambda: work.clerk.looks("home", [ImageItem(blob=a_jpeg())], 60))
        )
    )
    waiter.start()
    until(lambda: work.desk.depth == 2)
    work.clerk.stop(10)
    waiter.join(10)

    assert [problem.code for problem in answers] == [Code.UNAVAILABLE]
