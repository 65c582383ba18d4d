"""What recognising a person who stays in view costs, over detecting them, at ten frames a second.

A clip is played forth and back for a minute, so that one person stays in view. Detection is the detector with
its letterbox and its decoding of boxes; recognition is everything that happens because a face was found:
landmarks, crop, quality, embedding, fusing, matching, deciding.
"""

import statistics
import time
from itertools import chain, cycle, islice
from typing import Any

from footage import FPS, SETTINGS, clips_with_faces, frames, gallery_of

from edged.domain.face import Chip
from edged.domain.frame import Frame
from edged.domain.moment import Moment
from edged.inference.models import load_models
from edged.pipeline.feed import FeedPipeline
from edged.pipeline.ports import Models
from edged.recognition.gallery import Gallery
from edged.recognition.wire import Origin
from edged.settings.recognition import Models as ModelSettings

SECONDS = 60
BUDGET = 0.25
cpu_s = time.process_time


class Costs:
    """CPU spent in detection and in recognition, and how often the embedder ran."""

    def __init__(self) -> None:
        self.detection_s = self.recognition_s = 0.0
        self.embeddings = 0


def cost_of(models: Models, gallery: Gallery, pictures: list[Frame]) -> tuple[Costs, int | None]:
    """The costs of some frames, and the embedder's runs up to the first decision."""
    costs, decided_after = Costs(), None
    pipeline = FeedPipeline(Origin("bench", "home", "bench", 1, is_replay=True), SETTINGS, models)
    observe, detect, embed = pipeline._observe, pipeline._detect, models.embedder.embed

    def timed_detect(frame: Frame) -> Any:
        begun = cpu_s()
        found = detect(frame)
        costs.detection_s += cpu_s() - begun
        return found

    def timed_observe(*arguments: Any) -> Any:
        nonlocal decided_after
        begun = cpu_s()
        found = observe(*arguments)
        costs.recognition_s += cpu_s() - begun
        if decided_after is None and any(one.decision.verdict != "undecided" for one in found):
            decided_after = costs.embeddings
        return found

    def counted_embed(chip: Chip) -> Any:
        costs.embeddings += 2  # the chip and its mirror image
        return embed(chip)

    pipeline._detect, pipeline._observe = timed_detect, timed_observe  # type: ignore[method-assign]
    models.embedder.embed = counted_embed  # type: ignore[method-assign]
    for frame in pictures:
        pipeline.process(frame, gallery)
    del models.embedder.embed
    return costs, decided_after


def back_and_forth(pictures: list[Frame], count: int) -> list[Frame]:
    """So many frames: the pictures forth, back, forth, each with a time of its own."""
    loop = cycle(chain(pictures, reversed(pictures[1:-1])))
    moments = (Moment(round(n * 1000 / FPS), round(n * 1000 / FPS)) for n in range(count))
    return [
        Frame("bench", number, at, frame.pixels)
        for number, (at, frame) in enumerate(zip(moments, islice(loop, count), strict=True), start=1)
    ]


def main() -> None:
    """Print the share for known and unknown people."""
    clips = clips_with_faces()
    models = load_models(ModelSettings(threads=1), SETTINGS.detection.min_score)
    galleries = {"known": gallery_of(models, clips), "unknown": Gallery.empty(models.calibrated())}
    for name, gallery in galleries.items():
        shares, first_shares, runs = [], [], []
        for clip in clips:
            film = back_and_forth(list(frames(clip)), round(SECONDS * FPS))
            cost_of(models, gallery, film[:20])  # warm
            costs, decided = cost_of(models, gallery, film)
            shares.append(costs.recognition_s / costs.detection_s)
            begun, _ = cost_of(models, gallery, film[: round(2 * FPS)])
            first_shares.append(begun.recognition_s / begun.detection_s)
            if decided is not None:
                runs.append(decided)
        print(
            f"{name}: recognition costs {statistics.median(shares):.2f} of detection over {SECONDS} s (budget"
            f" {BUDGET}), {statistics.median(first_shares):.2f} in the first 2 s; the embedder runs"
            f" {statistics.median(runs)} times to the first decision (median; most {max(runs)})"
        )


if __name__ == "__main__":
    main()
