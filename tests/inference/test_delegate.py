"""Delegates that load, that do not, and what becomes of the model then."""

import shutil
import subprocess

import numpy as np
import pytest

from builders.own_models import HEADS, add_own
from edged.domain.errors import ModelError
from edged.inference.bench import Bench
from edged.inference.catalogue import Catalogue
from edged.inference.delegate import load_delegate
from edged.inference.models import load_models
from edged.inference.runtime import find_runtime
from edged.inference.verify import verify
from edged.settings.recognition import Models
from edged.system.clock import SystemStopwatch
from edged.system.memory import resident_bytes

WORKING = """
#include <stddef.h>
/* TfLiteDelegate as the runtime's C interface has it. This one takes no node. */
struct delegate {
    void *data;
    int (*prepare)(void *, void *);
    void *from, *to, *freeing;
    long flags, reserved[4];
};
static int prepare(void *context, void *delegate) { (void)context; (void)delegate; return PREPARED; }
static struct delegate only = {0, prepare};
void *tflite_plugin_create_delegate(char **keys, char **values, size_t count, void (*report)(const char *)) {
    for (size_t i = 0; i < count; i++)
        if (keys[i][0] == 'x') { report("option x is not known"); return NULL; }
    (void)values;
    return &only;
}
void tflite_plugin_destroy_delegate(void *delegate) { (void)delegate; }
"""
SILENT = """
#include <stddef.h>
void *tflite_plugin_create_delegate(char **k, char **v, size_t n, void (*r)(const char *))
{ (void)k; (void)v; (void)n; (void)r; return NULL; }
void tflite_plugin_destroy_delegate(void *delegate) { (void)delegate; }
"""
LACKING = "int nothing_of_interest(void) { return 0; }"


@pytest.fixture(scope="session")
def compiled(tmp_path_factory):
    """A function from C to the path of a shared object."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        pytest.skip("no C compiler is here to make a delegate with")
    folder = tmp_path_factory.mktemp("delegates")

    def build(name, source, *options):
        (folder / f"{name}.c").write_text(source)
        target = folder / f"{name}.so"
        subprocess.run(
            [compiler, "-shared", "-fPIC", *options, "-o", target, folder / f"{name}.c"],
            check=True,
            timeout=60,
        )
        return str(target)

    return build


@pytest.fixture(scope="session")
def working(compiled):
    return compiled("libworking", WORKING, "-DPREPARED=0")


@pytest.fixture
def own(tmp_path):
    add_own(tmp_path, "yunet", HEADS["yunet"])
    int8 = [{"shape": [1, 64, 64, 3], "dtype": "int8", "meaning": "RGB"}]
    add_own(tmp_path, "scrfd-int8", HEADS["scrfd-int8"], inputs=int8)
    return tmp_path


def chosen(own, **more):
    return Models(directory=str(own), detector="scrfd-int8", threads=1, **more)


def refusal(path, options=()):
    with pytest.raises(ModelError) as caught:
        load_delegate(find_runtime(), str(path), options)
    return caught.value.what


def test_a_delegate_computes_the_int8_detector_and_nothing_else(own, working):
    settings = chosen(own, delegate=working)
    assert load_models(settings, 0.5).remarks == ()
    catalogue, runtime = Catalogue(str(own)), find_runtime()
    assert verify(catalogue, "scrfd-int8", runtime, settings).delegate == "libworking.so"
    assert verify(catalogue, "yunet", runtime, settings).delegate == ""
    assert verify(catalogue, "face-landmarks", runtime, settings).delegate == ""


def test_the_settings_may_name_the_models_that_a_delegate_is_for(own, working):
    settings = chosen(own, delegate=working, delegate_models=("landmarks",))
    catalogue, runtime = Catalogue(str(own)), find_runtime()
    assert verify(catalogue, "face-landmarks", runtime, settings).delegate == "libworking.so"
    assert verify(catalogue, "scrfd-int8", runtime, settings).delegate == ""


def test_a_delegate_gets_its_options_and_its_complaint_is_told(working):
    assert load_delegate(find_runtime(), working, ("device=usb:0", "empty="))
    assert "option x is not known" in refusal(working, ("x=1",))


def test_a_file_that_is_not_there(tmp_path):
    assert "is not there" in refusal(tmp_path / "libnone.so")
    assert "cannot be loaded" in refusal("libedged-has-no-such-delegate.so.1")


def test_a_file_that_is_no_shared_object(tmp_path):
    (tmp_path / "text.so").write_text("this is no library")
    assert "cannot be loaded" in refusal(tmp_path / "text.so")


def test_a_shared_object_that_is_no_delegate(compiled):
    assert "lacks tflite_plugin_create_delegate and tflite_plugin_destroy_delegate" in refusal(
        compiled("liblacking", LACKING)
    )


def test_a_delegate_that_does_not_start_and_says_nothing(compiled):
    assert "is its device there" in refusal(compiled("libsilent", SILENT))


@pytest.mark.parametrize("name", ["missing", "lacking", "silent", "refusing"])
def test_where_a_delegate_fails_the_cpu_is_used_and_it_is_said_once(own, compiled, caplog, name):
    path = {
        "missing": lambda: "/nowhere/libnone.so",
        "lacking": lambda: compiled("liblacking", LACKING),
        "silent": lambda: compiled("libsilent", SILENT),
        "refusing": lambda: compiled("librefusing", WORKING, "-DPREPARED=1"),
    }[name]()
    models = load_models(chosen(own, delegate=path), 0.5)
    (remark,) = models.remarks
    assert remark.startswith("model scrfd-int8 runs on the CPU: ")
    assert path in remark or "librefusing.so" in remark
    assert caplog.text.count("runs on the CPU") == 1
    assert verify(Catalogue(str(own)), "scrfd-int8", find_runtime(), chosen(own, delegate=path)).works


@pytest.mark.parametrize("is_refusing", [False, True])
def test_a_delegate_that_is_required_ends_it(own, compiled, is_refusing):
    path = compiled("librefusing", WORKING, "-DPREPARED=1") if is_refusing else "/nowhere/libnone.so"
    with pytest.raises(ModelError, match=r"model scrfd-int8: .*delegate") as caught:
        load_models(chosen(own, delegate=path, delegate_required=True), 0.5)
    assert "delegate_required" in caught.value.remedy


def test_results_with_a_delegate_that_takes_nothing_are_the_same(own, working):
    frame = np.full((480, 640, 3), 255, np.uint8)
    alone, helped = (load_models(chosen(own, **more), 0.5) for more in ({}, {"delegate": working}))
    scores = [[face.score for face in models.detector.detect(frame)] for models in (alone, helped)]
    assert scores[0] == scores[1] != []


def test_a_delegated_model_is_timed_with_the_delegate_and_without(own, working):
    bench = Bench(find_runtime(), SystemStopwatch(), resident_bytes)
    picture = np.zeros((64, 64, 3), np.uint8)
    settings = chosen(own, delegate=working)
    measured = bench.measure(Catalogue(str(own)), picture, threads=[1], seconds=0.01, chosen=settings)
    found = [(timing.name, timing.delegate) for timing in measured.timings]
    assert [pair for pair in found if pair[1]] == [("scrfd-int8", "libworking.so")]
    assert ("scrfd-int8", "") in found
