"""What is told of sync: in the log once, and for the state and the status line as long as it lasts."""

import logging

import pytest

from builders.recognition import at
from edged.app.sync_watch import AGAIN_EVERY_S, SyncWatch
from edged.domain.sync_state import NamespaceSync, SyncRole, SyncState
from edged.sync.board import SyncBoard


def a_standing(state=SyncState.IN_STEP, **changes):
    return NamespaceSync("home", SyncRole.MEMBER, state, **({"epoch": 4} | changes))


@pytest.fixture
def board():
    return SyncBoard()


def test_what_lasts_is_logged_once(board, caplog):
    watch = SyncWatch(board)
    board.tell(a_standing(SyncState.UNTRUSTED, trouble="somebody else signs"))

    with caplog.at_level(logging.INFO):
        for second in range(100):
            watch(at(1000 * second))

    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert record.message == "sync of home: untrusted as member, epoch 4: somebody else signs"


def test_what_goes_to_and_fro_is_held_back_and_counted(board, caplog):
    watch = SyncWatch(board)
    with caplog.at_level(logging.INFO):
        for second in range(int(AGAIN_EVERY_S) + 2):
            board.tell(a_standing(SyncState.BEHIND if second % 2 else SyncState.IN_STEP))
            watch(at(1000 * second))

    assert len(caplog.records) == 4
    assert "29 such lines were held back" in caplog.records[-1].message


def test_only_what_somebody_should_look_at_is_a_remark(board):
    watch = SyncWatch(board)

    board.tell(a_standing(SyncState.BEHIND))
    assert watch.remarks() == []

    board.tell(a_standing(SyncState.SPLIT))
    assert watch.remarks() == ["sync of home: split"]

    board.tell(a_standing(SyncState.OLD, trouble="nothing was heard for 3 d"))
    assert watch.remarks() == ["sync of home: nothing was heard for 3 d"]


def test_what_is_old_and_to_be_kept_without_a_word_is_neither_a_remark_nor_a_warning(board, caplog):
    watch = SyncWatch(board)
    board.tell(a_standing(SyncState.OLD))

    with caplog.at_level(logging.INFO):
        watch(at(0))

    assert watch.remarks() == []
    assert [record.levelno for record in caplog.records] == [logging.INFO]


def test_a_namespace_that_is_synced_again_is_logged_again(board, caplog):
    watch = SyncWatch(board)
    with caplog.at_level(logging.INFO):
        board.tell(a_standing())
        watch(at(0))
        board.forget("home")
        watch(at(1000))
        board.tell(a_standing())
        watch(at(1000 * (int(AGAIN_EVERY_S) + 1)))

    assert len(caplog.records) == 2
