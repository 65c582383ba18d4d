"""What is known of the sync of each namespace, and who is told."""

import threading

from edged.domain.sync_state import NamespaceSync, NodeLag, SyncRole, SyncState
from edged.sync.board import SyncBoard


def a_standing(namespace="home", **changes):
    wanted = {"role": SyncRole.AUTHORITY, "state": SyncState.IN_STEP, "epoch": 1} | changes
    return NamespaceSync(namespace, **wanted)


def test_the_latest_of_each_namespace_counts():
    board = SyncBoard()
    lag = NodeLag("hall", 1, 0, 5, "in step")

    board.tell(a_standing("work"))
    board.tell(a_standing(epoch=1))
    board.tell(a_standing(epoch=2), (lag,))

    assert [(one.namespace, one.epoch) for one in board.standings()] == [("home", 2), ("work", 1)]
    assert board.standing("home") == a_standing(epoch=2)
    assert board.members("home") == (lag,)


def test_what_is_synced_no_more_is_forgotten():
    board = SyncBoard()
    board.tell(a_standing(), (NodeLag("hall", 1, 0, 5, ""),))

    board.forget("home")
    board.forget("never")

    assert (board.standings(), board.members("home"), board.standing("home")) == ((), (), None)


def test_nobody_is_in_step_after_a_fault_until_it_is_told_anew():
    board, lag = SyncBoard(), NodeLag("hall", 1, 0, 5, "in step")
    board.tell(a_standing(), (lag,))

    board.fail()

    failed = board.standing("home")
    assert (failed.state, failed.epoch, board.members("home")) == (SyncState.FAULTY, 1, (lag,))
    assert "the log has what happened" in failed.trouble
    board.tell(a_standing())
    assert board.standing("home") == a_standing()


def test_listeners_are_told_what_differs_alone():
    board, heard = SyncBoard(), []
    board.on_tell(heard.append)

    board.tell(a_standing())
    board.tell(a_standing())
    board.tell(a_standing(epoch=2))

    assert [one.epoch for one in heard] == [1, 2]


def test_readers_never_see_half_of_it():
    board = SyncBoard()
    board.tell(a_standing(epoch=0), ())
    done = threading.Event()
    wrong = []

    def read():
        while not done.is_set():
            wrong.extend(one for one in board.standings() if one.epoch != one.seen_epoch)

    reader = threading.Thread(target=read)
    reader.start()
    for epoch in range(2000):
        board.tell(a_standing(epoch=epoch, seen_epoch=epoch))
    done.set()
    reader.join(30)

    assert wrong == []
