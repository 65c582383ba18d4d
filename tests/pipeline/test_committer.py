"""The committer on a real outbox file, and on one that fails."""

import threading

import pytest

from builders.recognition import at
from edged.delivery.route import Route
from edged.domain.errors import StoreError
from edged.domain.message import Message, MessageKind
from edged.pipeline.committer import QUEUE_SIZE, Committer
from edged.store.outbox import Outbox

ROUTE = Route("console", frozenset(MessageKind))


class StillClock:
    """A clock that stands still."""

    def moment(self):
        """Always the same."""
        return at(0)


class FailingOutbox:
    """An outbox on a disk that is full until it is mended."""

    def __init__(self):
        self.mended = threading.Event()
        self.tried = threading.Event()
        self.taken = []

    def commit(self, messages, _moment):
        """Take them, once mended."""
        self.tried.set()
        if not self.mended.is_set():
            raise StoreError("the disk is full")
        self.taken += messages


def a_message(number, *, final=True):
    return Message(MessageKind.JOB, "home", "hall", f"job-{number}", 1, final, b"{}", at_ms=0)


def a_committer(outbox, heard=None):
    return Committer(outbox, StillClock(), lambda: 0.5, (heard if heard is not None else []).extend)


@pytest.fixture
def outbox(tmp_path):
    made = Outbox(tmp_path, [ROUTE])
    made.begin(at(0), "boot")
    yield made
    made.close()


def test_everything_put_is_committed_in_its_order_before_the_end(outbox):
    heard = []
    committer = a_committer(outbox, heard)
    committer.start()
    messages = [a_message(number) for number in range(500)]

    for message in messages:
        committer.put([message])
    assert committer.finish(10)

    assert heard == messages
    assert [parcel.message.subject_id for parcel in outbox.claim("console", 1000, at(1), 10)] == [
        message.subject_id for message in messages
    ]
    assert committer.committed == 500
    assert committer.is_idle


def test_a_disk_that_is_full_for_a_while_costs_nothing():
    outbox = FailingOutbox()
    committer = a_committer(outbox)
    committer.start()
    committer.put([a_message(1)])
    assert outbox.tried.wait(5)
    assert not committer.is_idle

    outbox.mended.set()
    assert committer.finish(10)

    assert [message.subject_id for message in outbox.taken] == ["job-1"]
    assert committer.given_up == 0


def test_a_stop_on_a_full_disk_ends_and_counts_what_it_could_not_keep(caplog):
    committer = a_committer(FailingOutbox())
    committer.start()
    committer.put([a_message(1), a_message(2)])

    assert not committer.finish(10)

    assert committer.given_up == 2
    assert "2 messages are lost" in caplog.text


def test_a_full_queue_holds_up_whoever_gives():
    committer = a_committer(FailingOutbox())
    for number in range(QUEUE_SIZE):
        committer.put([a_message(number)])
    gave = threading.Event()
    giver = threading.Thread(target=lambda: (committer.put([a_message(-1)]), gave.set()), daemon=True)
    giver.start()

    assert not gave.wait(0.2)
    committer.start()
    committer.finish(10)
    assert gave.wait(5)


def test_nothing_to_tell_is_not_put():
    committer = a_committer(FailingOutbox())
    committer.put([])

    assert committer.depth == 0


def test_a_stop_ends_though_nobody_takes_what_waits():
    committer = a_committer(FailingOutbox())
    for number in range(QUEUE_SIZE):
        committer.put([a_message(number)])

    assert not committer.finish(0.2), "it never ran, as after a fault of its own"


class HangingOutbox:
    """An outbox whose commit does not return before it is let go."""

    def __init__(self):
        self.hangs = threading.Event()
        self.let_go = threading.Event()

    def commit(self, _messages, _moment):
        """Hang."""
        self.hangs.set()
        self.let_go.wait(30)


def test_a_commit_that_hangs_can_be_seen_from_outside():
    outbox = HangingOutbox()
    committer = a_committer(outbox)
    assert committer.oldest_ms(at(9000)) == 0
    committer.start()
    committer.put([a_message(1)])
    assert outbox.hangs.wait(5)
    beats = committer.beats
    committer.put([a_message(2)])

    assert not committer.is_idle
    assert not committer.is_stuck, "nobody knows yet that anything is wrong"
    assert committer.oldest_ms(at(9000)) == 9000
    assert committer.beats == beats

    outbox.let_go.set()
    assert committer.finish(5)
    assert committer.beats > beats
    assert committer.oldest_ms(at(9000)) == 0


def test_what_was_committed_is_counted_by_kind():
    outbox = FailingOutbox()
    outbox.mended.set()
    committer = a_committer(outbox)
    committer.start()
    committer.put([a_message(1, final=False), a_message(1), a_message(2)])
    assert committer.finish(5)

    assert committer.told == {(MessageKind.JOB, False): 1, (MessageKind.JOB, True): 2}
    assert committer.committed == 3
