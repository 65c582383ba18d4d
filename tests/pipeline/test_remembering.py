"""What the history is told of a feed's jobs."""

import dataclasses

import pytest

from builders.capture import a_scene
from builders.namespaces import MODEL
from builders.recognition import UNDECIDED, UNKNOWN, an_embedding, an_identity, an_observation, at, known
from edged.domain.frame import Frame
from edged.domain.picture_address import PictureAddresses
from edged.pipeline.compressor import HeldPicture
from edged.pipeline.remembering import CameraHistory, JobMemory
from edged.recognition.sighting import Limits, Observation, SightingBook
from edged.recognition.wire import Origin
from edged.settings.feeds import Feed
from edged.settings.root import Settings
from edged.settings.sinks import ConsoleSink
from edged.settings.sources import FileSource

SETTINGS = Settings(feeds=(Feed(id="hall", source=FileSource(path="x")),), sinks=(ConsoleSink(),))
ADA = known(an_identity("Ada"))
SERVED = "https://porch.example/v2/recognition/pictures/home/"


class Camera:
    """A feed's sightings as the pipeline walks through them, and what the history is told."""

    def __init__(self, *, keeps_pictures=True, room=100, is_replay=False, max_images=64):
        self.told = []
        self.room = room
        self.waits = []
        addresses = PictureAddresses("porch", "https://porch.example", keeps_pictures=keeps_pictures)
        take = self.take if keeps_pictures else None
        history = CameraHistory(self.tell, take, addresses, MODEL)
        self.memory = JobMemory(Origin("porch", "home", "hall", 1, is_replay), history)
        self.book = SightingBook(Limits(3000, 600_000, max_images, 1000))

    def tell(self, entry, pictures):
        self.told.append((entry, pictures))

    def take(self, image_id, pixels, created_ms, *, may_wait=False):
        self.waits.append(may_wait)
        self.room -= 1
        return HeldPicture(image_id, pixels, created_ms) if self.room >= 0 else None

    def see(self, ms, *observations):
        """One frame; what is told then."""
        begun = len(self.told)
        updates = self.book.observe(at(ms), 640, 480, observations)
        if self.book.kept is not None:
            self.memory.keep_picture(self.book.kept, Frame("hall", 1, at(ms), a_scene(ms)))
        return self._told(begun, updates)

    def tick(self, ms):
        return self._told(len(self.told), self.book.tick(at(ms)))

    def erase(self, identity_id):
        self.memory.forget(self.book.erase({identity_id}, {}))

    def _told(self, begun, updates):
        jobs = [self.memory.job(update, SETTINGS) for update in updates]
        told = self.told[begun:]
        assert [entry.job for entry, _ in told] == jobs, "every telling, as the sinks have it"
        return told


def good(track, decision):
    """An observation of a face that was embedded in this frame."""
    observation = an_observation(track, decision)
    return Observation(track, dataclasses.replace(observation.face, embedding=an_embedding()), decision)


def urls(entry):
    return [image.url for image in entry.job.images]


def ids(pictures):
    return [picture.image_id for picture in pictures]


def test_a_telling_brings_its_faces_and_its_picture():
    camera = Camera()

    ((entry, pictures),) = camera.see(0, good("t1", ADA), an_observation("t2", UNDECIDED))

    (image,) = entry.job.images
    assert [face.id for face in entry.faces] == [obj.edge.face_id for obj in image.objects]
    assert [face.identity_id for face in entry.faces] == [ADA.identity_id, None]
    assert [face.model_hash for face in entry.faces] == [MODEL, None]
    assert {face.image_id for face in entry.faces} == {image.id}
    assert ids(pictures) == [image.id]
    assert image.url == SERVED + image.id


def test_what_was_told_is_not_told_again():
    camera = Camera()
    camera.see(0, good("t1", ADA))
    ((entry, pictures),) = camera.see(1500, good("t2", UNKNOWN))

    assert [face.track_id for face in entry.faces] == ["t2"]
    assert ids(pictures) == [entry.job.images[1].id]
    ((final, none),) = camera.tick(6000)
    assert final.job.is_final
    assert final.faces == ()
    assert none == ()
    assert urls(final) == [SERVED + image.id for image in final.job.images], "as they were told before"


def test_a_face_that_turns_out_to_be_somebody_is_told_again():
    camera = Camera()
    ((first, _),) = camera.see(0, an_observation("t1", UNKNOWN))
    ((second, _),) = camera.see(1500, an_observation("t1", ADA))

    assert [face.identity_id for face in second.faces] == [ADA.identity_id] * 2
    assert second.faces[0].id == first.faces[0].id


def test_a_view_that_is_told_later_still_has_its_picture():
    camera = Camera()
    camera.see(0, an_observation("t1", ADA))
    assert camera.see(300, an_observation("t2", UNKNOWN)) == []

    ((entry, pictures),) = camera.tick(1000)

    assert ids(pictures) == [entry.job.images[1].id]


def test_a_view_of_an_earlier_frame_has_no_picture():
    camera = Camera()
    camera.see(0, an_observation("t1", UNDECIDED))
    assert camera.waits == []

    ((entry, pictures),) = camera.tick(5000)

    assert pictures == ()
    assert urls(entry) == [f"edged://porch/hall/{entry.job.images[0].id}"]
    assert len(entry.faces) == 1


def test_a_picture_that_is_given_up_is_not_called_by_an_address():
    camera = Camera(room=1)
    camera.see(0, an_observation("t1", ADA))
    ((entry, pictures),) = camera.see(1500, an_observation("t2", UNKNOWN))

    kept, lost = entry.job.images
    assert kept.url == SERVED + kept.id
    assert lost.url == f"edged://porch/hall/{lost.id}"
    assert pictures == ()
    assert len(entry.faces) == 1, "the face is not given up"


def test_where_no_pictures_are_kept_no_frame_is_taken():
    camera = Camera(keeps_pictures=False)
    ((entry, pictures),) = camera.see(0, an_observation("t1", ADA))

    assert pictures == ()
    assert urls(entry) == [f"edged://porch/hall/{entry.job.images[0].id}"]
    assert len(entry.faces) == 1


@pytest.mark.parametrize("is_replay", [True, False])
def test_only_a_replay_waits_for_room(is_replay):
    camera = Camera(is_replay=is_replay)
    camera.see(0, an_observation("t1", ADA))

    assert camera.waits == [is_replay]


def test_the_last_picture_of_a_full_job_belongs_to_it():
    camera = Camera(max_images=1)
    ((entry, pictures),) = camera.see(0, an_observation("t1", ADA))

    assert entry.job.is_final
    assert ids(pictures) == [entry.job.images[0].id]


def test_without_a_history_jobs_are_made_all_the_same():
    told = Camera(keeps_pictures=False)
    memory = JobMemory(Origin("porch", "home", "hall", 1, is_replay=False))
    book = SightingBook(Limits(3000, 600_000, 64, 1000))
    (update,) = book.observe(at(0), 640, 480, [an_observation("t1", ADA)])
    memory.keep_picture(book.kept, Frame("hall", 1, at(0), a_scene(0)))

    ((entry, _),) = told.see(0, an_observation("t1", ADA))
    assert memory.job(update, SETTINGS) == entry.job


def test_faces_and_pictures_of_somebody_who_was_erased_are_told_no_more():
    camera = Camera()
    camera.see(0, an_observation("t1", ADA))
    camera.see(300, good("t1", ADA), an_observation("t2", UNKNOWN))
    camera.erase(ADA.identity_id)

    ((entry, pictures),) = camera.tick(1000)

    assert [face.track_id for face in entry.faces] == ["t2"]
    assert pictures == ()
    assert all(url.startswith("edged://") for url in urls(entry))
    assert all(obj.identity_id is None for image in entry.job.images for obj in image.objects)
    assert ADA.identity.name not in repr(entry.job)


def test_who_stays_after_being_removed_is_not_remembered_as_somebody_unknown():
    camera = Camera()
    camera.see(0, an_observation("t1", ADA))
    camera.erase(ADA.identity_id)
    camera.tick(1000)

    ((entry, pictures),) = camera.see(2500, good("t1", UNKNOWN), an_observation("t2", UNKNOWN))
    ((other, others_picture),) = camera.see(4000, an_observation("t3", UNKNOWN))

    assert [face.track_id for face in entry.faces] == ["t2"]
    assert pictures == ()
    assert [face.track_id for face in other.faces] == ["t3"]
    assert ids(others_picture) == [other.job.images[2].id]


def test_who_is_enrolled_anew_is_remembered_again():
    camera = Camera()
    camera.see(0, an_observation("t1", ADA))
    camera.erase(ADA.identity_id)
    camera.tick(1000)
    anew = known(an_identity("Ada", number=7))

    ((entry, pictures),) = camera.see(2500, good("t1", anew))

    assert {face.identity_id for face in entry.faces} == {anew.identity_id}
    assert ids(pictures) == [entry.job.images[1].id]


def test_an_old_view_that_is_kept_late_does_not_bring_an_erased_face_back():
    camera = Camera()
    camera.see(0, an_observation("t1", ADA))
    camera.see(300, good("t1", ADA), an_observation("t2", UNDECIDED))
    camera.erase(ADA.identity_id)

    *_, (final, _) = camera.tick(5000)

    assert [face.track_id for face in final.faces] == ["t2"]


def test_a_picture_comes_with_the_first_telling_that_has_its_image():
    camera = Camera()
    camera.see(0, an_observation("t1", ADA))
    camera.see(300, an_observation("t2", UNKNOWN))

    ((entry, pictures),) = camera.see(1500, an_observation("t3", UNKNOWN))
    ((late_entry, late_pictures),) = camera.tick(2500)

    assert ids(pictures) == [entry.job.images[1].id]
    assert ids(late_pictures) == [late_entry.job.images[2].id]
