"""Waiting for what another thread does, and never longer than a test may."""

import threading
import time
from collections.abc import Callable
from typing import Final

PATIENCE_S: Final = 30.0


def eventually(holds: Callable[[], object], pause_s: float = 0.01) -> None:
    """Wait until something holds; fails when it never does."""
    deadline = time.monotonic() + PATIENCE_S
    waiting = threading.Event()
    while not holds():
        assert time.monotonic() < deadline, "it never came"
        waiting.wait(pause_s)
