"""CPU per processed frame, stage by stage, over its floor: decoding and the bare invocations.

The floor decodes the same frames and, after each, runs the models that the pipeline ran on that frame, on
whatever is in their inputs. Both are measured in turn, clip by clip; the ratio is the median over the rounds.
"""

import statistics
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

from footage import SETTINGS, clips_with_faces, frames, gallery_of

from edged.domain.moment import Moment
from edged.inference.models import load_models
from edged.pipeline import feed as feed_module
from edged.pipeline.feed import FeedPipeline
from edged.pipeline.ports import Models
from edged.recognition.gallery import Gallery
from edged.recognition.wire import Origin
from edged.settings.recognition import Models as ModelSettings

ROUNDS = 5
BUDGET = 1.15

Clock = Callable[[], float]
cpu_s = time.process_time


class Stages:
    """CPU spent in each stage, by wrapping its one entrance."""

    def __init__(self) -> None:
        self.spent_s: dict[str, float] = defaultdict(float)
        self.calls: dict[str, int] = defaultdict(int)

    def timed(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """The function, its CPU time booked under a name."""

        def call(*arguments: Any, **named: Any) -> Any:
            begun = cpu_s()
            try:
                return function(*arguments, **named)
            finally:
                self.spent_s[name] += cpu_s() - begun
                self.calls[name] += 1

        return call


def networks(models: Any) -> dict[str, Any]:
    """The bare networks behind the adapters."""
    return {
        "detector": models.detector._network,
        "landmarks": models.landmarker._network,
        "embedder": models.embedder._network,
    }


def run_pipeline(models: Models, gallery: Gallery, clip: Path, stages: Stages | None = None) -> None:
    """The pipeline over one clip."""
    pipeline = FeedPipeline(Origin("bench", "home", "bench", 1, is_replay=True), SETTINGS, models)
    if stages is not None:
        pipeline._gate.update = stages.timed("motion gate", pipeline._gate.update)  # type: ignore[method-assign]
        pipeline._tracker.update = stages.timed("tracking", pipeline._tracker.update)  # type: ignore[method-assign]
        pipeline._weigh = stages.timed("embed in all, match, decide", pipeline._weigh)  # type: ignore[method-assign]
        pipeline._tell = stages.timed("sighting, job", pipeline._tell)  # type: ignore[method-assign]
    for frame in frames(clip):
        pipeline.process(frame, gallery)
    pipeline.end(Moment(0, 0))


def run_floor(bare: dict[str, Any], invocations: list[list[str]], clip: Path) -> None:
    """Decode the same frames, invoke the same models after each."""
    for _, names in zip(frames(clip), invocations, strict=True):
        for name in names:
            bare[name].run()


def recorded(models: Any, gallery: Gallery, clip: Path) -> list[list[str]]:
    """Which models the pipeline runs on each frame of a clip, in order."""
    bare = networks(models)
    original = {name: network.run for name, network in bare.items()}
    per_frame: list[list[str]] = []
    for name, network in bare.items():

        def run(name: str = name) -> None:
            per_frame[-1].append(name)
            original[name]()

        network.run = run
    pipeline = FeedPipeline(Origin("bench", "home", "bench", 1, is_replay=True), SETTINGS, models)
    for frame in frames(clip):
        per_frame.append([])
        pipeline.process(frame, gallery)
    for network in bare.values():
        del network.run
    return per_frame


def stage_table(models: Any, gallery: Gallery, clips: list[Path], total_frames: int) -> None:
    """Print where the pipeline's CPU goes."""
    stages = Stages()
    bare = networks(models)
    for name, network in bare.items():
        network.run = stages.timed(f"  of it, bare {name}", network.run)
    timed = Models(
        _Wrapped(models.detector, "detect", stages.timed("detection", models.detector.detect)),  # type: ignore[arg-type]
        _Wrapped(models.landmarker, "locate", stages.timed("landmarks", models.landmarker.locate)),  # type: ignore[arg-type]
        _Wrapped(models.embedder, "embed", stages.timed("embedding", models.embedder.embed)),  # type: ignore[arg-type]
        models.embedding_size,
        models.calibration,
    )
    original = feed_module.look_closer
    feed_module.look_closer = stages.timed("look closer (chip, quality)", original)  # type: ignore[assignment]
    begun = cpu_s()
    for clip in clips:
        for _ in frames(clip):
            pass
    stages.spent_s["decoding (alone)"] = cpu_s() - begun
    for clip in clips:
        run_pipeline(timed, gallery, clip, stages)
    feed_module.look_closer = original
    for network in bare.values():
        del network.run
    print(f"{'stage':42} {'ms CPU a frame':>15} {'calls a frame':>14}")
    for name, spent in stages.spent_s.items():
        print(f"{name:42} {spent / total_frames * 1000:15.3f} {stages.calls[name] / total_frames:14.2f}")


class _Wrapped:
    """A model with one method exchanged."""

    def __init__(self, inner: Any, name: str, method: Callable[..., Any]) -> None:
        self._inner = inner
        setattr(self, name, method)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


def main() -> None:
    """Print the stages and the ratio."""
    clips = clips_with_faces()
    models = load_models(ModelSettings(threads=1), SETTINGS.detection.min_score)
    gallery = gallery_of(models, clips)
    invocations = {clip: recorded(models, gallery, clip) for clip in clips}
    total_frames = sum(len(per_frame) for per_frame in invocations.values())
    print(f"pipeline: {len(clips)} clips, {total_frames} frames at 10/s, one thread of inference")
    stage_table(models, gallery, clips, total_frames)
    bare = networks(models)
    ratios = []
    for _ in range(ROUNDS):
        floor_s = pipeline_s = 0.0
        for clip in clips:
            begun = cpu_s()
            run_floor(bare, invocations[clip], clip)
            floor_s += (middle := cpu_s()) - begun
            run_pipeline(models, gallery, clip)
            pipeline_s += cpu_s() - middle
        ratios.append(pipeline_s / floor_s)
        print(
            f"round: floor {floor_s / total_frames * 1000:.2f} ms,"
            f" pipeline {pipeline_s / total_frames * 1000:.2f} ms, ratio {ratios[-1]:.3f}"
        )
    print(f"pipeline over floor: {statistics.median(ratios):.3f} x (budget {BUDGET} x)")


if __name__ == "__main__":
    main()
