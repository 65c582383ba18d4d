"""A few threads that fetch the pictures that requests name."""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

from edged.api.fetching import FetchError
from edged.pipeline.rounds import Rounds

THREADS: Final = 2
"""A few slow servers do not hold up everybody; more would only wait for the models."""

_LOG: Final = logging.getLogger(__name__)


class Fetcher(Protocol):
    """Whoever may reach the network. Used by several threads at once."""

    def fetch(self, url: str) -> bytes:
        """What is at an address, within the limits of the configuration; raises `FetchError`."""
        ...

    def abort(self) -> None:
        """End every fetch, those that go on and those to come."""
        ...


class Room(Protocol):
    """Room in memory for pictures that wait, which everybody shares."""

    def reserve(self) -> int | None:
        """Wait until there is room for a picture of unknown size; its bytes, or None at the end."""
        ...

    def keep(self, reserved: int, used: int) -> None:
        """Give back what of a reservation was not used."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Wanted:
    """A picture that is to be fetched.

    Attributes:
        owner: whose it is; owners take turns.
        url: where it is.
        done: takes its bytes, for which there is room until whoever took them gives it back; called, like
            `failed`, by a fetching thread.
        failed: takes the words that say why it cannot be had.
    """

    owner: str
    url: str
    done: Callable[[bytes], None]
    failed: Callable[[str], None]


class Fetchers:
    """Fetches pictures, some at a time, one of each owner in turn. Whoever wants them bounds how many wait.

    Nothing is fetched before there is room for it.
    """

    def __init__(self, fetcher: Fetcher, room: Room, *, threads: int = THREADS) -> None:
        self._fetcher = fetcher
        self._room = room
        self._changed = threading.Condition()
        self._waiting: Rounds[Wanted] = Rounds()
        self._is_closed = False
        self._threads = [
            threading.Thread(target=self._run, name=f"fetch-{number}", daemon=True)
            for number in range(1, threads + 1)
        ]

    def start(self) -> None:
        """Begin to fetch."""
        for thread in self._threads:
            thread.start()

    def put(self, wanted: Wanted) -> None:
        """Let a picture wait to be fetched; after `close`, nobody will."""
        with self._changed:
            if not self._is_closed:
                self._waiting.put(wanted.owner, wanted)
                self._changed.notify()

    def close(self) -> None:
        """Fetch nothing more, and break off what is being fetched."""
        with self._changed:
            self._is_closed = True
            self._waiting.clear()
            self._changed.notify_all()
        self._fetcher.abort()

    def join(self, timeout_s: float) -> bool:
        """Wait for the threads, all in all so long; whether they have ended."""
        for thread in self._threads:
            if thread.ident is not None:
                thread.join(timeout_s / len(self._threads))
        return not any(thread.is_alive() for thread in self._threads)

    def _run(self) -> None:
        while (wanted := self._next()) is not None:
            self._serve(wanted)
            del wanted

    def _serve(self, wanted: Wanted) -> None:
        """Fetch one picture and hand it on; nothing of it stays with this thread."""
        reserved = self._room.reserve()
        if reserved is None:
            return
        data = self._fetched(wanted)
        self._room.keep(reserved, 0 if data is None else len(data))
        if data is not None:
            wanted.done(data)

    def _next(self) -> Wanted | None:
        with self._changed:
            self._changed.wait_for(lambda: self._is_closed or len(self._waiting) > 0)
            return None if self._is_closed else self._waiting.take()

    def _fetched(self, wanted: Wanted) -> bytes | None:
        try:
            return self._fetcher.fetch(wanted.url)
        except FetchError as error:
            # What the stop broke off did not fail: the next start says that it was not done.
            if not self._is_closed:
                wanted.failed(error.reason)
        except Exception:  # noqa: BLE001 - the thread's top: the others are fetched all the same
            _LOG.exception("A picture could not be fetched")
            wanted.failed("a fault of edged itself; see its log")
        return None
