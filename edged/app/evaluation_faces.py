"""A picture of a data set: whose face is meant, and its embedding as the daemon would make it."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Final, Protocol, runtime_checkable

import cv2
import msgspec
import numpy as np

from edged.camera.picture import read_picture
from edged.domain.box import Box
from edged.domain.errors import InputError
from edged.domain.face import CHIP_SIZE_PX, Chip, Detection, Floats
from edged.domain.frame import Pixels
from edged.inference.models import load_models
from edged.pipeline.examine import Look, look_closely
from edged.pipeline.ports import Detector, Models
from edged.settings import recognition as settings

_BORDER: Final = 0.5
"""Width of the border that is put around a picture, in its own sides: a face that fills a picture is larger
than a detector for far faces expects."""

_NEAR: Final = "blazeface-short-range"
_LOW_SCORE: Final = 0.1

_MIDDLE: Final = 0.46
"""Share of the shorter side that is taken for the face where none is found: in LFW's pictures, 250 pixels
wide, a chip is about 115 pixels wide."""

_LEAST_QUALITY: Final = 0.05


class Way(StrEnum):
    """How the face of a picture was found. The set is closed; each is counted."""

    DAEMON = "as the daemon finds it"
    BORDER = "with a border around the picture"
    NEAR = "with the detector for near faces"
    LOW = "with a lower score than the daemon asks for"
    MIDDLE = "the middle of the picture"
    NONE = "no face"
    UNREADABLE = "unreadable"


class Sight(msgspec.Struct, frozen=True, kw_only=True):
    """What a picture gave, as the work folder keeps it."""

    content: str
    """SHA-256 of the file; of one that cannot even be opened, empty."""
    way: Way
    faces: int = 0
    """Believed by detector and landmark model."""
    quality: float = 0.0
    rejections: tuple[str, ...] = ()
    """Why the daemon would not embed the face."""
    embedding: bytes = b""
    """float32, little-endian."""
    raw: tuple[bytes, bytes] | None = None
    """The model's own answers to chip and mirror image, where they were asked for."""
    trouble: str = ""
    stages_ms: dict[str, float] = {}

    @property
    def is_embedded(self) -> bool:
        """Whether there is an embedding."""
        return bool(self.embedding)

    def vector(self) -> Floats:
        """The embedding, unit length."""
        return np.frombuffer(self.embedding, "<f4").astype(np.float32)


@runtime_checkable
class RawEmbedder(Protocol):
    """What the model itself says of one chip."""

    def raw(self, chip: Chip) -> Floats:
        """Not normalised, not mirrored."""
        ...


class Spares(Protocol):
    """The detectors that are asked when the daemon's finds nothing."""

    def near(self) -> Detector:
        """For faces that fill the picture."""
        ...

    def low(self) -> Detector:
        """The daemon's, with a least score of a tenth."""
        ...


class SpareDetectors:
    """The shipped detector for near faces, and the daemon's own with little asked; loaded when wanted."""

    def __init__(self, chosen: settings.Models) -> None:
        self._chosen = chosen
        self._near: Detector | None = None
        self._low: Detector | None = None

    def near(self) -> Detector:
        """For faces that fill the picture."""
        if self._near is None:
            chosen = msgspec.structs.replace(self._chosen, detector=_NEAR)
            self._near = load_models(chosen, None).detector
        return self._near

    def low(self) -> Detector:
        """The daemon's, with a least score of a tenth."""
        if self._low is None:
            self._low = load_models(self._chosen, _LOW_SCORE).detector
        return self._low


class FaceFinder:
    """Finds the face that a labelled picture is about, and embeds it by the daemon's own code.

    Of several faces it is the one that is large and near the middle, as is the custom with LFW.

    Args:
        models: used by the calling thread alone.
        quality, detection: the settings of the daemon.
        stopwatch_ns: a steady clock, nanoseconds.
        spares: where given, every readable picture gives an embedding, by the best crop to be had.
        raw: where given, its answers to chip and mirror image are kept beside the embedding.
    """

    def __init__(
        self,
        models: Models,
        quality: settings.Quality,
        detection: settings.Detection,
        stopwatch_ns: Callable[[], int],
        *,
        spares: Spares | None = None,
        raw: RawEmbedder | None = None,
    ) -> None:
        self._models = models
        self._quality = quality
        self._detection = detection
        self._stopwatch_ns = stopwatch_ns
        self._spares = spares
        self._raw = raw

    def sight(self, path: Path, content: str) -> Sight:
        """Look at one file, whose hash is `content`; what is wrong with it is told in the result."""
        laps = _Laps(self._stopwatch_ns)
        try:
            pixels = read_picture(path)
        except InputError as error:
            return Sight(content=content, way=Way.UNREADABLE, trouble=error.what)
        laps.lap("read")
        detections = self._models.detector.detect(pixels)
        laps.lap("detect")
        looks = self._believed(pixels, detections)
        laps.lap("landmarks, chip, quality")
        if looks:
            return self._embedded(content, Way.DAEMON, looks, middle_of(looks, pixels), laps)
        for way, found in self._other_ways(pixels):
            if found:
                return self._embedded(content, way, found, middle_of(found, pixels), laps)
        if self._spares is None:
            return Sight(content=content, way=Way.NONE, stages_ms=laps.ms)
        return self._middle(content, pixels, laps)

    def _believed(self, pixels: Pixels, detections: Sequence[Detection]) -> list[Look]:
        """The faces that the daemon would follow."""
        least_px = self._detection.min_face_px
        looks = [
            look_closely(self._models, self._quality, pixels, detection)
            for detection in detections
            if min(detection.box.width, detection.box.height) >= least_px
        ]
        return [look for look in looks if look.presence >= self._quality.min_presence]

    def _other_ways(self, pixels: Pixels) -> Iterator[tuple[Way, list[Look]]]:
        """The other ways to find a face, each tried only when it is its turn."""
        if self._spares is None:
            return
        wide = _with_border(pixels)
        yield Way.BORDER, self._believed(wide, self._models.detector.detect(wide))
        yield Way.NEAR, self._believed(pixels, self._spares.near().detect(pixels))
        yield Way.LOW, self._believed(pixels, self._spares.low().detect(pixels))

    def _middle(self, content: str, pixels: Pixels, laps: "_Laps") -> Sight:
        """The mesh laid on the picture's middle, or without a face there the bare middle."""
        look = look_closely(self._models, self._quality, pixels, _assumed(pixels))
        if look.presence >= self._quality.min_presence:
            return self._embedded(content, Way.MIDDLE, [look], look, laps)
        return self._sight(content, Way.MIDDLE, _bare_middle(pixels), laps)

    def _embedded(self, content: str, way: Way, looks: Sequence[Look], look: Look, laps: "_Laps") -> Sight:
        return self._sight(content, way, look.chip, laps, look=look, faces=len(looks))

    def _sight(
        self, content: str, way: Way, chip: Chip, laps: "_Laps", *, look: Look | None = None, faces: int = 0
    ) -> Sight:
        laps.restart()
        embedding = self._models.embedder.embed(chip)
        laps.lap("embed")
        quality = look.face.quality if look else None
        raw = None
        if self._raw is not None:
            mirrored = np.ascontiguousarray(chip[:, ::-1])
            raw = (_bytes(self._raw.raw(chip)), _bytes(self._raw.raw(mirrored)))
        return Sight(
            content=content,
            way=way,
            faces=faces,
            quality=max(quality.score, _LEAST_QUALITY) if quality else _LEAST_QUALITY,
            rejections=tuple(str(reason) for reason in quality.rejections) if quality else (),
            embedding=_bytes(embedding),
            raw=raw,
            # A crop that needed other ways took a time that no daemon takes.
            stages_ms=laps.ms if way is Way.DAEMON else {},
        )


def content_hash(path: Path) -> str:
    """SHA-256 (hex) of a file; raises InputError."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}") from None


def middle_of(looks: Sequence[Look], pixels: Pixels) -> Look:
    """The face that is large and near the middle: greatest area less twice the squared distance."""
    height, width = pixels.shape[:2]

    def worth(look: Look) -> float:
        x, y = look.face.detection.box.centre
        away = (x - width / 2) ** 2 + (y - height / 2) ** 2
        return float(look.face.detection.box.area - 2 * away)

    return max(looks, key=worth)


class _Laps:
    """Time of the stages of one picture, milliseconds."""

    def __init__(self, stopwatch_ns: Callable[[], int]) -> None:
        self._stopwatch_ns = stopwatch_ns
        self._since_ns = stopwatch_ns()
        self.ms: dict[str, float] = {}

    def restart(self) -> None:
        self._since_ns = self._stopwatch_ns()

    def lap(self, stage: str) -> None:
        now_ns = self._stopwatch_ns()
        self.ms[stage] = (now_ns - self._since_ns) / 1e6
        self._since_ns = now_ns


def _with_border(pixels: Pixels) -> Pixels:
    y, x = (round(side * _BORDER) for side in pixels.shape[:2])
    return np.asarray(cv2.copyMakeBorder(pixels, y, y, x, x, cv2.BORDER_CONSTANT), np.uint8)


def _assumed(pixels: Pixels) -> Detection:
    """A face in the middle, upright: where pictures of data sets that were cut about a face have it."""
    height, width = pixels.shape[:2]
    half = _MIDDLE * min(height, width) / 2
    x, y = width / 2, height / 2
    eyes = [(x - half / 3, y - half / 4), (x + half / 3, y - half / 4)]
    keypoints = np.array([*eyes, (x, y), (x, y + half / 2), (x - half, y), (x + half, y)], np.float32)
    return Detection(Box(x - half, y - half, x + half, y + half), keypoints, _LOW_SCORE)


def _bare_middle(pixels: Pixels) -> Chip:
    height, width = pixels.shape[:2]
    side = max(1, round(_MIDDLE * min(height, width)))
    top, left = (height - side) // 2, (width - side) // 2
    square = pixels[top : top + side, left : left + side, ::-1]
    resized = cv2.resize(
        np.ascontiguousarray(square), (CHIP_SIZE_PX, CHIP_SIZE_PX), interpolation=cv2.INTER_AREA
    )
    return np.asarray(resized, np.uint8)


def _bytes(vector: Floats) -> bytes:
    return np.ascontiguousarray(vector, "<f4").tobytes()
