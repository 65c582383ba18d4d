"""How long a person is in view before a decision, at 10 frames a second, in the clips' own time.

Every clip has a face in every frame, so the first frame looked at is the first with the person in view. Each
clip is begun at many different frames, which is time 0. Three people are enrolled from another clip of
theirs; those of two clips are not, and become unknown.
"""

from pathlib import Path

from footage import CLIPS, SETTINGS, frames, gallery_of, percentile

from edged.domain.message import MessageKind
from edged.inference.models import load_models
from edged.pipeline.feed import FeedPipeline
from edged.pipeline.ports import Models
from edged.recognition.gallery import Gallery
from edged.recognition.wire import Origin
from edged.settings.recognition import Models as ModelSettings

ENROLLED = ("again", "bird", "book")
CLIPS_OF = {"known": ("brother", "milk", "learn"), "unknown": ("eat", "hungry")}
EVERY_FRAMES = 2
BUDGET_MS = 1000


def first_decision_ms(models: Models, gallery: Gallery, clip: Path, first: int) -> int | None:
    """Time of the first job that is told, the first frame being at 0; None when the clip is too short."""
    pipeline = FeedPipeline(Origin("bench", "home", "bench", 1, is_replay=True), SETTINGS, models)
    for frame in frames(clip, first=first):
        for message in pipeline.process(frame, gallery):
            if message.kind is MessageKind.JOB:
                return message.at_ms
    return None


def main() -> None:
    """Print the distribution."""
    if not CLIPS.is_dir():
        print(f"decision: skipped, the real clips are not at {CLIPS}")
        return
    models = load_models(ModelSettings(threads=1), SETTINGS.detection.min_score)
    gallery = gallery_of(models, [CLIPS / f"{name}.mkv" for name in ENROLLED])
    for kind, names in CLIPS_OF.items():
        times = [
            first_decision_ms(models, gallery, CLIPS / f"{name}.mkv", first)
            for name in names
            for first in range(0, 20, EVERY_FRAMES)
        ]
        decided = [float(ms) for ms in times if ms is not None]
        print(
            f"decision, {kind}: {len(decided)} of {len(times)} beginnings decided before their clip ended;"
            f" p50 {percentile(decided, 0.5):.0f} ms, p95 {percentile(decided, 0.95):.0f} ms"
            f" (budget {BUDGET_MS} ms)"
        )


if __name__ == "__main__":
    main()
