"""One picture of a request, step by step: decoded, searched, its faces looked at, embedded and decided."""

from collections.abc import Callable, Generator
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np

from edged.api.detect_job import Found
from edged.api.request_job import AskedPicture, feed_of
from edged.domain.box import Box
from edged.domain.errors import InputError
from edged.domain.face import Detection, Face
from edged.domain.history import JobPicture, SeenFace
from edged.domain.job import ImageStatus, JobImage, JobObject
from edged.domain.moment import Clock
from edged.domain.picture_address import PictureAddresses
from edged.pipeline.desk import Steps
from edged.pipeline.examine import Look, examined, look_closely
from edged.pipeline.kept_picture import kept_jpeg
from edged.pipeline.ports import Decode, DecodedPicture, Models
from edged.pipeline.single_face import Placed, decided, rule_at_once
from edged.pipeline.unknown_people import UnknownPeople
from edged.recognition.calibration import Calibration
from edged.recognition.decision import Rule
from edged.recognition.gallery import Gallery
from edged.recognition.seen_face import seen_face_of
from edged.recognition.wire import BoxUnit
from edged.settings.recognition import Quality
from edged.settings.root import Settings

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Manner:
    """How pictures are looked at: what of the settings matters.

    Attributes:
        quality: what a face must be like to be embedded.
        rule: what decisions go by.
        unit: how boxes are written.
        min_face_px: least side of a face's box, for enrolment.
        least_score: of a detection.
    """

    quality: Quality
    rule: Rule
    unit: BoxUnit
    min_face_px: float
    least_score: float

    @classmethod
    def of(cls, settings: Settings, calibration: Calibration) -> "Manner":
        """By the configuration."""
        return cls(
            settings.quality,
            rule_at_once(settings.recognition, calibration),
            settings.sightings.bounding_box,
            settings.detection.min_face_px,
            settings.detection.min_score or 0.0,
        )


@dataclass(frozen=True, slots=True)
class Tools:
    """What the recogniser's thread needs to look at pictures.

    Attributes:
        models: used by that thread alone.
        decode: decodes.
        gallery: who is enrolled in a namespace, at this moment.
        unknown_people: groups those of a namespace and a feed; it is asked anew for every picture.
        addresses: how pictures are called, and whether whole ones are kept.
        clock: tells the time.
    """

    models: Models
    decode: Decode
    gallery: Callable[[str], Gallery]
    unknown_people: Callable[[str, str], UnknownPeople]
    addresses: PictureAddresses
    clock: Clock


@dataclass(frozen=True, slots=True, eq=False)
class Recognised:
    """What came of a picture: its image in the job, and what is kept of it."""

    image: JobImage
    faces: tuple[SeenFace, ...]
    picture: JobPicture | None


@dataclass(frozen=True, slots=True, eq=False)
class PictureLook:
    """A picture as whoever enrols it wants to see it.

    Attributes:
        faces: each that both models call a face, the largest first, with quality, chip and embedding; also
            of those that are not good, which their quality says. Boxes are in pixels of the whole picture.
        width_px, height_px: of the whole picture.
    """

    faces: tuple[Face, ...]
    width_px: int
    height_px: int


class PictureWork:
    """The work on one picture that somebody sent. Its steps are done by the recogniser's thread.

    Args:
        data: the picture, compressed.
        name: how it is called in words.
    """

    def __init__(self, tools: Tools, manner: Manner, data: bytes, name: str) -> None:
        self._tools = tools
        self._manner = manner
        self._data = data
        self._name = name
        self._stage = ImageStatus.UNKNOWN_ERROR

    def status_of(self, error: Exception) -> ImageStatus:
        """What the picture's status is, now that a step has ended with this error."""
        if isinstance(error, InputError):
            return ImageStatus.INVALID_IMAGE_FORMAT_ERROR
        return self._stage

    def recognise(self, asked: AskedPicture, namespace: str, feed_id: str | None) -> Steps[Recognised]:
        """Say who is in it."""
        decoded = self._decoded()
        faces = yield from self._staged(examined(self._tools.models, self._manner.quality, decoded.pixels))
        at = self._tools.clock.moment()
        placed = Placed(asked.id, decoded.width_px, decoded.height_px, self._manner.unit, at)
        told = []
        for number, face in enumerate(faces, start=1):
            yield
            told.append(self._told(number, _in_whole(face, decoded), placed, namespace, feed_id))
        picture = None
        if self._tools.addresses.keeps_pictures:
            yield
            picture = JobPicture(asked.id, kept_jpeg(decoded.pixels), at.utc_ms)
        seen = tuple(self._seen(obj, face, asked, feed_id, decoded) for obj, face in told)
        image = self._image(asked, namespace, feed_id, [obj for obj, _ in told], is_kept=picture is not None)
        return Recognised(image, seen, picture)

    def detect(self) -> Steps[tuple[Found, ...]]:
        """Say where faces are."""
        decoded = self._decoded()
        self._stage = ImageStatus.DETECTION_ENGINE_ERROR
        yield
        height_px, width_px = decoded.pixels.shape[:2]
        found = self._tools.models.detector.detect(decoded.pixels)
        places = [(one.box.fraction_of(width_px, height_px).centre, one.score) for one in found]
        return tuple(Found(x, y, score) for (x, y), score in places)

    def look(self) -> Steps[PictureLook]:
        """See what could be enrolled of it."""
        decoded = self._decoded()
        self._stage = ImageStatus.DETECTION_ENGINE_ERROR
        yield
        faces = []
        for detection in self._tools.models.detector.detect(decoded.pixels):
            whole = _scaled(detection, decoded)
            if min(whole.box.width, whole.box.height) < self._manner.min_face_px:
                continue
            self._stage = ImageStatus.MODEL_SERVICE_ERROR
            yield
            look = look_closely(self._tools.models, self._manner.quality, decoded.pixels, detection)
            if look.face.quality is not None and look.presence >= self._manner.quality.min_presence:
                yield
                faces.append(_in_whole(self._embedded(look), decoded))
        faces.sort(key=lambda face: -face.detection.box.area)
        return PictureLook(tuple(faces), decoded.width_px, decoded.height_px)

    def _decoded(self) -> DecodedPicture:
        """Decoded, and no longer held compressed."""
        data, self._data = self._data, b""
        return self._tools.decode(data, self._name)

    def _staged(self, steps: Generator[ImageStatus, None, Result]) -> Steps[Result]:
        while True:
            try:
                self._stage = next(steps)
            except StopIteration as end:
                self._stage = ImageStatus.UNKNOWN_ERROR
                result: Result = end.value
                return result
            yield

    def _embedded(self, look: Look) -> Face:
        return look.embedded(self._tools.models.embedder.embed(look.chip))

    def _told(
        self, number: int, face: Face, placed: Placed, namespace: str, feed_id: str | None
    ) -> tuple[JobObject, Face]:
        decision, evidence = decided(face, self._tools.gallery(namespace), self._manner.rule)
        people = self._tools.unknown_people(namespace, feed_of(feed_id))
        track_id = placed.track_id(number)
        people.weigh(track_id, face, evidence, decision.verdict, placed.at)
        return placed.object_of(number, face, decision, people.membership(track_id)), face

    def _seen(
        self, obj: JobObject, face: Face, asked: AskedPicture, feed_id: str | None, decoded: DecodedPicture
    ) -> SeenFace:
        return seen_face_of(
            obj,
            face,
            image_id=asked.id,
            feed_id=feed_id,
            custom_id=asked.custom_id,
            model_hash=self._tools.models.embedder.model_hash,
            min_sharpness=self._manner.quality.min_sharpness,
            width_px=decoded.width_px,
            height_px=decoded.height_px,
        )

    def _image(
        self,
        asked: AskedPicture,
        namespace: str,
        feed_id: str | None,
        objects: list[JobObject],
        *,
        is_kept: bool,
    ) -> JobImage:
        ours = self._tools.addresses.image(namespace, feed_of(feed_id), asked.id, is_kept=is_kept)
        return JobImage(
            id=asked.id,
            url=ours if asked.url is None else asked.url,
            proxy_url=ours if asked.url is not None and is_kept else None,
            custom_id=asked.custom_id,
            status=ImageStatus.COMPLETED_SUCCESSFULLY,
            objects=tuple(objects),
        )


def _in_whole(face: Face, decoded: DecodedPicture) -> Face:
    """The face in pixels of the whole picture, where it was looked at in a smaller one."""
    return replace(face, detection=_scaled(face.detection, decoded))


def _scaled(detection: Detection, decoded: DecodedPicture) -> Detection:
    height_px, width_px = decoded.pixels.shape[:2]
    if (width_px, height_px) == (decoded.width_px, decoded.height_px):
        return detection
    x, y = decoded.width_px / width_px, decoded.height_px / height_px
    box, keypoints = detection.box, detection.keypoints * np.array([x, y], np.float32)
    keypoints.setflags(write=False)
    return replace(
        detection, box=Box(box.x_min * x, box.y_min * y, box.x_max * x, box.y_max * y), keypoints=keypoints
    )
