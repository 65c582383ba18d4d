"""Processor time a frame of every way to decode that this machine has, beside OpenCV in the same run.

usage: decoders.py [CLIP ...]      without one: footage scaled to 1280 x 720, as H.264 and as HEVC
"""

import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from footage import clips_with_faces

from edged.camera.candidates import Candidate, candidates, this_machine
from edged.camera.cpu_time import cpu_ms, this_thread
from edged.camera.decoding import of_file
from edged.domain.errors import CameraError
from edged.settings.sources import FileSource
from edged.system.clock import SystemClock

FRAMES = 200
ROUNDS = 5
ENCODERS = {"h264": "libx264", "hevc": "libx265"}


def main() -> None:
    """Print a line for every way and clip."""
    with tempfile.TemporaryDirectory() as folder:
        for clip in [Path(name) for name in sys.argv[1:]] or made_in(Path(folder)):
            measure(clip)


def made_in(folder: Path) -> list[Path]:
    """The footage as a camera would send it: 25 frames a second, and none that waits for a later one."""
    made = []
    for codec, encoder in ENCODERS.items():
        clip = folder / f"{codec}.mp4"
        how = (
            "-vf",
            "scale=1280:720,fps=25",
            "-c:v",
            encoder,
            "-preset",
            "veryfast",
            "-b:v",
            "2M",
            "-bf",
            "0",
        )
        # x265 speaks whatever it is told.
        command = (
            "ffmpeg",
            "-v",
            "error",
            "-stream_loop",
            "-1",
            "-i",
            str(clips_with_faces()[0]),
            "-an",
            *how,
        )
        subprocess.run(
            [*command, "-frames:v", str(FRAMES + 20), str(clip)], check=True, stderr=subprocess.DEVNULL
        )
        made.append(clip)
    return made


def measure(clip: Path) -> None:
    """Each way in turn, several times over, so that what else the machine does meets all of them."""
    settings = FileSource(path=str(clip))
    ways = candidates(of_file(settings, Path.cwd(), SystemClock()), this_machine("ffmpeg"))
    figures: dict[str, list[tuple[float, float]]] = {}
    for _ in range(ROUNDS):
        for way in ways:
            try:
                name, both, own = cost(way)
            except CameraError as error:
                figures.setdefault(f"{way.name} fails: {error.what}", [])
                continue
            figures.setdefault(name, []).append((both, own))
    floor = statistics.median(both for both, _ in next(iter(figures.values())))
    for name, each in figures.items():
        if not each:
            print(f"{clip.name}: {name}")
            continue
        both, own = (statistics.median(values) for values in zip(*each, strict=True))
        ratio = both / floor
        print(f"{clip.name}: {name}: {both:.1f} ms a frame, {ratio:.2f} x OpenCV, {own:.1f} ms in the daemon")


def cost(way: Candidate) -> tuple[str, float, float]:
    """Who decoded, and the processor time of a frame in milliseconds: altogether, and in this process."""
    source = way.make()
    try:
        source.open()
        source.grab()
        inside = (this_thread(), *(task for task in source.tasks if task.startswith("self/")))
        outside = tuple(task for task in source.tasks if not task.startswith("self/"))
        own, other = cpu_ms(inside), cpu_ms(outside)
        for _ in range(FRAMES):
            source.retrieve()
            source.grab()
        own, other = cpu_ms(inside) - own, cpu_ms(outside) - other
        return source.decoder, (own + other) / FRAMES, own / FRAMES
    finally:
        source.close()


if __name__ == "__main__":
    main()
