"""Pictures are compressed by the historian's own thread, and few frames wait for it."""

import threading
from contextlib import contextmanager

import cv2
import numpy as np

from builders.capture import a_scene
from builders.histories import a_job, a_seen_face
from builders.patience import PATIENCE_S, eventually
from edged.domain.errors import StoreError
from edged.domain.history import HistoryEntry, JobPicture
from edged.pipeline.compressor import MOST_FRAMES
from edged.pipeline.historian import QUEUE_BYTES, Historian


class Records:
    """Stands in for the stores: remembers what it is told; each call waits for its `gate`."""

    def __init__(self):
        self.entries = []
        self.gate = threading.Event()
        self.gate.set()
        self.is_at_the_gate = threading.Event()
        self.works = True

    def begin(self):
        pass

    def record(self, news):
        self.is_at_the_gate.set()
        assert self.gate.wait(PATIENCE_S)
        if not self.works:
            raise StoreError("the disk is full")
        self.entries += news

    def sweep(self):
        return False

    def close(self):
        pass


@contextmanager
def a_historian(records):
    historian = Historian(records, jitter=lambda: 0.01)
    historian.start()
    try:
        yield historian
    finally:
        records.gate.set()
        assert historian.finish(PATIENCE_S) or not records.works


@contextmanager
def a_busy_historian(records):
    """One that stands at the gate."""
    records.gate.clear()
    with a_historian(records) as historian:
        assert records.is_at_the_gate.wait(PATIENCE_S)
        yield historian


def test_a_telling_brings_its_pictures_as_jpeg():
    records, scene = Records(), np.full((48, 64, 3), (200, 100, 50), np.uint8)
    with a_historian(records) as historian:
        held = historian.take_picture("image-1", scene, 5)
        historian.tell("home", HistoryEntry(a_job()), [held])
        assert historian.wait_until_written(PATIENCE_S)

    ((namespace, entry),) = records.entries
    (picture,) = entry.pictures
    assert namespace == "home"
    assert (picture.image_id, picture.created_ms) == ("image-1", 5)
    decoded = cv2.imdecode(np.frombuffer(picture.jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert np.abs(decoded.astype(int) - scene).max() <= 6


def test_a_picture_is_compressed_before_its_job_is_told():
    records = Records()
    with a_historian(records) as historian:
        held = historian.take_picture("image-1", a_scene(1), 5)
        eventually(lambda: held.jpeg is not None)


def test_pictures_that_came_compressed_are_kept_as_they_are():
    records = Records()
    with a_historian(records) as historian:
        historian.tell("home", HistoryEntry(a_job(), (), (JobPicture("image-1", b"jpeg", 1),)))
        assert historian.wait_until_written(PATIENCE_S)

    assert records.entries[0][1].pictures[0].jpeg == b"jpeg"


def test_beyond_the_bound_the_picture_is_given_up_and_the_face_is_not():
    records = Records()
    with a_busy_historian(records) as historian:
        taken = [historian.take_picture(f"image-{n}", a_scene(n), n) for n in range(MOST_FRAMES + 2)]
        face = a_seen_face(1)
        historian.tell("home", HistoryEntry(a_job(), (face,)), [one for one in taken if one])

        assert [one is not None for one in taken] == [True] * MOST_FRAMES + [False] * 2
        assert historian.pictures_given_up == 2
        records.gate.set()
        assert historian.wait_until_written(PATIENCE_S)

    ((_, entry),) = records.entries
    assert entry.faces == (face,)
    assert len(entry.pictures) == MOST_FRAMES


def test_a_replay_waits_until_there_is_room():
    records = Records()
    with a_busy_historian(records) as historian:
        for number in range(MOST_FRAMES):
            historian.take_picture(f"image-{number}", a_scene(number), number)
        late = []
        replay = threading.Thread(
            target=lambda: late.append(historian.take_picture("late", a_scene(9), 9, may_wait=True))
        )
        replay.start()
        records.gate.set()
        replay.join(PATIENCE_S)

    assert late[0] is not None
    assert historian.pictures_given_up == 0


def test_a_replay_does_not_wait_for_a_store_that_fails():
    records = Records()
    records.works = False
    with a_historian(records) as historian:
        eventually(lambda: historian.is_troubled)
        records.gate.clear()
        eventually(lambda: historian.take_picture("late", a_scene(9), 9, may_wait=True) is None)


def test_many_faces_with_their_crops_fill_the_queue():
    records = Records()
    with a_busy_historian(records) as historian:
        faces = tuple(a_seen_face(number) for number in range(20))
        for _ in range(QUEUE_BYTES // (20 * 67_500) + 5):
            historian.tell("home", HistoryEntry(a_job(), faces))

        assert historian.given_up >= 4
