"""edged itself, Python, and the libraries that edged stands on: which, and where from."""

import importlib.metadata
import json
import os
import platform
import re
import shutil
import sqlite3
import ssl
import subprocess
import sys
from pathlib import Path
from typing import Final

import cv2
import numpy as np

from edged import __version__
from edged.app.checkup.finding import Finding, doubtful, well

PYTHONS: Final = ((3, 11), (3, 13))
"""First and last Python that edged is made for."""
_PACKAGES: Final = (
    "msgspec",
    "paho-mqtt",
    "urllib3",
    "uvicorn",
    "starlette",
    "h11",
    "PyYAML",
    "cryptography",
)
_AVCODEC: Final = re.compile(r"avcodec:\s+YES \(([\d.]+)\)")
_FFMPEG: Final = re.compile(r"ffmpeg version (\S+)")
_PATIENCE_S: Final = 10


def edged_finding() -> Finding:
    """The version, and how it was installed."""
    where = Path(__file__).resolve().parents[2]
    return well("edged", f"edged {__version__} in {where}, {_how_installed()}, for {sys.executable}")


def python_finding() -> Finding:
    """Python and the two libraries that bring machine code along."""
    seen = (
        f"Python {platform.python_version()} on {platform.machine()}, "
        f"NumPy {np.__version__}, OpenCV {cv2.__version__}"
    )
    if PYTHONS[0] <= sys.version_info[:2] <= PYTHONS[1]:
        return well("Python", seen)
    made_for = " to ".join(f"{major}.{minor}" for major, minor in PYTHONS)
    return doubtful("Python", seen, f"edged is made for Python {made_for}")


def libraries_finding() -> Finding:
    """What else does the work, inside Python and beside it."""
    codec = _AVCODEC.search(cv2.getBuildInformation())
    parts = [f"SQLite {sqlite3.sqlite_version}", ssl.OPENSSL_VERSION]
    parts.append(f"OpenCV with avcodec {codec[1]}" if codec else "OpenCV without FFmpeg")
    parts.append(_ffmpeg_program())
    parts += [f"{package} {version}" for package in _PACKAGES if (version := _version_of(package))]
    seen = ", ".join(parts)
    if codec is None:
        return doubtful("libraries", seen, "this OpenCV reads no RTSP; take `backend: ffmpeg` for the feeds")
    return well("libraries", seen)


def _how_installed() -> str:
    try:
        origin = importlib.metadata.distribution("edged").read_text("direct_url.json")
    except importlib.metadata.PackageNotFoundError:
        return "not installed as a package"
    is_editable = bool(origin) and json.loads(origin or "{}").get("dir_info", {}).get("editable", False)
    how = "editable" if is_editable else "installed"
    return (
        f"{how} in the environment {sys.prefix}"
        if sys.prefix != sys.base_prefix
        else f"{how}, no environment"
    )


def _version_of(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _ffmpeg_program() -> str:
    program = shutil.which("ffmpeg")
    if program is None:
        return "no program ffmpeg"
    try:
        told = subprocess.run(  # noqa: S603 - a program that was looked up, without anybody's words
            [program, "-version"],
            capture_output=True,
            text=True,
            timeout=_PATIENCE_S,
            check=False,
            env=os.environ,
        ).stdout
    except (OSError, subprocess.TimeoutExpired):
        return "a program ffmpeg that does not run"
    found = _FFMPEG.match(told)
    return f"ffmpeg {found[1]}" if found else "a program ffmpeg of unknown version"
