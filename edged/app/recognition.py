"""One-shot recognition of picture files: the job that the API would answer with."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from edged.api.request_job import status_of
from edged.camera.picture import read_picture
from edged.domain.errors import InputError
from edged.domain.face import Face
from edged.domain.frame import Pixels
from edged.domain.identifiers import derived_id
from edged.domain.job import ImageStatus, Job, JobEdge, JobImage
from edged.domain.moment import Moment
from edged.pipeline.examine import examine
from edged.pipeline.ports import Models
from edged.pipeline.single_face import Placed, decided, rule_at_once
from edged.recognition.decision import NOT_YET, Decision
from edged.recognition.gallery import Gallery
from edged.recognition.wire import BoxUnit
from edged.settings.recognition import Quality, Recognition
from edged.vision.annotate import Mark, annotated


@dataclass(frozen=True, slots=True, eq=False)
class Recognised:
    """One picture file and what came of it.

    Attributes:
        path: the file.
        image: as the job tells it.
        faces: each face with what is said of it, best detection first.
        pixels: the upright picture; None where it could not be read.
        trouble: why it could not be read, for people; empty where it could.
    """

    path: Path
    image: JobImage
    faces: tuple[tuple[Face, Decision], ...] = ()
    pixels: Pixels | None = None
    trouble: str = ""

    def drawn(self) -> Pixels | None:
        """The picture with boxes, landmarks and names."""
        if self.pixels is None:
            return None
        marks = [
            Mark(face.detection, told(decision), decision.identity is not None)
            for face, decision in self.faces
        ]
        return annotated(self.pixels, marks)


class PictureRecogniser:
    """Recognises the faces of single pictures.

    One face is all the evidence there is: it is decided at once, by the threshold for one face.

    Args:
        models: used by the calling thread alone.
        gallery: who is enrolled.
        at: the time of the job.
    """

    def __init__(
        self,
        models: Models,
        gallery: Gallery,
        quality: Quality,
        recognition: Recognition,
        *,
        namespace: str,
        device: str,
        unit: BoxUnit,
        at: Moment,
    ) -> None:
        self._models = models
        self._gallery = gallery
        self._quality = quality
        self._rule = rule_at_once(recognition, models.calibrated())
        self._namespace = namespace
        self._device = device
        self._unit: BoxUnit = unit
        self._at = at

    def recognise(self, path: Path) -> Recognised:
        """Look at one file; what is wrong with it is told in its image's status and in words."""
        image_id = derived_id("image", self._at.utc_ms, str(path), _content_hash(path))
        url = path.absolute().as_uri()
        try:
            pixels = read_picture(path)
        except InputError as error:
            failed = JobImage(id=image_id, url=url, status=ImageStatus.INVALID_IMAGE_FORMAT_ERROR, objects=())
            return Recognised(path, failed, trouble=error.what)
        found = examine(self._models, self._quality, pixels)
        faces = tuple((face, decided(face, self._gallery, self._rule)[0]) for face in found)
        height_px, width_px = pixels.shape[:2]
        placed = Placed(image_id, width_px, height_px, self._unit, self._at)
        image = JobImage(
            id=image_id,
            url=url,
            status=ImageStatus.COMPLETED_SUCCESSFULLY,
            objects=tuple(
                placed.object_of(number, face, decision)
                for number, (face, decision) in enumerate(faces, start=1)
            ),
        )
        return Recognised(path, image, faces, pixels)

    def job(self, recognised: Sequence[Recognised]) -> Job:
        """The job of all files together."""
        images = tuple(one.image for one in recognised)
        return Job(
            id=derived_id(
                "job", self._device, self._namespace, self._at.utc_ms, *(image.id for image in images)
            ),
            created_at=self._at.utc_ms,
            status=status_of(image.status for image in images),
            images=images,
            edge=JobEdge(
                namespace=self._namespace,
                device=self._device,
                sequence=1,
                origin="api",
                updated_at=self._at.utc_ms,
                delayed_ms=0,
            ),
        )


def told(decision: Decision) -> str:
    """A decision in a few words: `Ada (97 %)`, `unknown`, `undecided: blurred`."""
    if decision.identity is not None:
        # Rounded down: nothing is ever certain.
        return f"{decision.identity.label} ({int((decision.confidence or 0) * 100)} %)"
    return (
        f"{decision.verdict}: {decision.reason}"
        if decision.verdict is NOT_YET.verdict
        else str(decision.verdict)
    )


def _content_hash(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return ""
