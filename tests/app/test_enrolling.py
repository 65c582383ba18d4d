"""Enrolment from clips that have their troubles, with the real models and a film made of pictures."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from builders.recognition import an_identity
from builders.scenes import a_picture, real_models
from edged.app.enrolment import Enroller
from edged.app.stored_faces import shown_by
from edged.domain.errors import CameraError, CameraFault, EndOfMediaError, InputError
from edged.domain.identity import IdentityFaces
from edged.recognition.advice import advice
from edged.recognition.enrolment import mean_of
from edged.settings.recognition import Detection, Quality
from edged.store.namespace_chips import chip_to_png
from edged.store.namespace_queries import FaceRecord


class Film:
    """A source of prepared frames, ten in a second. An exception in a frame's place is raised there."""

    is_live = False
    decoder = "film"

    def __init__(self, frames, end: Exception | None = None) -> None:
        self._frames = frames
        self._end = end or EndOfMediaError()
        self._at = -1
        self.is_closed = False

    def open(self) -> None:
        pass

    def grab(self) -> float:
        self._at += 1
        if self._at == len(self._frames):
            raise self._end
        return self._at * 0.1

    def retrieve(self):
        frame = self._frames[self._at]
        if isinstance(frame, Exception):
            raise frame
        return frame

    def close(self) -> None:
        self.is_closed = True


@pytest.fixture
def clip(tmp_path) -> Path:
    """A file that is no picture; what it shows comes from the film."""
    path = tmp_path / "clip.mp4"
    path.write_bytes(b"\0\0\0\x18ftypmp42" + bytes(40))
    return path


def an_enroller(film, *, said=None, detection=None) -> Enroller:
    return Enroller(
        real_models(),
        Quality(),
        detection or Detection(),
        lambda _: film,
        (said if said is not None else []).append,
    )


BROKEN = CameraError(CameraFault.NOT_VIDEO, "this frame cannot be decoded")


def test_a_broken_frame_is_passed_over(clip):
    film = Film([a_picture(300), BROKEN, a_picture(300, x=220), a_picture(300, x=260)])

    assert an_enroller(film).examine([clip]).found == 3
    assert film.is_closed


def test_a_clip_that_breaks_off_is_refused(clip):
    film = Film([a_picture(300)], CameraError(CameraFault.DISCONNECTED, "the decoder went away"))

    with pytest.raises(InputError, match=r"no picture and no clip that can be read: the decoder went away"):
        an_enroller(film).examine([clip])

    assert film.is_closed


def test_a_clip_that_was_cut_off_is_taken_with_a_word(clip):
    film = Film([a_picture(300)] * 3, EndOfMediaError("the clip is cut off"))

    assert an_enroller(film).examine([clip]).warnings == ("the clip is cut off",)


def test_a_clip_with_only_weak_faces_says_why(clip):
    film = Film([(a_picture(300) * 0.1).astype(np.uint8)] * 4)

    with pytest.raises(InputError, match=r"no face in it is good enough \(.*4 too dark"):
        an_enroller(film).examine([clip])


def test_faces_smaller_than_the_daemon_would_look_at_are_nobody(clip):
    film = Film([a_picture(300)] * 3)

    with pytest.raises(InputError, match="nobody's face"):
        an_enroller(film, detection=Detection(min_face_px=500)).examine([clip])


def test_a_long_clip_is_looked_at_ever_more_rarely_and_tells_how_far_it_is(clip):
    said: list[str] = []
    wall = a_picture(None)
    film = Film([wall] * 200)

    with pytest.raises(InputError):
        an_enroller(film, said=said).examine([clip])

    assert said[0] == "clip.mp4: 5 s looked at"
    assert len(said) in (3, 4)


def test_sources_name_the_file_and_the_time_for_people(clip):
    enrolment = an_enroller(Film([a_picture(300), a_picture(300, x=280)])).examine([clip])

    faces = enrolment.new_faces("a" * 64)

    assert faces[0].source in ("clip.mp4 at 0.0 s", "clip.mp4 at 0.1 s")
    assert faces[0].chip is not None
    assert faces[0].model_hash == "a" * 64


def test_a_clip_of_a_covered_face_is_taken_with_a_word(clip):
    worn = a_picture(300).copy()
    (detection,) = real_models().detector.detect(worn)
    (right, left), across = detection.keypoints[:2], detection.box.width
    for x, y in (right, left):
        cv2.ellipse(
            worn, (round(x), round(y)), (round(across * 0.18), round(across * 0.14)), 0, 0, 360, 15, -1
        )

    enrolment = an_enroller(Film([worn] * 3)).examine([clip])

    (warning,) = enrolment.warnings
    assert "eyes or mouth seem covered: take off sunglasses" in warning
    assert any("seems covered" in lack for lack in advice("Ada", enrolment.shown()))


def test_what_stored_faces_lack_is_told_from_their_chips(clip):
    enrolment = an_enroller(Film([a_picture(300), a_picture(300, x=280)])).examine([clip])
    records = [
        FaceRecord("id", 0.8, face.source, 0, chip_to_png(face.chip), ())
        for face in enrolment.new_faces("a" * 64)
    ]

    shown = shown_by(records)

    assert [face.brightness for face in shown] == [face.brightness for face in enrolment.shown()]
    assert not any(face.is_grey or face.is_covered for face in shown)
    assert advice("Ada", shown) == advice("Ada", enrolment.shown())[:1]


@pytest.mark.parametrize("png", [None, b"\x89PNG\r\n\x1a\n and then nothing"])
def test_a_stored_face_without_a_sound_chip_gives_no_advice_of_its_own(png):
    (shown,) = shown_by([FaceRecord("id", 0.8, "portrait.jpg", 0, png, ())])

    assert (shown.occasion, shown.brightness, shown.is_grey, shown.is_covered) == (
        "portrait.jpg",
        None,
        False,
        False,
    )


def test_faces_that_are_doubtfully_somebodys_are_taken_with_a_word(clip):
    enrolment = an_enroller(Film([a_picture(300)] * 3)).examine([clip])
    mean = mean_of(enrolment.faces)
    across = np.roll(mean, 1)
    across -= mean * float(mean @ across)
    across /= np.float32(np.linalg.norm(across))
    like = (0.91 * mean + np.sqrt(1 - 0.91**2) * across).astype(np.float32)

    same, doubts = enrolment.for_person(IdentityFaces(an_identity("Ada"), like[None]))

    assert same.faces == enrolment.faces
    assert "those of Ada are only 0.910 alike" in doubts[0]
