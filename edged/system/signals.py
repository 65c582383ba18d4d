"""Signals as values that the main thread waits for, in its own time."""

import select
import signal
import socket
from types import FrameType, TracebackType
from typing import Final, Self

WATCHED: Final = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


class SignalInbox:
    """Collects signals while it is open. Only the main thread may open it and wait.

    The handlers do nothing: Python writes the signal's number into a socket, which ends the wait. So no
    handler ever runs in the middle of somebody's lock, and a signal is never missed between two waits.
    """

    def __init__(self) -> None:
        self._reading, self._writing = socket.socketpair()
        self._reading.setblocking(False)
        self._writing.setblocking(False)
        self._before: list[tuple[signal.Signals, object]] = []
        self._wakeup_before = -1

    def __enter__(self) -> Self:
        self._wakeup_before = signal.set_wakeup_fd(self._writing.fileno(), warn_on_full_buffer=False)
        self._before = [(number, signal.signal(number, _noted)) for number in WATCHED]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before:
            signal.signal(number, handler)  # type: ignore[arg-type]
        signal.set_wakeup_fd(self._wakeup_before)
        self._reading.close()
        self._writing.close()

    def wait(self, timeout_s: float) -> signal.Signals | None:
        """The next signal, or None when none came in time."""
        readable, _, _ = select.select([self._reading], [], [], timeout_s)
        if not readable:
            return None
        number = self._reading.recv(1)[0]
        return signal.Signals(number) if number in WATCHED else None


def _noted(_number: int, _frame: FrameType | None) -> None:
    """The wakeup socket already has it."""
