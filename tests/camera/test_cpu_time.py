"""Processor time, as Linux tells it."""

import os
import threading
from pathlib import Path

from bench.clips import pattern
from bench.mosquitto import eventually
from edged.camera.cpu_time import all_threads, cpu_ms, of_the_decoder, this_thread
from edged.camera.factory import make_source
from edged.settings.sources import FileSource
from edged.system.clock import SystemClock

TRIES = 3_000


def test_work_shows_in_the_time_of_its_thread_and_of_its_process():
    tasks = [(this_thread(),), (str(os.getpid()),)]
    before = [cpu_ms(each) for each in tasks]
    for _ in range(TRIES):
        sum(range(20_000))
        if all(cpu_ms(each) >= begin + 20 for each, begin in zip(tasks, before, strict=True)):
            return
    raise AssertionError("no time passed")


def test_times_are_added_and_what_has_ended_counts_nothing():
    ended = threading.Thread(target=lambda: gone.append(this_thread()))
    gone: list[str] = []
    ended.start()
    ended.join()
    own = cpu_ms([str(os.getpid())])

    assert cpu_ms([]) == 0
    assert cpu_ms(gone) == 0
    assert cpu_ms([str(os.getpid()), *gone, "0/nothing"]) >= own


def test_threads_that_opencv_decodes_with_are_found_and_are_the_sources_own():
    before = all_threads()
    one, three, other = (
        make_source(FileSource(path=str(pattern()), decode_threads=threads), Path("/"), SystemClock())
        for threads in (1, 3, 2)
    )
    for source in (one, three, other):
        source.open()

    # A thread gives itself its name, a moment after it has begun.
    eventually(lambda: len(three.tasks) == 3, "three named threads")  # type: ignore[attr-defined]
    eventually(lambda: len(other.tasks) == 2, "two named threads")  # type: ignore[attr-defined]
    assert one.tasks == ()  # type: ignore[attr-defined]
    assert {*three.tasks, *other.tasks} == set(of_the_decoder(all_threads() - before))  # type: ignore[attr-defined]
    for source in (one, three, other):
        source.close()
