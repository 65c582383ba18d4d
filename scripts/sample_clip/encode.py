"""Frames into an H.264 file, by the `ffmpeg` program."""

import subprocess
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray


def encode(frames: Iterable[NDArray[np.uint8]], path: Path, *, size: tuple[int, int], fps: int) -> None:
    """Write an MP4 with a key frame every two seconds; raises CalledProcessError where ffmpeg fails.

    One thread and the `bitexact` flags, so that the same frames give the same file.
    """
    command = [
        *("ffmpeg", "-loglevel", "error", "-y"),
        *("-f", "rawvideo", "-pix_fmt", "bgr24", "-s", f"{size[0]}x{size[1]}", "-r", str(fps), "-i", "-"),
        *("-c:v", "libx264", "-preset", "slow", "-crf", "23", "-pix_fmt", "yuv420p", "-g", str(2 * fps)),
        *("-threads", "1", "-map_metadata", "-1", "-fflags", "+bitexact", "-flags:v", "+bitexact"),
        *("-movflags", "+faststart", str(path)),
    ]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as ffmpeg:
        if ffmpeg.stdin is None:
            raise RuntimeError("ffmpeg was started without a pipe to write to")
        for frame in frames:
            ffmpeg.stdin.write(frame.tobytes())
        ffmpeg.stdin.close()
    if ffmpeg.returncode != 0:
        raise subprocess.CalledProcessError(ffmpeg.returncode, command)
