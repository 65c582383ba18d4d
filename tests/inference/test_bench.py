import itertools
import json
import shutil

import numpy as np
import pytest

from edged.inference.bench import ROUNDS, Bench
from edged.inference.catalogue import Catalogue
from edged.inference.runtime import find_runtime
from edged.settings.recognition import Models
from edged.system.clock import SystemStopwatch
from edged.system.memory import resident_bytes

PICTURE = np.full((100, 120, 3), 90, np.uint8)


class HandMovedStopwatch:
    """Each look at the wall takes one millisecond, each at the processor two."""

    def __init__(self):
        self.wall = self.cpu = 0

    def wall_ns(self):
        self.wall += 1_000_000
        return self.wall

    def cpu_ns(self):
        self.cpu += 2_000_000
        return self.cpu


@pytest.fixture
def one_model(tmp_path):
    """A folder of one model of somebody's own, so that little else has to be timed."""
    card = Catalogue().card("blazeface-short-range")
    shutil.copy(Catalogue().directory / card.file, tmp_path)
    content = json.loads((Catalogue().directory / f"{card.name}.json").read_text())
    (tmp_path / "mine.json").write_text(json.dumps({**content, "name": "mine"}))
    return tmp_path


def measured(folder=None, stopwatch=None, threads=(1,), seconds=0.001):
    bench = Bench(find_runtime(), stopwatch or HandMovedStopwatch(), resident_bytes)
    return bench.measure(Catalogue(folder), PICTURE, threads=threads, seconds=seconds)


def test_every_model_is_timed_with_every_number_of_threads():
    found = measured(threads=(1, 2))
    assert found.failures == {}
    assert sorted((timing.name, timing.threads) for timing in found.timings) == [
        (name, threads) for name in Catalogue().names() for threads in (1, 2)
    ]


def test_a_model_of_somebodys_own_is_timed_too(one_model):
    assert "mine" in {timing.name for timing in measured(str(one_model)).timings}


def test_a_run_is_what_the_stopwatch_says_it_is():
    for timing in measured().timings:
        assert (timing.median_ms, timing.p95_ms, timing.cpu_ms, timing.spread) == (1, 1, 2, 0)


def test_without_time_each_model_runs_a_few_times_all_the_same():
    assert {timing.runs for timing in measured(seconds=1e-6).timings} == {3 * ROUNDS}


def test_more_time_gives_more_runs():
    # Twenty looks at the hand-moved watch a round and model; each run takes three.
    found = measured(seconds=0.02 * ROUNDS * len(Catalogue().names()))
    assert all(5 * ROUNDS < timing.runs < 10 * ROUNDS for timing in found.timings)


def test_where_a_delegate_fails_it_is_said_and_the_cpu_is_timed():
    bench = Bench(find_runtime(), HandMovedStopwatch(), resident_bytes)
    chosen = Models(delegate="/nowhere/libfast.so", delegate_models=("landmarks",))
    found = bench.measure(Catalogue(), PICTURE, threads=[1], seconds=0.001, chosen=chosen)
    (remark,) = found.remarks
    assert "face-landmarks runs on the CPU: the delegate /nowhere/libfast.so is not there" in remark
    assert len(found.timings) == len(Catalogue().names())


def test_a_model_that_does_not_run_is_named_and_the_others_are_timed(one_model):
    (one_model / "blazeface-short-range.tflite").write_bytes(b"not a model")
    found = measured(str(one_model))
    assert list(found.failures) == ["mine"]
    assert "blazeface-short-range.tflite" in found.failures["mine"]
    assert {timing.name for timing in found.timings} == set(Catalogue().names())


def test_the_machines_own_watch_goes_forward():
    watch = SystemStopwatch()
    assert watch.wall_ns() < watch.wall_ns() + 1
    before = watch.cpu_ns()
    sum(range(100_000))
    assert watch.cpu_ns() > before


def test_what_the_process_grew_by_while_a_model_was_loaded_is_the_models():
    sizes = itertools.count(0, 5_000_000)
    bench = Bench(find_runtime(), HandMovedStopwatch(), lambda: next(sizes))
    found = bench.measure(Catalogue(), PICTURE, threads=[1], seconds=0.001)
    assert {timing.memory_bytes for timing in found.timings} == {5_000_000}


def test_the_process_knows_how_large_it_is():
    before = resident_bytes()
    held = np.ones(50_000_000, np.uint8)
    assert resident_bytes() > max(before, held.nbytes)
