"""The sample clip through pipeline, historian and database: what a camera told can be asked for later."""

from contextlib import contextmanager
from functools import partial
from pathlib import Path

import cv2
import msgspec
import numpy as np
import pytest

from builders.namespaces import HandClock, Ids, a_store
from builders.recognition import a_gallery, an_identity, at
from builders.scenes import portrait, real_models
from edged.api.requests import Search
from edged.domain.frame import Frame
from edged.domain.identity import NewFace
from edged.domain.job import Job
from edged.domain.message import MessageKind
from edged.domain.picture_address import PictureAddresses
from edged.pipeline.examine import examine
from edged.pipeline.feed import FeedPipeline
from edged.pipeline.historian import Historian
from edged.pipeline.remembering import CameraHistory
from edged.recognition.gallery import Gallery
from edged.recognition.wire import Origin
from edged.settings.feeds import Feed
from edged.settings.history import History
from edged.settings.recognition import Quality
from edged.settings.root import Settings
from edged.settings.sinks import ConsoleSink
from edged.settings.sources import FileSource
from edged.store.history_records import HistoryRecords
from edged.store.history_store import HistoryStore

PROJECT = Path(__file__).resolve().parents[2]
SCENE = PROJECT / "edged" / "cli" / "sample" / "scene.mp4"
SETTINGS = Settings(feeds=(Feed(id="hall", source=FileSource(path="x")),), sinks=(ConsoleSink(),))
MODEL = real_models().embedder.model_hash
PATIENCE_S = 30
LENGTH_S = 14
EVERY = 3
"""Frames of the clip that one is looked at of: five in a second."""


def scene():
    film = cv2.VideoCapture(str(SCENE))
    rate = film.get(cv2.CAP_PROP_FPS)
    for number in range(round(LENGTH_S * rate)):
        is_there, pixels = film.read()
        assert is_there
        if number % EVERY == 0:
            yield Frame("hall", number // EVERY + 1, at(round(number * 1000 / rate)), pixels)
    film.release()


@contextmanager
def a_camera(data_dir, *, keeps_pictures=True):
    """A pipeline whose jobs are remembered in a database, and the historian."""
    with a_store(data_dir):
        pass
    records = HistoryRecords(data_dir, ["home"], History(), HandClock(), Ids("records"))
    historian = Historian(records, lambda: 0.0)
    historian.start()
    history = CameraHistory(
        tell=partial(historian.tell, "home"),
        take_picture=historian.take_picture if keeps_pictures else None,
        addresses=PictureAddresses("porch", "https://porch.example", keeps_pictures=keeps_pictures),
        model_hash=MODEL,
    )
    origin = Origin("porch", "home", "hall", 1, is_replay=True)
    try:
        yield FeedPipeline(origin, SETTINGS, real_models(), history=history), historian
    finally:
        assert historian.finish(PATIENCE_S)
    assert (historian.given_up, historian.pictures_given_up) == (0, 0)


def jobs_in(messages):
    return [message.body for message in messages if message.kind is MessageKind.JOB]


def replayed(data_dir, gallery, *, keeps_pictures=True):
    """The bytes of all tellings of jobs, after the clip went through."""
    with a_camera(data_dir, keeps_pictures=keeps_pictures) as (pipeline, _):
        messages = [message for frame in scene() for message in pipeline.process(frame, gallery)]
        return jobs_in(messages + pipeline.end(at(0)))


@pytest.fixture(scope="module")
def eileen():
    return a_gallery((an_identity("Eileen Collins"), [her_face().embedding]))


def her_face():
    (face,) = examine(real_models(), Quality(), portrait())
    return face


@pytest.fixture(scope="module")
def told(tmp_path_factory, eileen):
    data_dir = tmp_path_factory.mktemp("data")
    return data_dir, replayed(data_dir, eileen)


def jobs_of(bodies):
    return {job.id: job for job in (msgspec.json.decode(body, type=Job) for body in bodies)}


def test_each_job_is_kept_as_it_was_told_last(told):
    data_dir, bodies = told
    last = {msgspec.json.decode(body, type=Job).id: body for body in bodies}
    assert last

    with a_store(data_dir) as store:
        history = HistoryStore(store)
        assert {job_id: history.job(job_id) for job_id in last} == last


def test_every_address_in_a_job_leads_to_a_picture_of_the_clips_size_or_says_that_it_does_not(told):
    data_dir, bodies = told
    served = 0
    with a_store(data_dir) as store:
        history = HistoryStore(store)
        for job in jobs_of(bodies).values():
            for image in job.images:
                jpeg = history.picture(image.id)
                if jpeg is None:
                    assert image.url == f"edged://porch/hall/{image.id}"
                    continue
                served += 1
                assert image.url == f"https://porch.example/v2/recognition/pictures/home/{image.id}"
                decoded = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
                first = next(scene())
                assert decoded.shape == (first.height_px, first.width_px, 3)
    assert served


def test_every_object_is_a_face_and_somebody_unknown_can_be_enrolled_from_them(told):
    data_dir, bodies = told
    objects = {
        found.edge.face_id: found
        for job in jobs_of(bodies).values()
        for image in job.images
        for found in image.objects
    }
    with a_store(data_dir) as store:
        history = HistoryStore(store)
        kept = {face.id: face for face in history.faces(Search(limit=100))}
        assert kept.keys() == objects.keys()
        assert all(kept[face_id].box == found.bounding_box for face_id, found in objects.items())
        good = [face.id for face in kept.values() if face.has_embedding(MODEL)]
        assert all(kept[face_id].has_chip for face_id in good)
        enrolled = history.enrol_seen(good[:1], "Eileen Collins", model_hash=MODEL)
        assert [face.id for face in history.faces_of_identity(enrolled.id)] == good[:1]


def test_the_same_clip_gives_the_same_bytes_again_with_and_without_pictures(told, tmp_path, eileen):
    _, bodies = told

    assert replayed(tmp_path / "again", eileen) == bodies
    without = replayed(tmp_path / "without", eileen, keeps_pictures=False)
    served, unserved = b"https://porch.example/v2/recognition/pictures/home", b"edged://porch/hall"
    assert [body.replace(served, unserved) for body in bodies] == without


def test_of_a_person_who_is_removed_while_in_view_nothing_is_left(tmp_path):
    told = []
    with a_camera(tmp_path) as (pipeline, historian), a_store(tmp_path) as store:
        face = her_face()
        person = store.add_identity(
            "Eileen Collins", [NewFace(MODEL, face.embedding, face.chip, face.quality.score, "portrait")]
        )
        gallery = Gallery.empty(real_models().calibrated()).with_change(store.changes_since(0, MODEL))
        tracks = set()
        for frame in scene():
            told += jobs_in(pipeline.process(frame, gallery))
            tracks |= {
                found.edge.track_id
                for job in jobs_of(told[-1:]).values()
                for image in job.images
                for found in image.objects
                if found.identity_id == person.id
            }
            if tracks and len(gallery):
                # The last telling may be written before she is removed, or after: neither brings her back.
                store.remove([person.id])
                gallery = gallery.with_change(store.changes_since(gallery.revision, MODEL))
                told.clear()
        told += jobs_in(pipeline.end(at(0)))
        assert historian.wait_until_written(PATIENCE_S)

        history = HistoryStore(store)
        assert tracks
        assert told, "the job goes on"
        assert all(b"Collins" not in body and person.id.encode() not in body for body in told)
        assert {face.track_id for face in history.faces(Search(limit=100))}.isdisjoint(tracks)
        for body in history.jobs(Search(limit=100)):
            assert b"Collins" not in body
            for image in msgspec.json.decode(body, type=Job).images:
                assert (history.picture(image.id) is not None) == image.url.startswith("https://")
