"""A node in a process of its own that is killed (SIGKILL) at a statement to its databases, and begins again.

For scripts that have one thread, from which it is forked; the broker and other nodes live on in theirs.
"""

import contextlib
import multiprocessing
import os
import signal
import sqlite3
import sys
from collections.abc import Callable
from dataclasses import replace
from multiprocessing.connection import Connection as Pipe
from pathlib import Path
from typing import Any, Final

from builders.authorities import Broker
from builders.namespaces import HandClock
from builders.setbacks import writer_of
from builders.sharing import House
from edged.domain.group import Membership
from edged.domain.moment import Moment
from edged.domain.sync_state import NamespaceSync
from edged.store.namespace_store import NamespaceStore
from edged.sync.participant import Connection, Letter

_WRITING: Final = ("BEGIN IMMEDIATE", "INSERT", "UPDATE", "DELETE", "COMMIT")


def cleared(store: NamespaceStore) -> list[str]:
    """What a daemon does after people were taken out."""
    left = list(store.swept_log())
    store.snapshots.tidy(store.connection)
    return left


class MortalHouse:
    """A node that may be dead: then nothing that it is told has an effect, until it is born again.

    Where it was killed is in the file `deaths` of its folder: by whom, and what the statement begins with.

    Args:
        folder: of its data.
        clock: of everybody; its own is set to it.
        name: the node's.
        settings: of `sync`.
    """

    def __init__(self, folder: Path, clock: HandClock, name: str, **settings: object) -> None:
        self.folder = folder
        self.name = name
        self._clock = clock
        self._settings = settings
        self._pipe: Pipe | None = None
        self._process = 0

    @property
    def is_dead(self) -> bool:
        """Whether there is no process."""
        return self._pipe is None

    def be_born(self, *, statements: int | None = None, within: tuple[str, ...] = ("",)) -> None:
        """Begin; it is killed at a statement that would write, after so many others.

        With `within` only those count whose writer, `module.function`, begins so.
        """
        ours, theirs = multiprocessing.Pipe()
        process = os.fork()
        if not process:
            ours.close()
            with contextlib.suppress(EOFError, KeyboardInterrupt):
                self._live(theirs, _Countdown(statements, within, self.folder / "deaths"))
            os._exit(0)
        theirs.close()
        self._pipe, self._process = ours, process

    def end(self) -> None:
        """End as a daemon ends."""
        if self._pipe is not None:
            self._ask("close", None)
            self._bury()

    def _ask(self, what: str, otherwise: Any, /, *words: Any) -> Any:
        if self._pipe is None:
            return otherwise
        try:
            self._pipe.send((self._clock.ms, what, words))
            return self._pipe.recv()
        except (EOFError, OSError):
            self._bury()
            return otherwise

    def _bury(self) -> None:
        if self._pipe is not None:
            self._pipe.close()
            self._pipe = None
            os.waitpid(self._process, 0)

    # --- as the broker knows it

    def connected(self, connection: Connection, now: Moment) -> None:
        self._ask("connected", None, connection, now)

    def disconnected(self, now: Moment) -> None:
        self._ask("disconnected", None, now)

    def subscriptions(self) -> frozenset[str]:
        return self._ask("subscriptions", frozenset())

    def asks_again(self) -> frozenset[str]:
        return self._ask("asks_again", frozenset())

    def arrived(self, topic: str, payload: bytes, now: Moment) -> None:
        self._ask("arrived", None, topic, payload, now)

    def turn(self, now: Moment) -> list[Letter]:
        return self._ask("turn", [], now)

    def acknowledged(self, ticket: int, now: Moment) -> None:
        self._ask("acknowledged", None, ticket, now)

    # --- as its street knows it

    def see(self, number: int, person: int) -> Membership | None:
        """As of `Eyes`."""
        return self._ask("see", None, number, person)

    def standing(self) -> NamespaceSync | None:
        """None of the dead."""
        return self._ask("standing", None)

    # --- its own process

    def _live(self, pipe: Pipe, countdown: "_Countdown") -> None:
        clock = HandClock()
        clock.ms = self._clock.ms
        _watch(countdown)
        house = House(self.folder, Broker(clock), self.name, **self._settings)  # type: ignore[arg-type]
        house.parts = replace(house.parts, swept=cleared, run=str(os.getpid()))
        while True:
            clock.ms, what, words = pipe.recv()
            match what:
                case "see":
                    pipe.send(house.eyes.see(*words))
                case "standing":
                    pipe.send(house.standing)
                case "close":
                    house.close()
                    pipe.send(None)
                    return
                case "turn":
                    pipe.send(list(house.node.turn(*words)))
                case _:
                    pipe.send(getattr(house.node, what)(*words))


def _watch(traced: Callable[[str], None]) -> None:
    """Have each statement of this process told, whichever connection it is of."""
    made: list[sqlite3.Connection] = []

    def hook(event: str, args: tuple[Any, ...]) -> None:
        if event == "sqlite3.connect/handle":
            made.append(args[0])
        elif made and event == "open":
            # It is not whole before; the migrations' files are opened next.
            made.pop().set_trace_callback(traced)

    sys.addaudithook(hook)


class _Countdown:
    """Told of each statement, it ends the process at one of them, and notes at which."""

    def __init__(self, statements: int | None, within: tuple[str, ...], deaths: Path) -> None:
        self._left = statements
        self._within = within
        self._deaths = deaths

    def __call__(self, statement: str) -> None:
        if self._left is None or not statement.startswith(_WRITING):
            return
        writer = writer_of(sys._getframe(1))
        if not writer.startswith(self._within):
            return
        if self._left <= 0:
            with self._deaths.open("a") as file:
                file.write(f"{writer} {statement.split(maxsplit=1)[0]}\n")
            os.kill(os.getpid(), signal.SIGKILL)
        self._left -= 1
