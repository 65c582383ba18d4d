"""An installed edged has its models with it."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = """
from edged.inference.catalogue import Catalogue
from edged.inference.runtime import find_runtime
from edged.inference.verify import verify
catalogue = Catalogue()
print(catalogue.directory)
print([verify(catalogue, name, find_runtime()).problems for name in catalogue.names()])
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    command = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--quiet",
        "--no-deps",
        "--wheel-dir",
        str(folder),
        str(ROOT),
    ]
    subprocess.run(command, check=True, timeout=200)
    (path,) = folder.glob("edged-*.whl")
    return path


def test_the_wheel_carries_every_file_of_the_models(wheel):
    shipped = {
        path.relative_to(ROOT / "models").as_posix()
        for path in (ROOT / "models").rglob("*")
        if path.is_file()
    }
    with zipfile.ZipFile(wheel) as archive:
        carried = {name.removeprefix("edged/_models/") for name in archive.namelist() if "/_models/" in name}
    assert carried == shipped


def test_an_installed_edged_finds_and_verifies_its_own_models(wheel, tmp_path):
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path)
    told = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert told.stdout.splitlines() == [str(tmp_path / "edged" / "_models"), "[(), (), (), (), (), (), ()]"]
