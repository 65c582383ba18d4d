"""What the adapters must do, on the older runtime too, in an environment of its own."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.timeout(600)  # the first run on a machine makes the environment

ROOT = Path(__file__).resolve().parents[2]
TRY_TO_LOAD = """
from edged.domain.errors import ModelError
from edged.inference.models import load_models
from edged.settings.recognition import Models
try:
    load_models(Models(), 0.5)
except ModelError as error:
    print(error)
"""


def run(python, *arguments, path=()):
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([*map(str, path), str(ROOT)])}
    environment.pop("COVERAGE_PROCESS_START", None)
    return subprocess.run(
        [python, *arguments],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )


def test_every_test_of_the_adapters_passes_on_tflite_runtime(tflite_runtime_python):
    names = ("test_adapters.py", "test_detector_heads.py", "test_own_embedders.py", "test_delegate.py")
    files = [str(Path(__file__).with_name(name)) for name in names]
    done = run(tflite_runtime_python, "-m", "pytest", "-q", "-p", "no:cacheprovider", *files)
    assert done.returncode == 0, done.stdout + done.stderr
    assert " passed" in done.stdout


def test_the_embedder_made_for_tflite_runtime_is_taken_there(tflite_runtime_python):
    told = run(
        tflite_runtime_python,
        "-c",
        "from edged.inference.catalogue import Catalogue\n"
        "from edged.inference.runtime import find_runtime\n"
        "print(Catalogue().embedder_for('auto', find_runtime().name).name)",
    )
    assert told.stdout.strip() == "dlib-resnet-v1-weight-only-int8"


def test_every_model_verifies_on_tflite_runtime(tflite_runtime_python):
    told = run(
        tflite_runtime_python,
        "-c",
        "from edged.inference.catalogue import Catalogue\n"
        "from edged.inference.runtime import find_runtime\n"
        "from edged.inference.verify import verify\n"
        "c, r = Catalogue(), find_runtime()\n"
        "print([verify(c, name, r).problems for name in c.names()])",
    )
    assert told.stdout.strip() == "[(), (), (), (), (), (), ()]", told.stdout + told.stderr


def test_tflite_runtime_with_numpy_2_is_refused_in_words(tflite_runtime_python, numpy_2):
    told = run(tflite_runtime_python, "-c", TRY_TO_LOAD, path=[numpy_2])
    assert "tflite-runtime 2.14.0 needs NumPy 1, and NumPy 2." in told.stdout
    assert "pip install" in told.stdout
    assert told.stderr == ""


@pytest.mark.parametrize("which", ["tflite-runtime", "ai-edge-litert"])
def test_loading_says_nothing_on_standard_error(which, request):
    python = request.getfixturevalue("tflite_runtime_python") if which == "tflite-runtime" else sys.executable
    told = run(python, "-c", TRY_TO_LOAD)
    assert (told.stdout, told.stderr, told.returncode) == ("", "", 0)


def test_importing_the_models_module_does_not_import_a_runtime():
    told = run(
        sys.executable,
        "-c",
        "import sys, edged.inference.models, edged.inference.verify\n"
        "print([name for name in sys.modules if name.startswith(('ai_edge_litert', 'tflite_runtime'))])",
    )
    assert told.stdout.strip() == "[]"
