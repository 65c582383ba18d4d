"""What the benchmarks look at: real clips where they are, else the sample scene."""

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from edged.domain.frame import Frame, Pixels
from edged.domain.identity import GalleryChange, Identity, IdentityFaces
from edged.domain.moment import Moment
from edged.pipeline.examine import examine
from edged.pipeline.ports import Models
from edged.recognition.gallery import Gallery
from edged.settings.feeds import Feed
from edged.settings.recognition import Quality
from edged.settings.root import Settings
from edged.settings.sinks import ConsoleSink
from edged.settings.sources import FileSource

PROJECT = Path(__file__).resolve().parents[2]
CLIPS = PROJECT.parent / "shared" / "fixtures" / "clips"
SAMPLE = PROJECT / "edged" / "cli" / "sample" / "scene.mp4"
SETTINGS = Settings(feeds=(Feed(id="bench", source=FileSource(path="-")),), sinks=(ConsoleSink(),))
FPS = 10.0


def clips_with_faces() -> list[Path]:
    """The eight real clips with a face in every frame, or the sample scene alone."""
    return sorted(CLIPS.glob("*.mkv")) or [SAMPLE]


def frames(clip: Path, *, first: int = 0) -> Iterator[Frame]:
    """Frames of a clip at FPS in its own time, from its frame number `first` on."""
    capture = cv2.VideoCapture(str(clip), cv2.CAP_FFMPEG, [cv2.CAP_PROP_N_THREADS, 1])
    clip_fps = capture.get(cv2.CAP_PROP_FPS)
    due_s, number, index = 0.0, 0, -1
    while capture.grab():
        index += 1
        at_s = (index - first) / clip_fps
        if index < first or at_s < due_s - 1e-6:
            continue
        due_s += 1 / FPS
        _, pixels = capture.retrieve()
        number += 1
        yield Frame("bench", number, Moment(round(at_s * 1000), round(at_s * 1000)), as_pixels(pixels))
    capture.release()


def as_pixels(pixels: object) -> Pixels:
    """OpenCV's picture, with the type it has."""
    return np.asarray(pixels, np.uint8)


def gallery_of(models: Models, clips: list[Path]) -> Gallery:
    """Everybody of the clips enrolled, each with three faces of the first frames."""
    people = []
    for number, clip in enumerate(clips):
        found = [
            face.embedding for frame in frames(clip) for face in examine(models, Quality(), frame.pixels)[:1]
        ]
        good = [embedding for embedding in found if embedding is not None][:3]
        people.append(IdentityFaces(Identity(f"id-{number}", clip.stem, None, 0, 0), np.stack(good)))
    return Gallery.empty(models.calibrated()).with_change(GalleryChange(1, tuple(people), ()))


def percentile(values: list[float], share: float) -> float:
    """The value that `share` of all do not exceed."""
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]
