"""What applying an epoch costs recognition, over the same run without; and what one changed person moves.

A feed is recognised at 10 frames a second against 10,000 people with three embeddings, while another thread
stages and applies epochs with 1 and with 1,000 changed people, as a member does, and the gallery follows.
"""

import itertools
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from footage import FPS, SETTINGS, clips_with_faces, frames, percentile

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import simulated_fleet  # noqa: F401 - lets the tests' builders be imported
from builders.namespaces import MODEL, HandClock, Ids
from edged.domain.frame import Frame
from edged.domain.moment import Moment
from edged.inference.models import load_models
from edged.pipeline.feed import FeedPipeline
from edged.pipeline.galleries import Galleries
from edged.recognition.wire import Origin
from edged.settings.recognition import Models as ModelSettings
from edged.store.gallery_watch import GalleryWatch
from simulated_fleet.camera import RealCamera
from simulated_fleet.company import NAMESPACE, Company, Epoch

PEOPLE, FACES, SECONDS, EPOCHS = 10_000, 3, 8.0, 4


class Measured:
    """Frames of a run: from when each was due until it was done, and between two that were done."""

    def __init__(self) -> None:
        self.late_ms: list[float] = []
        self.interval_ms: list[float] = []


def recognise(galleries: Galleries, pipeline: FeedPipeline, shown: Iterator[Frame]) -> Measured:
    """Look at frames for SECONDS, each when it is due."""
    measured, begun, before = Measured(), time.perf_counter(), None
    for number in range(round(SECONDS * FPS)):
        frame = next(shown)
        due = begun + (number + 1) / FPS
        time.sleep(max(0.0, due - time.perf_counter()))
        pipeline.process(frame, galleries.current(NAMESPACE))
        done = time.perf_counter()
        measured.late_ms.append((done - due) * 1000)
        if before is not None:
            measured.interval_ms.append((done - before) * 1000)
        before = done
    return measured


def apply_all(
    camera: RealCamera,
    epochs: list[Epoch],
    pages: dict[str, bytes],
    wake: Callable[[], None],
    took_s: list[float],
) -> None:
    """Apply epochs one after another, a second apart; notes how long each took."""
    camera.open_here()
    for made in epochs:
        time.sleep(1)
        begun = time.perf_counter()
        camera.take(made.payload, pages.__getitem__)
        wake()
        took_s.append(time.perf_counter() - begun)
    camera.store.close()


def main() -> None:
    """Print frame intervals and latencies with and without, and the bytes of one change."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        company = Company(folder, PEOPLE, FACES)
        camera = RealCamera(folder, 1, company.keys.authority.public, company.key)
        first = company.next_epoch()
        pages = dict(first.pages)
        camera.take(first.payload, pages.__getitem__)
        camera.store.close()
        models = load_models(ModelSettings(threads=1), SETTINGS.detection.min_score)
        galleries = Galleries(models.calibrated())
        watch = GalleryWatch(folder / "camera-1", [NAMESPACE], MODEL, galleries, HandClock(), Ids("watch"))
        watch.start()
        watch.wait_until_read(60)
        print(
            f"sync: {PEOPLE} people x {FACES} embeddings, {len(galleries.current(NAMESPACE))} in the gallery"
        )
        shown = _endless()
        pipeline = FeedPipeline(Origin("bench", NAMESPACE, "bench", 1, is_replay=True), SETTINGS, models)
        recognise(galleries, pipeline, shown)
        bare = recognise(galleries, pipeline, shown)
        tell("without", bare, bare)
        for changed in (1, 1000):
            epochs = []
            for _ in range(EPOCHS):
                company.rename(changed)
                epochs.append(company.next_epoch())
                pages |= epochs[-1].pages
            took: list[float] = []
            thread = threading.Thread(target=apply_all, args=(camera, epochs, pages, watch.wake, took))
            thread.start()
            measured = recognise(galleries, pipeline, shown)
            thread.join()
            size = sum(map(len, epochs[-1].pages.values()))
            print(
                f"{changed} changed: {len(epochs[-1].pages)} pages, {size} bytes,"
                f" applied in {max(took) * 1000:.0f} ms at most"
            )
            tell(f"while {EPOCHS} epochs with {changed} changed are applied", measured, bare)
        watch.stop(20)
        pipeline.end(Moment(0, 0))


def tell(what: str, measured: Measured, bare: Measured) -> None:
    """One line of figures, and their ratios to the run without."""
    for words, of, floor in (
        ("done after due", measured.late_ms, bare.late_ms),
        ("between frames", measured.interval_ms, bare.interval_ms),
    ):
        p50, p99 = percentile(of, 0.5), percentile(of, 0.99)
        print(
            f"  {what}: {words} p50 {p50:.1f} ms ({p50 / percentile(floor, 0.5):.2f} x), p99 {p99:.1f} ms"
            f" ({p99 / percentile(floor, 0.99):.2f} x), longest {max(of):.1f} ms"
        )


def _endless() -> Iterator[Frame]:
    clips = itertools.cycle(clips_with_faces())
    number = 0
    for clip in clips:
        for frame in frames(clip):
            number += 1
            at_ms = round(number * 1000 / FPS)
            yield Frame("bench", number, Moment(at_ms, at_ms), frame.pixels)


if __name__ == "__main__":
    main()
