"""Pictures that the API enrols: by the same rules as `edged identities add`."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from edged.api.problem import Code, Problem
from edged.api.requests import ImageItem
from edged.app.enrolment import Enrolment
from edged.domain.errors import InputError
from edged.domain.face import Embedding, Face, Quality
from edged.domain.history import SeenFace
from edged.domain.identity import GalleryChange, NewFace
from edged.pipeline.picture import PictureLook
from edged.recognition.advice import weaknesses
from edged.recognition.calibration import Calibration
from edged.recognition.enrolment import Candidate, odd_files
from edged.recognition.seen_face import FRONTAL_FROM, share_of_sharpness
from edged.recognition.wire import wire_box
from edged.settings.root import Settings


@dataclass(frozen=True, slots=True, eq=False)
class Chosen:
    """The faces to enrol, each with what the history keeps of it, and what is to be said of them."""

    faces: tuple[tuple[NewFace, SeenFace], ...]
    warnings: tuple[str, ...]


class NewPictures:
    """Chooses faces of pictures that somebody sent to be enrolled.

    Args:
        settings: the daemon's, as they are at the moment.
        calibration: of the embedder.
        model_hash: SHA-256 (hex) of it.
        new_id: a random UUID.
        now_ms: the time, UTC milliseconds.
    """

    def __init__(
        self,
        settings: Callable[[], Settings],
        calibration: Calibration,
        model_hash: str,
        new_id: Callable[[], str],
        now_ms: Callable[[], int],
    ) -> None:
        self._settings = settings
        self._calibration = calibration
        self._model_hash = model_hash
        self._new_id = new_id
        self._now_ms = now_ms

    def chosen(
        self,
        identity_id: str,
        images: Sequence[ImageItem],
        looks: Sequence[PictureLook],
        gallery: GalleryChange | None,
    ) -> Chosen:
        """One face of each picture; raises Problem (409) where there is none, or it is clearly another's.

        `gallery` is everybody in the namespace; None where nobody is.
        """
        names = [image.custom_id or f"picture {number}" for number, image in enumerate(images, start=1)]
        single = [_only_face(number, look) for number, look in enumerate(looks)]
        candidates = [
            Candidate(number, None, quality, face.chip, embedding)
            for number, (face, quality, embedding) in enumerate(single)
        ]
        warnings = [
            f"{name}: the face is {weakness}"
            for name, (_, quality, _) in zip(names, single, strict=True)
            for weakness in weaknesses(quality, self._settings().quality)
        ]
        warnings += _doubts(names, candidates)
        enrolment = Enrolment(tuple(candidates), len(candidates), tuple(map(Path, names)), ())
        if gallery is not None:
            try:
                enrolment, more = enrolment.compared(gallery, self._calibration, identity_id)
            except InputError as error:
                raise Problem(Code.CONFLICT, error.what, field="images") from error
            warnings += more
        faces = zip(enrolment.faces, enrolment.new_faces(self._model_hash), strict=True)
        return Chosen(
            tuple(
                (new, self._seen(images[one.file], looks[one.file], single[one.file][0], one, identity_id))
                for one, new in faces
            ),
            tuple(warnings),
        )

    def _seen(
        self, image: ImageItem, look: PictureLook, face: Face, candidate: Candidate, identity_id: str
    ) -> SeenFace:
        box, quality = face.detection.box, candidate.quality
        inside = box.clipped(look.width_px, look.height_px)
        settings = self._settings()
        return SeenFace(
            id=self._new_id(),
            image_id=self._new_id(),
            track_id=self._new_id(),
            feed_id=None,
            custom_id=image.custom_id,
            identity_id=identity_id,
            box=wire_box(box, look.width_px, look.height_px, settings.sightings.bounding_box),
            detection_score=min(1.0, max(0.0, face.detection.score)),
            width_px=round(inside.width),
            height_px=round(inside.height),
            quality=quality.score,
            is_frontal=quality.frontality >= FRONTAL_FROM,
            sharpness=share_of_sharpness(quality.sharpness, settings.quality.min_sharpness),
            model_hash=self._model_hash,
            embedding=candidate.embedding,
            chip=candidate.chip,
            created_ms=self._now_ms(),
        )


def _only_face(number: int, look: PictureLook) -> tuple[Face, Quality, Embedding]:
    field = f"images[{number}]"
    if len(look.faces) != 1:
        found = "no face is" if not look.faces else f"{len(look.faces)} faces are"
        raise Problem(Code.CONFLICT, f"`{field}`: {found} in it, and it must be one", field=field)
    (face,) = look.faces
    if face.quality is None or face.embedding is None:
        raise Problem(Code.CONFLICT, f"`{field}`: the face in it cannot be looked at closely", field=field)
    return face, face.quality, face.embedding


def _doubts(names: Sequence[str], candidates: Sequence[Candidate]) -> list[str]:
    """Pictures that may show somebody else than the others; raises Problem (409) where one surely does."""
    doubts = []
    for odd in odd_files(candidates):
        words = f"the faces of {names[odd.file]} and of the other pictures are {odd.similarity:.3f} alike"
        if odd.is_different:
            field = f"images[{odd.file}]"
            raise Problem(Code.CONFLICT, f"`{field}`: {words}: they show two people", field=field)
        doubts.append(f"{words}; is it the same person?")
    return doubts
