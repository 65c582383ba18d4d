"""Models and sources with a watch on them: the same to whoever uses them."""

from dataclasses import replace

from edged.domain.face import Chip, Detection, Embedding, Landmarks
from edged.domain.frame import Pixels
from edged.pipeline.ports import Detector, Embedder, Landmarker, Models, Source
from edged.pipeline.stages import Stage, StageTimes


def timed_models(models: Models, times: StageTimes) -> Models:
    """The models, each with its watch. They belong to the recogniser's thread."""
    return replace(
        models,
        detector=_TimedDetector(models.detector, times),
        landmarker=_TimedLandmarker(models.landmarker, times),
        embedder=_TimedEmbedder(models.embedder, times),
    )


class _TimedDetector:
    def __init__(self, inner: Detector, times: StageTimes) -> None:
        self._inner = inner
        self._watch = times.watch(Stage.DETECT)

    def detect(self, pixels: Pixels) -> list[Detection]:
        with self._watch:
            return self._inner.detect(pixels)


class _TimedLandmarker:
    def __init__(self, inner: Landmarker, times: StageTimes) -> None:
        self._inner = inner
        self._watch = times.watch(Stage.LANDMARKS)

    def locate(self, pixels: Pixels, detection: Detection) -> Landmarks:
        with self._watch:
            return self._inner.locate(pixels, detection)


class _TimedEmbedder:
    def __init__(self, inner: Embedder, times: StageTimes) -> None:
        self._inner = inner
        self._watch = times.watch(Stage.EMBED)

    @property
    def model_hash(self) -> str:
        return self._inner.model_hash

    def embed(self, chip: Chip) -> Embedding:
        with self._watch:
            return self._inner.embed(chip)


class TimedSource:
    """A source whose decoding is timed. Belongs to the thread that captures, as the source does."""

    def __init__(self, inner: Source, times: StageTimes) -> None:
        self._inner = inner
        self._watch = times.watch(Stage.DECODE)
        self.is_live = inner.is_live

    def open(self) -> None:
        """Connect and be ready to grab; raises `CameraError`."""
        self._inner.open()

    def grab(self) -> float | None:
        """Take the next frame, see `Source.grab`."""
        return self._inner.grab()

    def retrieve(self) -> Pixels:
        """The frame just grabbed; raises `CameraError`."""
        with self._watch:
            return self._inner.retrieve()

    def close(self) -> None:
        """Let go of everything."""
        self._inner.close()

    @property
    def decoder(self) -> str:
        """Who really decodes, in words."""
        return self._inner.decoder
