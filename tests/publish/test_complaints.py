import logging

from edged.domain.moment import Moment
from edged.publish.complaints import REMINDER_MS, Complaints


class HandMovedClock:
    def __init__(self) -> None:
        self.ms = 0

    def moment(self) -> Moment:
        return Moment(self.ms, self.ms)


def test_a_trouble_is_told_when_it_begins_changes_and_after_a_quarter_of_an_hour(caplog):
    clock = HandMovedClock()
    complaints = Complaints(logging.getLogger("test"), clock)
    for _ in range(100):
        complaints.tell("refused")
    complaints.tell("timed out")
    assert [r.message for r in caplog.records] == ["refused", "timed out"]
    clock.ms += REMINDER_MS
    complaints.tell("timed out")
    assert caplog.records[-1].message == "timed out (still; 102 times by now)"


def test_the_end_of_a_trouble_is_told_once_and_only_where_there_was_one(caplog):
    caplog.set_level(logging.INFO)
    complaints = Complaints(logging.getLogger("test"), HandMovedClock())
    complaints.settle("well")
    complaints.tell("refused")
    complaints.settle("well")
    complaints.settle("well")
    assert [r.message for r in caplog.records] == ["refused", "well (tries that had failed: 1)"]
