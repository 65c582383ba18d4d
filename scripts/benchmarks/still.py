"""CPU on a still scene over bare decoding: a 720p clip of a still room with sensor noise, 10 frames/s."""

import statistics
import subprocess
import tempfile
import time
from pathlib import Path

from footage import SETTINGS, frames

from edged.inference.models import load_models
from edged.pipeline.feed import FeedPipeline
from edged.recognition.gallery import Gallery
from edged.recognition.wire import Origin
from edged.settings.recognition import Models as ModelSettings

SECONDS = 60
ROUNDS = 3
BUDGET = 0.05


def still_clip(folder: Path) -> Path:
    """A minute of a grey gradient with noise, H.264, 1280x720, 10 frames/s."""
    clip = folder / "still.mp4"
    scene = f"gradients=s=1280x720:r=10:d={SECONDS}:speed=0.00001:seed=1"
    encoding = ["-vf", "noise=alls=6:allf=t,format=yuv420p", "-c:v", "libx264", "-preset", "fast"]
    subprocess.run(["ffmpeg", "-v", "error", "-f", "lavfi", "-i", scene, *encoding, str(clip)], check=True)
    return clip


def main() -> None:
    """Print the share of a core that the pipeline takes beyond decoding."""
    models = load_models(ModelSettings(threads=1), SETTINGS.detection.min_score)
    with tempfile.TemporaryDirectory() as folder:
        clip = still_clip(Path(folder))
        shares = []
        for _ in range(ROUNDS):
            pipeline = FeedPipeline(Origin("bench", "home", "bench", 1, is_replay=True), SETTINGS, models)
            begun = time.process_time()
            decoded = sum(1 for _ in frames(clip))
            middle = time.process_time()
            for frame in frames(clip):
                pipeline.process(frame, Gallery.empty())
            decoding_s, all_s = middle - begun, time.process_time() - middle
            shares.append((all_s - decoding_s) / (decoded / 10))
            print(
                f"round: decoding {decoding_s / decoded * 1000:.2f} ms a frame, with the pipeline"
                f" {all_s / decoded * 1000:.2f} ms"
            )
    share = statistics.median(shares)
    print(f"still scene: {share * 100:.1f} % of a core over decoding (budget {BUDGET * 100:.0f} %)")


if __name__ == "__main__":
    main()
