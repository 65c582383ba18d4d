"""What a sink is to the worker that drives it."""

import threading
from collections.abc import Sequence
from typing import Protocol

from edged.delivery.outcome import Outcome
from edged.delivery.parcel import Parcel


class Sink(Protocol):
    """A place that messages are sent to. Its worker's thread calls it; `wake` and `interrupt` any thread."""

    id: str
    """Its name in the outbox and the log."""
    batch: int
    """Messages that are claimed for it at once, at most."""

    def is_ready(self) -> bool:
        """Whether it makes sense to claim messages now. While it does not, they wait and may be replaced."""
        ...

    def deliver(self, parcels: Sequence[Parcel]) -> list[Outcome]:
        """Try to send them, in their order; returns one outcome for each, whatever the world does.

        A parcel is not tried before every earlier one of its subject is delivered or refused for good.
        """
        ...

    def wait(self, timeout_s: float) -> None:
        """Return when woken, or after so long; a connection is kept alive, or made, meanwhile."""
        ...

    def wake(self) -> None:
        """End the wait, the present or the next one. Any thread may call it."""
        ...

    def interrupt(self) -> None:
        """End whatever goes on as soon as can be: the worker is to stop. Any thread may call it."""
        ...

    def close(self) -> None:
        """Let go of everything, saying goodbye where that is usual."""
        ...

    @property
    def is_finished(self) -> bool:
        """Whether it will never take anything again: its reader has gone for good."""
        ...

    @property
    def condition(self) -> str:
        """How it is doing, for people: `connected to broker:8883 (MQTT 5)`, `retrying: …`."""
        ...


class Alarm:
    """The waiting half of a sink that holds no connection while it waits."""

    def __init__(self) -> None:
        self._rung = threading.Event()
        self._is_stopping = threading.Event()

    def wait(self, timeout_s: float) -> None:
        """Return when woken, or after so long."""
        self._rung.wait(timeout_s)
        self._rung.clear()

    def wake(self) -> None:
        """End the wait."""
        self._rung.set()

    def interrupt(self) -> None:
        """End the wait; `is_stopping` from now on."""
        self._is_stopping.set()
        self._rung.set()

    @property
    def is_finished(self) -> bool:
        """Never, unless a sink says otherwise."""
        return False

    def is_stopping(self) -> bool:
        """Whether the worker is to stop."""
        return self._is_stopping.is_set()
