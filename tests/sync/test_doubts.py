"""What was not taken is counted, told once, and forgotten once a manifest is taken."""

from edged.replication.refusal import Refusal, RefusedError
from edged.sync.doubts import Doubts

OLD = RefusedError(Refusal.OLD, "epoch 2 came after a later one")
UNSIGNED = RefusedError(Refusal.UNSIGNED, "it is not signed")


def test_what_is_only_refused_is_counted_and_no_alarm(caplog):
    doubts = Doubts("home")
    doubts.refuse(OLD)
    doubts.refuse(OLD)

    assert (doubts.refused, doubts.alarm, caplog.text) == ({"old": 2}, None, "")


def test_an_alarm_is_logged_once_until_it_is_another(caplog):
    doubts = Doubts("home")
    for error in (OLD, OLD, UNSIGNED):
        doubts.alarmed(error)

    assert (doubts.refused, doubts.alarm) == ({"old": 2, "unsigned": 1}, UNSIGNED)
    assert [record.message for record in caplog.records] == [
        "Namespace home: epoch 2 came after a later one",
        "Namespace home: it is not signed",
    ]


def test_what_was_taken_since_ends_the_alarm_and_not_the_count():
    doubts = Doubts("home")
    doubts.alarmed(OLD)
    doubts.settle()

    assert (doubts.refused, doubts.alarm) == ({"old": 1}, None)
