"""The desk in front of the recogniser's thread."""

import pytest

from edged.domain.errors import InputError
from edged.pipeline.desk import DeskTask, PictureDesk


class Log:
    """What happened at a desk, and how often it called."""

    def __init__(self):
        self.lines, self.calls = [], 0
        self.desk = PictureDesk(self._wake)

    def _wake(self):
        self.calls += 1

    def task(self, owner, name, steps=2, error=None):
        def begin():
            for number in range(steps):
                self.lines.append(f"{name} {number}")
                yield
            if error is not None:
                raise error
            return f"{name} done"

        return DeskTask(owner, begin, self.lines.append, lambda e: self.lines.append(f"{name} failed: {e}"))

    def put(self, *args, **parts):
        return self.desk.put(self.task(*args, **parts))

    def work(self):
        while self.desk.has_work:
            self.desk.step()
        return self.lines


@pytest.fixture
def log():
    return Log()


def test_a_task_is_done_step_by_step(log):
    log.put("a", "one")

    log.desk.step()
    assert log.lines == ["one 0"]
    log.desk.step()
    assert log.lines == ["one 0", "one 1"]
    log.desk.step()
    assert log.lines[-1] == "one done"
    assert not log.desk.has_work
    assert log.desk.steps == 3


def test_owners_take_turns_and_only_one_task_is_open(log):
    for name in ("a1", "a2", "a3"):
        log.put("a", name, steps=1)
    log.put("b", "b1", steps=1)

    assert [line for line in log.work() if line.endswith("done")] == [
        "a1 done",
        "b1 done",
        "a2 done",
        "a3 done",
    ]
    assert log.lines[:4] == ["a1 0", "a1 done", "b1 0", "b1 done"], "none begins before the last has ended"


def test_a_task_that_fails_fails_alone(log, caplog):
    log.put("a", "bad", error=ValueError("odd"))
    log.put("a", "good")

    log.work()

    assert "bad failed: odd" in log.lines
    assert log.lines[-1] == "good done"
    assert "could not be looked at" in caplog.text


def test_a_picture_that_is_none_is_not_a_fault_of_ours(log, caplog):
    log.put("a", "bad", error=InputError("no picture"))

    assert log.work()[-1] == "bad failed: no picture"
    assert not caplog.text


def test_putting_wakes_the_thread_and_a_step_without_work_is_none(log):
    log.desk.step()
    log.put("a", "one")

    assert log.calls == 1
    assert log.desk.depth == 1


def test_a_desk_that_is_held_ends_what_it_began_and_begins_nothing(log):
    log.put("a", "one")
    log.put("a", "two")
    log.desk.step()
    log.desk.hold(is_held=True)

    assert log.work()[-1] == "one done"
    log.desk.step()
    assert log.lines[-1] == "one done"
    log.desk.hold(is_held=False)
    assert log.work()[-1] == "two done"


def test_a_closed_desk_takes_nothing_and_forgets_the_rest(log):
    log.put("a", "one")
    log.desk.close()

    assert not log.put("a", "two")
    assert log.work() == []
