"""Clips through the pipeline without threads, on made scenes, with the real models."""

from dataclasses import replace

import numpy as np
import pytest

from builders.scenes import a_picture, real_models
from edged.app.evaluation_memory import Memory
from edged.app.evaluation_replay import frames_of, replay
from edged.app.evaluation_run import default_settings
from edged.domain.errors import CameraError, CameraFault, EndOfMediaError, InputError
from edged.domain.identity import GalleryChange, Identity, IdentityFaces
from edged.domain.job import Verdict
from edged.pipeline.examine import examine
from edged.recognition.gallery import Gallery
from edged.settings.recognition import Quality

STEP_S = 0.1


class Reel:
    """A source of prepared frames, ten in a second. An exception in a frame's place is raised there."""

    is_live = False
    decoder = "reel"

    def __init__(self, frames) -> None:
        self._frames = frames
        self._at = -1
        self.is_closed = False

    def open(self) -> None:
        pass

    def grab(self) -> float:
        self._at += 1
        if self._at == len(self._frames):
            raise EndOfMediaError
        return self._at * STEP_S

    def retrieve(self):
        if isinstance(self._frames[self._at], Exception):
            raise self._frames[self._at]
        return self._frames[self._at]

    def close(self) -> None:
        self.is_closed = True


def gallery_of(*people) -> Gallery:
    changed = tuple(
        IdentityFaces(Identity(f"id-{name}", name, None, 0, 0), np.stack(faces)) for name, faces in people
    )
    return Gallery.empty(real_models().calibration).with_change(GalleryChange(1, changed, ()))


def a_walk(count=16):
    return [a_picture(300, x=200 + 4 * step, y=100) for step in range(count)]


def told(pictures, gallery, models=None):
    frames = frames_of(Reel(pictures), "walk.mp4", 10.0)
    return replay(default_settings(), models or real_models(), frames, gallery)


def eileen():
    faces = [
        face.embedding
        for x in (180, 200, 230)
        for face in examine(real_models(), Quality(), a_picture(320, x=x, y=90))
    ]
    return "Eileen", [face for face in faces if face is not None]


def test_an_enrolled_person_who_walks_by_is_one_track_with_their_name():
    (track,) = told(a_walk(), gallery_of(eileen()))

    assert (track.verdict, track.name, track.names) == (Verdict.KNOWN, "Eileen", ["Eileen"])
    assert 0 <= track.decided_ms <= 1500


def test_a_stranger_is_a_track_without_a_name():
    (track,) = told(a_walk(), gallery_of())

    assert (track.verdict, track.name) == (Verdict.UNKNOWN, None)


def test_where_nobody_is_there_is_no_track():
    assert told([a_picture(None)] * 10, gallery_of(eileen())) == []


def test_models_that_remember_change_nothing_and_are_asked_once():
    class Counting:
        def __init__(self, embedder):
            self.embedder, self.asked, self.model_hash = embedder, 0, embedder.model_hash

        def embed(self, chip):
            self.asked += 1
            return self.embedder.embed(chip)

    counting = Counting(real_models().embedder)
    memory = Memory(_with_embedder(counting))
    plain = told(a_walk(), gallery_of(eileen()))

    first = told(a_walk(), gallery_of(eileen()), memory.models())
    asked = counting.asked
    second = told(a_walk(), gallery_of(eileen()), memory.models())

    assert first == second == plain
    assert counting.asked == asked > 0
    memory.forget()
    told(a_walk(), gallery_of(eileen()), memory.models())
    assert counting.asked > asked


def _with_embedder(embedder):
    return replace(real_models(), embedder=embedder)


def test_a_broken_frame_is_passed_over_and_the_source_is_closed():
    reel = Reel([a_picture(None), CameraError(CameraFault.NOT_VIDEO, "broken"), a_picture(None)])

    frames = list(frames_of(reel, "walk.mp4", 10.0))

    assert [frame.at.steady_ms for frame in frames] == [0, 200]
    assert reel.is_closed


def test_only_so_many_frames_a_second_are_looked_at():
    assert len(list(frames_of(Reel([a_picture(None)] * 20), "walk.mp4", 5.0))) == 10


def test_a_clip_that_cannot_be_played_is_an_input_error():
    reel = Reel([CameraError(CameraFault.DISCONNECTED, "the decoder went away")])

    with pytest.raises(InputError, match=r"walk\.mp4 is no clip that can be read: the decoder went away"):
        list(frames_of(reel, "walk.mp4", 10.0))
