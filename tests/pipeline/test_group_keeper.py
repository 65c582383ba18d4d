"""What is told of unknown people comes to the disk, in its order, and never holds recognition up."""

import threading
from contextlib import contextmanager

from builders.groups import a_grouped_track, a_track_id
from builders.patience import PATIENCE_S, eventually
from edged.domain.errors import StoreError
from edged.domain.group import UngroupedTrack
from edged.pipeline.group_keeper import QUEUE_SIZE, GroupKeeper


class Records:
    """Stands in for the stores: remembers what it is told, and fails while it is told to."""

    def __init__(self):
        self.begun = 0
        self.news = []
        self.sweeps = 0
        self.is_closed = False
        self.works = threading.Event()
        self.works.set()

    def begin(self):
        self._fail_where_wanted()
        self.begun += 1

    def record(self, news):
        self._fail_where_wanted()
        self.news += news

    def sweep(self):
        self.sweeps += 1
        return False

    def close(self):
        self.is_closed = True

    def _fail_where_wanted(self):
        if not self.works.is_set():
            raise StoreError("the disk is full")


def news(number):
    return UngroupedTrack(a_track_id(number))


@contextmanager
def keeping(records):
    keeper = GroupKeeper(records, jitter=lambda: 0.01)
    keeper.start()
    try:
        yield keeper
    finally:
        assert keeper.finish(PATIENCE_S) or not records.works.is_set()
        assert records.is_closed


def test_news_are_written_in_their_order():
    records = Records()
    with keeping(records) as keeper:
        for number in range(20):
            keeper.put("home", news(number))
        eventually(lambda: keeper.is_idle)
        assert records.news == [("home", news(number)) for number in range(20)]

    assert records.begun == 1
    assert records.sweeps


def test_what_was_told_before_the_end_is_written_at_the_end():
    records = Records()
    keeper = GroupKeeper(records, jitter=lambda: 0.01)
    keeper.put("home", a_grouped_track(1, 7))
    keeper.start()

    assert keeper.finish(PATIENCE_S)
    assert len(records.news) == 1


def test_a_store_that_fails_is_tried_again_and_nothing_is_lost(caplog):
    records = Records()
    records.works.clear()
    with keeping(records) as keeper:
        keeper.put("home", news(1))
        eventually(lambda: "cannot be written down" in caplog.text)
        keeper.put("home", news(2))
        records.works.set()
        eventually(lambda: len(records.news) == 2)
        eventually(lambda: "again" in caplog.text)

    assert records.news == [("home", news(1)), ("home", news(2))]
    assert caplog.text.count("the disk is full") == 1
    assert keeper.given_up == 0


def test_beyond_the_bound_the_oldest_are_given_up_and_counted(caplog):
    records = Records()
    records.works.clear()
    with keeping(records) as keeper:
        for number in range(QUEUE_SIZE + 5):
            keeper.put("home", news(number))
        assert keeper.given_up == 5
        records.works.set()
        eventually(lambda: len(records.news) == QUEUE_SIZE)

    assert records.news[0] == ("home", news(5))
    assert caplog.text.count("the oldest news are lost") == 1


def test_a_store_that_never_works_does_not_hold_up_the_stop():
    records = Records()
    records.works.clear()
    with keeping(records) as keeper:
        keeper.put("home", news(1))
        eventually(lambda: keeper.is_idle)
        assert not keeper.finish(PATIENCE_S), "and says that something was lost"
