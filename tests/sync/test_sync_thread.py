"""What is told of the sync while the thread that does it fails."""

import threading

from bench.mosquitto import eventually
from edged.domain.sync_state import NamespaceSync, SyncRole, SyncState
from edged.sync.board import SyncBoard
from edged.sync.thread import SyncThread


class Falling:
    """An exchange whose turns fail while it is told so; without network and database."""

    def __init__(self, board: SyncBoard) -> None:
        self.board = board
        self.is_broken = False
        self.may_turn = threading.Event()

    def turn(self, timeout_s: float) -> None:
        self.may_turn.wait(min(timeout_s, 0.002))
        if self.is_broken:
            raise ValueError("a fault of ours")
        self.board.tell(NamespaceSync("home", SyncRole.MEMBER, SyncState.IN_STEP, epoch=4))

    def wake(self) -> None:
        self.may_turn.set()

    def start_over(self) -> None:
        """Nothing is open."""

    def close(self) -> None:
        """Nor at the end."""


def test_while_edged_itself_fails_nothing_is_told_to_be_in_step():
    board = SyncBoard()
    exchange = Falling(board)
    thread = SyncThread(exchange, rest_s=0.001, failed=board.fail)
    thread.start()
    try:
        eventually(lambda: state_on(board) is SyncState.IN_STEP, "the first turn")
        exchange.is_broken = True
        eventually(lambda: state_on(board) is SyncState.FAULTY, "the fault to be told")
        exchange.is_broken = False
        eventually(lambda: state_on(board) is SyncState.IN_STEP, "all to be well again")
    finally:
        assert thread.stop(5.0)


def state_on(board):
    standing = board.standing("home")
    return standing.state if standing else None
