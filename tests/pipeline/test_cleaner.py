"""The thread that has retention looked after."""

import threading

from edged.domain.errors import StoreError
from edged.pipeline.cleaner import Cleaner


class Work:
    """So many steps that there is something to do, then none; some of them fail."""

    def __init__(self, *answers):
        self._answers = list(answers)
        self.steps = 0
        self.is_done = threading.Event()

    def __call__(self):
        self.steps += 1
        answer = self._answers.pop(0) if self._answers else False
        if not self._answers:
            self.is_done.set()
        if isinstance(answer, Exception):
            raise answer
        return answer


def test_it_goes_on_while_there_may_be_more_and_looks_again_when_it_is_woken():
    work = Work(True, True, False)
    cleaner = Cleaner(work)
    cleaner.start()
    assert work.is_done.wait(10)

    work.is_done.clear()
    cleaner.wake()

    assert work.is_done.wait(10)
    assert cleaner.stop(10)
    assert work.steps >= 4


def test_it_can_be_stopped_in_the_middle_and_before_it_began():
    never_done = Cleaner(lambda: True)
    never_done.start()

    assert never_done.stop(10)
    assert Cleaner(lambda: True).stop(0)


def test_trouble_is_said_once_until_it_is_over(caplog):
    caplog.set_level("WARNING")
    work = Work(StoreError("the disk is ill"), StoreError("the disk is ill"), ValueError("?"), True, False)
    cleaner = Cleaner(work)
    cleaner.start()
    while not work.is_done.wait(0.01):
        cleaner.wake()
    assert cleaner.stop(10)

    said = [record.getMessage() for record in caplog.records]
    assert [words for words in said if "the disk is ill" in words] == [
        "What is too old or too much cannot be deleted: the disk is ill"
    ]
    assert "What is too old or too much is deleted again" in said
