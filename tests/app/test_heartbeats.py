"""Threads that stand still, on hearts made by hand."""

from dataclasses import replace

from builders.recognition import at
from edged.app.heartbeats import MOST_BETWEEN_MS, Heart, Heartbeats

SINK = Heart("sink mqtt", 1, is_idle=False, patience_s=300.0)
COMMITTER = Heart("committer", 1, is_idle=False, patience_s=60.0, is_vital=True)


class Chest:
    """Holds hearts as a test wants them."""

    def __init__(self, *hearts):
        self.hearts = list(hearts)
        self.beats = Heartbeats(lambda: self.hearts)
        self.beats.look(at(0))

        self.second = 0

    def after_s(self, *seconds):
        """Looks once a second up to each of these."""
        for second in seconds:
            while self.second < second:
                self.second += 1
                self.beats.look(at(1000 * self.second))
        return self.beats


def test_a_thread_that_turns_is_well_however_long_it_runs():
    chest = Chest(COMMITTER)
    for second in range(0, 1000, 10):
        chest.hearts = [replace(COMMITTER, beats=second)]
        assert not chest.after_s(second).wedged


def test_a_vital_thread_with_something_to_do_is_lost_once_its_patience_is_over():
    chest = Chest(COMMITTER)

    assert not chest.after_s(0, 60).is_lost
    beats = chest.after_s(61)

    assert beats.is_lost
    assert beats.wedged == ("committer",)
    assert beats.still_s == {"committer": 61.0}


def test_a_thread_that_only_tells_others_is_told_as_wedged_and_costs_no_restart():
    beats = Chest(SINK).after_s(0, 301)

    assert beats.wedged == ("sink mqtt",)
    assert not beats.is_lost


def test_a_thread_that_has_nothing_to_do_may_stand_still():
    chest = Chest(replace(COMMITTER, is_idle=True))

    assert not chest.after_s(0, 10_000).wedged

    chest.hearts = [COMMITTER]
    assert not chest.after_s(10_001).wedged, "its time begins when it has something to do"
    assert chest.after_s(10_061).is_lost


def test_a_thread_that_goes_on_after_all_is_well_again():
    chest = Chest(COMMITTER)
    assert chest.after_s(0, 100).is_lost

    chest.hearts = [replace(COMMITTER, beats=2)]

    assert not chest.after_s(101).wedged


def test_what_passes_while_the_whole_process_stands_still_is_held_against_nobody():
    chest = Chest(COMMITTER)

    chest.beats.look(at(8 * 3600 * 1000))

    assert not chest.beats.wedged
    assert chest.beats.still_s["committer"] <= MOST_BETWEEN_MS / 1000
