"""Ending the wait of a thread that polls a socket."""

import os
import select
import threading


class WakeUp:
    """Lets any thread end the wait of the one that polls a socket."""

    def __init__(self) -> None:
        self._descriptor = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        # Who rings must not write to a descriptor that is closed, and somebody else's by then.
        self._lock = threading.Lock()

    def ring(self) -> None:
        """End the wait, the present or the next one; nothing once closed."""
        with self._lock:
            if self._descriptor >= 0:
                os.eventfd_write(self._descriptor, 1)

    def poll(self, descriptor: int | None, interest: int, timeout_s: float) -> int:
        """Wait for the socket, if there is one, a ring, or the end of the time; returns its events."""
        poll = select.poll()
        poll.register(self._descriptor, select.POLLIN)
        if descriptor is not None:
            poll.register(descriptor, interest)
        ready = dict(poll.poll(max(0, round(timeout_s * 1000))))
        if ready.pop(self._descriptor, 0):
            os.eventfd_read(self._descriptor)
        return ready.get(descriptor, 0) if descriptor is not None else 0

    def close(self) -> None:
        """Give the descriptor back."""
        with self._lock:
            if self._descriptor >= 0:
                os.close(self._descriptor)
            self._descriptor = -1
