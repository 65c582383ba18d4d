"""Histograms of stages, by a clock that is moved by hand."""

from hypothesis import given
from hypothesis import strategies as st

from edged.pipeline.stages import BOUNDS_NS, Histogram, Stage, StageTimes


class HandNs:
    """Nanoseconds that pass when told."""

    def __init__(self):
        self.ns = 0

    def __call__(self):
        return self.ns


def test_a_watch_counts_what_is_done_within_it():
    now_ns = HandNs()
    times = StageTimes(now_ns)
    watch = times.watch(Stage.DETECT)

    for passed_ns in (3_000_000, 3_000_000, 40_000_000):
        with watch:
            now_ns.ns += passed_ns
        now_ns.ns += 1_000_000_000

    held = times.durations()[Stage.DETECT]
    assert sum(held.counts) == 3
    assert held.counts[BOUNDS_NS.index(5_000_000)] == 2
    assert held.counts[BOUNDS_NS.index(50_000_000)] == 1
    assert held.sum_s == 0.046


def test_what_fails_is_timed_too():
    now_ns = HandNs()
    times = StageTimes(now_ns)
    watch = times.watch(Stage.COMMIT)

    try:
        with watch:
            now_ns.ns += 1_000
            raise OSError  # noqa: TRY301 - what is done within fails
    except OSError:
        pass

    assert sum(times.durations()[Stage.COMMIT].counts) == 1


def test_several_threads_histograms_of_a_stage_are_told_as_one():
    times = StageTimes()
    for _ in range(3):
        times.histogram(Stage.DECODE).observe(2_000_000)

    held = times.durations()[Stage.DECODE]
    assert held.counts[BOUNDS_NS.index(2_500_000)] == 3
    assert held.sum_s == 0.006


@given(st.lists(st.integers(0, 20_000_000_000), max_size=40))
def test_every_duration_is_in_the_first_bucket_that_it_fits(durations_ns):
    histogram = Histogram()
    for ns in durations_ns:
        histogram.observe(ns)

    counts = histogram.durations.counts
    for position, bound in enumerate(BOUNDS_NS):
        assert sum(counts[: position + 1]) == sum(ns <= bound for ns in durations_ns)
    assert sum(counts) == len(durations_ns)
