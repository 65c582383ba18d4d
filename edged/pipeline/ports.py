"""What the pipeline needs of the world, each as small as the need. Adapters above implement them."""

from typing import Protocol

from edged.domain.face import Chip, Detection, Embedding, Landmarks
from edged.domain.frame import Pixels


class Source(Protocol):
    """A camera, clip or folder, opened and closed by the one thread that captures.

    Every call returns or raises within the time-outs of its settings. Foreign errors are translated into
    `CameraError`; the end of a clip is `EndOfMediaError`.
    """

    is_live: bool
    """Whether frames come at their own pace and are stamped by the clock; else `grab` gives their time."""

    def open(self) -> None:
        """Connect and be ready to grab; raises `CameraError`."""
        ...

    def grab(self) -> float | None:
        """Take the next frame without decoding more than needed.

        Returns the frame's time in seconds since the clip's begin, or None of a live source. Raises
        `CameraError`, or `EndOfMediaError` when a clip ends for good.
        """
        ...

    def retrieve(self) -> Pixels:
        """The frame just grabbed, as the camera sent it; raises `CameraError` where it cannot be decoded."""
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
        """SHA-256 (hex) of the model's file: embeddings of two models are never compared."""
        ...

    def embed(self, chip: Chip) -> Embedding:
        """Unit-length mean of the embeddings of the chip and of its mirror image."""
        ...
