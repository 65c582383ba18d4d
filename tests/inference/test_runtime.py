import os
import subprocess
import sys

import numpy as np
import pytest

from edged.domain.errors import ModelError
from edged.inference.catalogue import Catalogue
from edged.inference.runtime import find_runtime, make_network


@pytest.fixture
def network():
    catalogue = Catalogue()
    with catalogue.opened(catalogue.card("face-landmarks")) as model:
        return make_network(find_runtime(), model, name="face-landmarks", threads=1)


def test_a_runtime_is_found_with_its_version():
    runtime = find_runtime()
    assert runtime.name in {"ai-edge-litert", "tflite-runtime"}
    assert runtime.version[0].isdigit()


def test_without_a_runtime_the_error_says_what_to_install():
    with pytest.raises(
        ModelError, match=r"no TFLite runtime is installed[^\n]*\n.*pip install ai-edge-litert"
    ):
        find_runtime(["edged-knows-no-such-package"])


def test_bytes_that_are_no_model_are_refused_by_name():
    with pytest.raises(ModelError, match=r"model broken: .* cannot load it"):
        make_network(find_runtime(), b"this is no model at all", name="broken", threads=1)


def test_a_network_tells_its_shapes(network):
    assert sorted(np.prod(shape) for shape in network.output_shapes()) == [1, 1404]


def test_an_output_is_found_by_its_size(network):
    assert network.output(network.output_with(1404)).size == 1404
    with pytest.raises(ModelError, match="no one output of the model has size 7"):
        network.output_with(7)


def test_a_network_refuses_to_run_while_somebody_holds_its_memory(network):
    held = network.input()
    with pytest.raises(RuntimeError, match="reference"):
        network.run()
    del held
    network.run()


def test_a_daemon_without_standard_error_loads_models_too():
    program = (
        "import os; os.close(2)\n"
        "from edged.inference.models import load_models\n"
        "from edged.settings.recognition import Models\n"
        "print(load_models(Models(), 0.5).embedder.model_hash)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=os.environ,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert len(done.stdout.strip()) == 64
    assert done.returncode == 0


def test_what_others_write_to_standard_error_meanwhile_is_not_lost(capfd):
    class Chatty:
        def __init__(self, **_arguments):
            os.write(2, b"INFO: Created a delegate.\nERROR: the disk is on fire\n")

        def allocate_tensors(self):
            pass

        def get_input_details(self):
            return [{}]

        def get_output_details(self):
            return []

    runtime = type(find_runtime())("chatty", "1.0", Chatty)
    make_network(runtime, b"", name="any", threads=1)
    assert capfd.readouterr().err == "ERROR: the disk is on fire\n"
