from builders.capture import HandClock
from edged.cli.evaluate_progress import Progress


def told_of(steps):
    """What is written when `steps` of seconds, work, done, of happen."""
    clock, written = HandClock(), []
    progress = Progress(written.append, clock)
    for seconds, what, done, of in steps:
        clock.pass_s(seconds)
        progress.tell(what, done, of)
    return written


def test_what_is_done_in_a_moment_is_not_told():
    assert told_of([(0, "pictures", 1, 3), (0.5, "pictures", 2, 3), (0.5, "pictures", 3, 3)]) == []


def test_how_long_it_takes_is_told_now_and_then():
    steps = [(0, "pictures", 0, 1000), *((1, "pictures", 10 * second, 1000) for second in range(1, 9))]

    assert told_of(steps) == [
        "pictures: 20 of 1,000, about 2 min left",
        "pictures: 70 of 1,000, about 2 min left",
    ]


def test_what_came_from_a_work_folder_does_not_make_the_rest_look_short():
    assert told_of([(0, "pictures", 900, 1000), (10, "pictures", 901, 1000)]) == [
        "pictures: 901 of 1,000, about 16 min left"
    ]


def test_hours_are_told_as_such_and_seconds_too():
    assert told_of([(0, "a", 0, 1000), (10, "a", 1, 1000)])[0].endswith("about 2 h 46 min left")
    assert told_of([(0, "a", 0, 100), (10, "a", 90, 100)])[0].endswith("about 1 s left")


def test_each_stage_begins_anew():
    steps = [(0, "pictures", 0, 10), (1, "pairs", 0, 100), (3, "pairs", 50, 100)]

    assert told_of(steps) == ["pairs: 50 of 100, about 3 s left"]
