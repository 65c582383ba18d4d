"""Clips made on the spot by the `ffmpeg` program."""

import atexit
import functools
import shutil
import subprocess
import tempfile
from pathlib import Path

from bench.require import require


def ffmpeg(*arguments: str | Path) -> None:
    """Run the program to its end; skip where there is none."""
    program = require("ffmpeg", "ffmpeg")
    subprocess.run([program, "-v", "error", "-nostdin", "-y", *map(str, arguments)], check=True, timeout=120)


@functools.cache
def pattern(size: str = "320x240", seconds: float = 2, fps: int = 25, kind: str = "testsrc2") -> Path:
    """An MP4 of a moving test pattern (`testsrc2`), or of one colour (`color=blue`); made once."""
    clip = _new_name(".mp4")
    joint = ":" if "=" in kind else "="
    source = f"{kind}{joint}size={size}:rate={fps}:duration={seconds}"
    ffmpeg(*("-f", "lavfi", "-i", source), *_encoded(fps), clip)
    return clip


@functools.cache
def still(size: str = "320x240", seconds: float = 2, fps: int = 25) -> Path:
    """An MP4 that shows one picture of a test pattern all the time; made once."""
    clip = _new_name(".mp4")
    source = f"testsrc2=size={size}:rate={fps}:duration={seconds}"
    ffmpeg(
        *("-f", "lavfi", "-i", source, "-vf", "trim=end_frame=1,loop=-1:1", "-t", str(seconds)),
        *_encoded(fps),
        clip,
    )
    return clip


@functools.cache
def byte_stream(clip: Path, fps: int = 30) -> Path:
    """A clip as the RTSP server wants it: H.264, pictures in order, each with its delimiter; made once."""
    stream = _new_name(".h264")
    ffmpeg(
        *("-i", clip, "-an", "-r", str(fps)),
        *_encoded(fps),
        *("-x264-params", "aud=1:repeat-headers=1"),
        stream,
    )
    return stream


@functools.cache
def emptiness(size: str, fps: int = 30) -> Path:
    """One second of grey with the noise of a sensor: nobody there, and neither frozen nor of one colour."""
    clip = _new_name(".mp4")
    source = f"color=gray:size={size}:rate={fps}:duration=1"
    ffmpeg(*("-f", "lavfi", "-i", source, "-vf", "noise=alls=20:allf=t"), *_encoded(fps), clip)
    return clip


def size_of(clip: Path) -> str:
    """Width and height of a clip, as `640x480`."""
    program = require("ffprobe", "ffmpeg")
    question = ("-select_streams", "v:0", "-show_entries", "stream=width,height", "-of", "csv=p=0:s=x")
    asked = subprocess.run(
        [program, "-v", "error", *question, clip], check=True, capture_output=True, text=True, timeout=60
    )
    return asked.stdout.strip()


def _encoded(fps: int) -> tuple[str, ...]:
    return (
        *("-c:v", "libx264", "-preset", "ultrafast", "-crf", "20", "-bf", "0"),
        *("-g", str(fps), "-pix_fmt", "yuv420p"),
    )


def _new_name(suffix: str) -> Path:
    return _folder() / f"{len(list(_folder().iterdir()))}{suffix}"


@functools.cache
def _folder() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="edged-clips-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder
