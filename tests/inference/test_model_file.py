"""A model's file: what was checked is what is run, and nothing of it stays in memory."""

import mmap
import os
import re
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import pytest

from edged.inference.catalogue import Catalogue
from edged.inference.model_file import ModelFile
from edged.inference.models import load_models
from edged.settings.recognition import Models

PAGE = mmap.PAGESIZE
SIZE = 64 * PAGE


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "any.tflite"
    path.write_bytes(os.urandom(SIZE))
    return path


def resident_kib(name):
    """What the process has in memory of mapped files whose path ends so."""
    blocks = re.split(r"(?m)^(?=[0-9a-f]+-[0-9a-f]+ )", Path("/proc/self/smaps").read_text())
    mine = [block for block in blocks if block.partition("\n")[0].endswith(name)]
    assert mine, f"{name} is not mapped"
    return sum(int(re.search(r"(?m)^Rss: +(\d+) kB", block)[1]) for block in mine)


def test_it_stays_the_file_that_was_checked_when_another_takes_its_name(path):
    content = path.read_bytes()
    with ModelFile(path) as model:
        other = path.with_name("other")
        other.write_bytes(b"another model")
        other.replace(path)

        assert Path(model.path).read_bytes() == content
        assert (model.size, model.sha256()) == (SIZE, sha256(content).hexdigest())


def test_its_pages_are_given_back_and_read_again_when_asked_for(path):
    content = path.read_bytes()
    with ModelFile(path) as model, path.open("rb") as file:
        mapped = mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ)
        assert bytes(mapped) == content
        assert resident_kib(path.name) == SIZE // 1024

        model.release_pages()

        assert resident_kib(path.name) == 0
        assert bytes(mapped) == content


def test_the_pages_of_other_files_stay(path):
    other = path.with_name("other.tflite")
    other.write_bytes(os.urandom(SIZE))
    with ModelFile(path) as model, other.open("rb") as file:
        mapped = mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ)
        assert len(bytes(mapped)) == SIZE

        model.release_pages()

        assert resident_kib(other.name) == SIZE // 1024


def test_of_loaded_models_only_what_the_runtime_made_of_them_stays_in_memory():
    models = load_models(Models(threads=1), None)

    catalogue = Catalogue()
    for role in ("detector", "landmarks", "embedder"):
        name = dict(models.described)[role].split()[0]
        assert resident_kib(catalogue.path_of(catalogue.card(name)).name) == 0


def test_it_is_never_taken_for_standard_error(path):
    program = (
        "import os, sys; os.close(2)\n"
        "from pathlib import Path\n"
        "from edged.inference.model_file import ModelFile\n"
        "print(Path(ModelFile(Path(sys.argv[1])).path).name)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(path)], capture_output=True, timeout=60, check=True
    )
    assert int(done.stdout) > 2
