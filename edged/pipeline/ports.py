"""What the pipeline needs of the world, each as small as the need. Adapters above implement them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from edged.domain.errors import ModelError
from edged.domain.face import Chip, Detection, Embedding, Landmarks
from edged.domain.frame import Pixels
from edged.recognition.calibration import Calibration


class Source(Protocol):
    """A camera, clip or folder, opened and closed by the one thread that captures.

    Every call returns or raises within the time-outs of its settings. Foreign errors are translated into
    `CameraError`; the end of a clip is `EndOfMediaError`.
    """

    is_live: bool
    """Whether frames happen now, and are stamped by the clock; else the time that `grab` gives is theirs."""

    def open(self) -> None:
        """Connect and be ready to grab; raises `CameraError`."""
        ...

    def grab(self) -> float | None:
        """Take the next frame without decoding more than needed.

        Returns the frame's time in seconds since the source's first frame, strictly increasing, or None of
        a source with its own pace. A live source that gives a time (a clip in real time, a snapshot) is not
        ahead of it: whoever captures waits until then. Raises `CameraError`, or `EndOfMediaError` when a
        clip ends for good; its words, if it has any, say that the clip was cut off.
        """
        ...

    def retrieve(self) -> Pixels:
        """The frame just grabbed, as the camera sent it.

        Raises `CameraError`: with `NOT_VIDEO` this one picture cannot be decoded, and the next may be good.
        """
        ...

    def close(self) -> None:
        """Let go of everything; never raises, and may be called at any time by the capturing thread."""
        ...

    @property
    def decoder(self) -> str:
        """Who really decodes, in words: `opencv/ffmpeg h264`, `ffmpeg h264 (native)`; empty while unknown."""
        ...


class Detector(Protocol):
    """Finds faces."""

    def detect(self, pixels: Pixels) -> list[Detection]:
        """All faces of a frame, best first."""
        ...


class Landmarker(Protocol):
    """Places the mesh on one face."""

    def locate(self, pixels: Pixels, detection: Detection) -> Landmarks:
        """The landmarks of the detected face."""
        ...


class Embedder(Protocol):
    """Makes a face comparable."""

    @property
    def model_hash(self) -> str:
        """SHA-256 (hex) of the model's file and of how it is shown a chip.

        Embeddings of two hashes are never compared.
        """
        ...

    def embed(self, chip: Chip) -> Embedding:
        """Unit-length mean of the embeddings of the chip and of its mirror image."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class DecodedPicture:
    """A picture that somebody sent, decoded.

    Attributes:
        pixels: upright, perhaps of a half or a quarter of its width and height.
        width_px, height_px: of the whole picture, upright.
    """

    pixels: Pixels
    width_px: int
    height_px: int


Decode = Callable[[bytes, str], DecodedPicture]
"""Decodes a picture, given how it is called in words; raises `InputError` for what is none or too large."""


@dataclass(frozen=True, slots=True)
class Models:
    """The three models a picture passes through, and what the last one's similarities are worth."""

    detector: Detector
    landmarker: Landmarker
    embedder: Embedder
    embedding_size: int
    """How many float32 an embedding has."""
    calibration: Calibration | None = None
    """None of an embedder that nobody measured yet: it can be evaluated, and nobody recognised with it."""
    remarks: tuple[str, ...] = ()
    """What a person should know: a delegate that was asked for and is not used."""
    described: tuple[tuple[str, str], ...] = ()
    """What runs: `runtime`, `detector`, `landmarks`, `embedder`, each with its name and version."""

    def calibrated(self) -> Calibration:
        """The calibration, for whoever decides by it; raises `ModelError` where there is none."""
        if self.calibration is None:
            raise ModelError(
                "the embedder's card has no `calibration`: nobody knows which similarity is enough",
                remedy="measure it on photographs of many people: `edged evaluate FOLDER --calibrate`",
            )
        return self.calibration
