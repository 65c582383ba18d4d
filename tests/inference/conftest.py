"""The shipped models, loaded once, and the pictures and clips they are tried on."""

import contextlib
import fcntl
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from edged.inference.models import load_models
from edged.pipeline import ports
from edged.settings.recognition import Models

ROOT = Path(__file__).resolve().parents[2]
SHARED = ROOT.parent / "shared"
CACHE = ROOT / ".cache"


@pytest.fixture(scope="session")
def models() -> ports.Models:
    return load_models(Models(threads=1), min_score=0.5)


@pytest.fixture(scope="session")
def portrait() -> np.ndarray:
    """The portrait of Eileen Collins (NASA, public domain; `astronaut.png` of scikit-image), 256 x 256."""
    return cv2.imread(str(Path(__file__).with_name("portrait-256.jpg")))


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder beside the project with footage and references."""
    if not SHARED.is_dir():
        pytest.skip(f"{SHARED} is not there")
    return SHARED


@pytest.fixture(scope="session")
def tflite_runtime_python() -> Path:
    """The Python of an environment with tflite-runtime and NumPy 1; made once, kept in `.cache`."""
    if sys.version_info >= (3, 12):
        pytest.skip("tflite-runtime has no wheel for Python 3.12 and later")
    return _environment(
        CACHE / "tflite-runtime-venv",
        "tflite-runtime==2.14.0",
        "numpy<2",
        "opencv-python-headless>=4.9,<4.12",
        "msgspec>=0.19",
        "pytest>=8.2",
        "pytest-timeout>=2.3",
    )


@pytest.fixture(scope="session")
def numpy_2() -> Path:
    """A folder with NumPy 2 and nothing else, to put before an environment's own."""
    with _locked():
        folder = CACHE / "numpy-2"
        if not (folder / "complete").exists():
            _pip(Path(sys.executable), "--target", str(folder), "numpy>=2,<3")
            (folder / "complete").touch()
    return folder


def _environment(folder: Path, *requirements: str) -> Path:
    python = folder / "bin" / "python"
    wanted = "\n".join(requirements)
    stamp = folder / "made-from.txt"
    with _locked():
        if not stamp.exists() or stamp.read_text() != wanted:
            subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True, timeout=120)
            _pip(python, *requirements)
            stamp.write_text(wanted)
    return python


def _pip(python: Path, *arguments: str) -> None:
    subprocess.run([python, "-m", "pip", "install", "--quiet", *arguments], check=True, timeout=300)


@contextlib.contextmanager
def _locked() -> Iterator[None]:
    """One test run at a time makes environments."""
    CACHE.mkdir(exist_ok=True)
    with (CACHE / "lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
