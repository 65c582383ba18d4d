"""What waits in a bounded queue comes to the disk; what is too much is given up and counted."""

import logging
import threading
from contextlib import contextmanager

from builders.patience import PATIENCE_S, eventually
from edged.domain.errors import StoreError
from edged.pipeline.keeper import Bounds, Keeper


class Notes:
    """Stands in for the stores: remembers what it is told, and fails while it is told to."""

    def __init__(self):
        self.news = []
        self.turns = 0
        self.works = threading.Event()
        self.works.set()

    def begin(self):
        pass

    def record(self, news):
        if not self.works.is_set():
            raise StoreError("the disk is full")
        self.turns += 1
        self.news += news

    def sweep(self):
        return False

    def close(self):
        pass


@contextmanager
def keeping(notes, *, most_news=100, most_bytes=1000):
    keeper = Keeper("keeper", "Notes", notes, lambda: 0.01, Bounds(most_news, most_bytes), len)
    keeper.start()
    try:
        yield keeper
    finally:
        keeper.finish(PATIENCE_S)


def test_what_waits_is_bounded_by_its_bytes_too(caplog):
    notes = Notes()
    notes.works.clear()
    with keeping(notes) as keeper:
        for name in "abc":
            keeper.put("home", name * 400)
        assert keeper.given_up == 1
        notes.works.set()
        eventually(lambda: len(notes.news) == 2)

    assert [news[0] for _, news in notes.news] == ["b", "c"]
    assert caplog.text.count("Notes cannot be written down in time") == 1


def test_one_news_larger_than_the_bound_is_kept_where_nothing_else_waits():
    notes = Notes()
    notes.works.clear()
    with keeping(notes) as keeper:
        keeper.put("home", "a")
        keeper.put("home", "b" * 5000)
        notes.works.set()
        assert keeper.wait_until_written(PATIENCE_S)

        assert [news[0] for _, news in notes.news] == ["b"]
        keeper.put("home", "c" * 900)
        assert keeper.wait_until_written(PATIENCE_S)
        assert keeper.given_up == 1, "room that was taken is free again"


def test_whoever_reads_what_was_just_put_can_wait_for_it():
    notes = Notes()
    with keeping(notes) as keeper:
        for number in range(20):
            keeper.put("home", str(number))
            assert keeper.wait_until_written(PATIENCE_S)
            assert notes.news[-1] == ("home", str(number))


def test_waiting_for_what_cannot_be_written_ends_in_time():
    notes = Notes()
    notes.works.clear()
    with keeping(notes) as keeper:
        keeper.put("home", "a")

        assert not keeper.wait_until_written(0.05)
        notes.works.set()
        assert keeper.wait_until_written(PATIENCE_S)


def test_waiting_for_what_is_given_up_says_so(caplog):
    caplog.set_level(logging.CRITICAL)
    notes = Notes()
    notes.works.clear()
    with keeping(notes, most_news=1) as keeper:
        keeper.put("home", "a")
        answers = []
        waiter = threading.Thread(target=lambda: answers.append(keeper.wait_until_written(PATIENCE_S)))
        waiter.start()
        # Whenever the waiter begins to wait, the next news push out what it waits for.
        eventually(lambda: keeper.put("home", "b") or not waiter.is_alive())

    assert answers == [False]


def test_a_wake_brings_a_turn_without_news():
    notes = Notes()
    with keeping(notes) as keeper:
        eventually(lambda: notes.turns >= 1)
        before = notes.turns
        keeper.wake()
        eventually(lambda: notes.turns > before)


def test_the_backlog_tells_how_much_waits_and_since_when():
    notes = Notes()
    notes.works.clear()
    now_ns = 5_000
    keeper = Keeper("keeper", "Notes", notes, lambda: 0.01, Bounds(100, 1000), len, lambda: now_ns)
    assert (keeper.backlog.news, keeper.backlog.oldest_ns) == (0, None)

    keeper.put("home", "abc")
    now_ns = 9_000
    keeper.put("home", "de")

    assert (keeper.backlog.news, keeper.backlog.bytes, keeper.backlog.oldest_ns) == (2, 5, 5_000)
    keeper.start()
    eventually(lambda: keeper.beats > 2)
    notes.works.set()
    assert keeper.wait_until_written(PATIENCE_S)
    assert keeper.backlog.oldest_ns is None
    keeper.finish(PATIENCE_S)
