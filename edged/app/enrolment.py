"""Enrolment: from pictures and clips to the faces that stand for a person. Changes nothing by itself."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from edged.camera.picture import is_picture, read_picture
from edged.domain.box import Box
from edged.domain.errors import CameraError, CameraFault, EndOfMediaError, InputError
from edged.domain.face import Quality
from edged.domain.frame import Pixels
from edged.domain.identity import GalleryChange, IdentityFaces, NewFace
from edged.pipeline.examine import Look, look_closely
from edged.pipeline.ports import Models, Source
from edged.recognition.advice import Shown, weaknesses
from edged.recognition.calibration import Calibration
from edged.recognition.clip_people import ClipPeople, Seen, Stretch
from edged.recognition.enrolment import (
    DIFFERENT_BELOW,
    DOUBTFUL_BELOW,
    MOST_FACES,
    Candidate,
    best_and_varied,
    likeness,
    not_among,
    odd_files,
    similarity_to,
)
from edged.settings import recognition as settings

_LOOKS_EVERY_S: Final = 0.1
_LOOKS_SHARE: Final = 1 / 300
"""The longer a clip, the rarer the looks: ten a second in the first half minute, two after two and a half."""

_PROGRESS_EVERY_S: Final = 5.0


@dataclass(frozen=True, slots=True)
class Enrolment:
    """The faces to enrol, and what is to be said of them.

    Attributes:
        faces: the best first, at most MOST_FACES, all of one person.
        found: how many good faces there were to choose from.
        files: what was handed over.
        warnings: weak pictures, doubtful likeness, and other things that refuse nothing.
    """

    faces: tuple[Candidate, ...]
    found: int
    files: tuple[Path, ...]
    warnings: tuple[str, ...]

    def source_of(self, face: Candidate) -> str:
        """Where a face came from: the file's name, and the time in a clip."""
        name = self.files[face.file].name
        return name if face.at_s is None else f"{name} at {face.at_s:.1f} s"

    def shown(self) -> list[Shown]:
        """What the faces show, for advice on what is missing."""
        return [Shown.by(face.quality, self.source_of(face)) for face in self.faces]

    def new_faces(self, model_hash: str) -> list[NewFace]:
        """The faces as the store takes them; `model_hash` is that of the embedder that was used."""
        return [
            NewFace(model_hash, face.embedding, face.chip, face.quality.score, self.source_of(face))
            for face in self.faces
        ]

    def for_person(self, own: IdentityFaces) -> tuple["Enrolment", list[str]]:
        """What of this is new to somebody who is enrolled, and doubts that it is them.

        Raises InputError where it is clearly somebody else, or every face is enrolled already.
        """
        words = f"these faces and those of {own.identity.label}"
        similarity = similarity_to(own.embeddings, self.faces)
        if similarity < DIFFERENT_BELOW:
            raise InputError(
                f"{words} are only {similarity:.3f} alike: they show two people",
                remedy="Nothing was enrolled. Enrol a new person by a name of their own.",
            )
        new = not_among(own.embeddings, self.faces)
        if not new:
            raise InputError(f"all these faces of {own.identity.label} are enrolled already")
        doubts = []
        if similarity < DOUBTFUL_BELOW:
            doubts.append(f"{words} are only {similarity:.3f} alike; is it the same person?")
        return replace(self, faces=tuple(new)), doubts

    def compared(
        self, gallery: GalleryChange, calibration: Calibration, identity_id: str = ""
    ) -> tuple["Enrolment", list[str]]:
        """What of this is new to a namespace's whole gallery, and whom it resembles in it.

        `identity_id` is whom it is for, empty for a new person. Raises InputError like `for_person`.
        """
        enrolment = self
        warnings: list[str] = []
        own = next((one for one in gallery.changed if one.identity.id == identity_id), None)
        if own is not None:
            enrolment, warnings = self.for_person(own)
        match = likeness(gallery, enrolment.faces, calibration, besides=identity_id)
        if match is not None:
            warnings.append(
                f"the faces look like {match.identity.label} ({match.identity.id}), who is enrolled:"
                f" {match.similarity:.3f} alike"
            )
        return enrolment, warnings


class Enroller:
    """Looks at what somebody hands over and chooses the faces that stand for a person.

    Args:
        models: the three models, used by the calling thread alone.
        quality, detection: the settings of the daemon that will recognise.
        open_clip: gives an unopened source for a video file.
        tell: takes a line about progress on a long clip.
    """

    def __init__(
        self,
        models: Models,
        quality: settings.Quality,
        detection: settings.Detection,
        open_clip: Callable[[Path], Source],
        tell: Callable[[str], None],
    ) -> None:
        self._models = models
        self._quality = quality
        self._detection = detection
        self._open_clip = open_clip
        self._tell = tell

    def examine(self, files: Sequence[Path]) -> Enrolment:
        """Choose faces from all files; raises one InputError that says what is wrong with each bad one."""
        candidates: list[Candidate] = []
        warnings: list[str] = []
        refusals: list[str] = []
        for number, path in enumerate(files):
            try:
                if is_picture(path):
                    candidates.append(self._from_picture(number, path, warnings))
                else:
                    candidates += self._from_clip(number, path, warnings)
            except InputError as error:
                refusals.append(str(error))
        refusals += self._odd(files, candidates, warnings)
        if refusals:
            raise InputError("\n".join(refusals), remedy="Nothing was enrolled.")
        chosen = best_and_varied(candidates, MOST_FACES)
        warnings += _covered(files, chosen)
        return Enrolment(tuple(chosen), len(candidates), tuple(files), tuple(warnings))

    def _odd(
        self, files: Sequence[Path], candidates: Sequence[Candidate], warnings: list[str]
    ) -> Iterator[str]:
        """Refusals of files that show somebody else; doubts go to the warnings."""
        for odd in odd_files(candidates):
            words = f"of {files[odd.file]} and of the other files are only {odd.similarity:.3f} alike"
            if odd.is_different:
                yield f"the faces {words}: they show two people"
            else:
                warnings.append(f"the faces {words}; is it the same person?")

    # --- pictures

    def _from_picture(self, number: int, path: Path, warnings: list[str]) -> Candidate:
        pixels = read_picture(path)
        looks = self._looks(pixels)
        if not looks:
            raise InputError(f"{path}: no face is found in it ({pixels.shape[1]} x {pixels.shape[0]} pixels)")
        if len(looks) > 1:
            raise InputError(f"{path}: {len(looks)} faces are in it, and it must be one: {_listed(looks)}")
        ((look, quality),) = looks
        warnings += [f"{path}: the face is {weakness}" for weakness in weaknesses(quality, self._quality)]
        return Candidate(number, None, quality, look.chip, self._models.embedder.embed(look.chip))

    def _looks(self, pixels: Pixels) -> list[tuple[Look, Quality]]:
        """The faces of a picture that both models call a face, the largest first."""
        looks = []
        for detection in self._models.detector.detect(pixels):
            if min(detection.box.width, detection.box.height) < self._detection.min_face_px:
                continue
            look = look_closely(self._models, self._quality, pixels, detection)
            if look.face.quality is not None and look.presence >= self._quality.min_presence:
                looks.append((look, look.face.quality))
        return sorted(looks, key=lambda pair: -pair[0].face.detection.box.area)

    # --- clips

    def _from_clip(self, number: int, path: Path, warnings: list[str]) -> list[Candidate]:
        people = ClipPeople()
        rejections: dict[str, int] = {}
        for at_s, pixels in self._frames(path, warnings):
            seen = []
            for look, quality in self._looks(pixels):
                candidate = None
                if look.is_good:
                    embedding = self._models.embedder.embed(look.chip)
                    candidate = Candidate(number, at_s, quality, look.chip, embedding)
                for reason in quality.rejections:
                    rejections[reason] = rejections.get(reason, 0) + 1
                seen.append(Seen(look.face.detection.box, candidate))
            people.look(at_s, seen)
        return _one_person(path, people.people(), rejections)

    def _frames(self, path: Path, warnings: list[str]) -> Iterator[tuple[float, Pixels]]:
        """The frames of a clip that are looked at, with their times; raises InputError."""
        source = self._open_clip(path)
        next_s, told_s = 0.0, 0.0
        try:
            source.open()
            while True:
                at_s = source.grab() or 0.0
                if at_s < next_s:
                    continue
                next_s = at_s + max(_LOOKS_EVERY_S, at_s * _LOOKS_SHARE)
                try:
                    pixels = source.retrieve()
                except CameraError as error:
                    if error.fault is not CameraFault.NOT_VIDEO:
                        raise
                    # One broken frame is passed over; a clip of broken frames shows nobody.
                    continue
                yield at_s, pixels
                if at_s - told_s >= _PROGRESS_EVERY_S:
                    told_s = at_s
                    self._tell(f"{path.name}: {at_s:.0f} s looked at")
        except EndOfMediaError as end:
            if str(end):
                warnings.append(str(end))
        except CameraError as error:
            raise InputError(f"{path} is no picture and no clip that can be read: {error.what}") from error
        finally:
            source.close()


def _one_person(
    path: Path, people: Sequence[Sequence[Stretch]], rejections: dict[str, int]
) -> list[Candidate]:
    if not people:
        raise InputError(f"{path}: nobody's face is in it for long enough")
    if len(people) > 1:
        described = "; ".join(_when(person) for person in people)
        raise InputError(f"{path}: {len(people)} people are in it, and it must be one: {described}")
    candidates = [candidate for stretch in people[0] for candidate in stretch.candidates]
    if not candidates:
        reasons = ", ".join(f"{count} {reason}" for reason, count in sorted(rejections.items()))
        raise InputError(f"{path}: no face in it is good enough ({reasons})")
    return candidates


def _covered(files: Sequence[Path], chosen: Sequence[Candidate]) -> Iterator[str]:
    """Of clips, whose single faces are not told of: how many of those chosen are covered."""
    for number, path in enumerate(files):
        ours = [face for face in chosen if face.file == number and face.at_s is not None]
        covered = [face for face in ours if face.quality.is_covered]
        if covered:
            yield (
                f"{path}: in {len(covered)} of the {len(ours)} faces taken, eyes or mouth seem covered: take"
                " off sunglasses, mask or scarf; covered people look alike"
            )


def _when(person: Sequence[Stretch]) -> str:
    spans = ", ".join(
        f"{one.begin_s:.1f} to {one.end_s:.1f} s" for one in sorted(person, key=lambda s: s.begin_s)
    )
    return f"one at {spans}, last {_place(person[0].box)}"


def _listed(looks: Sequence[tuple[Look, Quality]]) -> str:
    return "; ".join(_place(look.face.detection.box) for look, _ in looks)


def _place(box: Box) -> str:
    x, y = box.centre
    return f"{box.width:.0f} x {box.height:.0f} pixels around ({x:.0f}, {y:.0f})"
