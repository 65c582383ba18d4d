"""The desk in front of the recogniser's thread: pictures of requests, looked at step by step."""

import logging
import threading
from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from edged.domain.errors import InputError
from edged.pipeline.rounds import Rounds

_LOG: Final = logging.getLogger(__name__)

Result = TypeVar("Result")
Steps = Generator[None, None, Result]
"""Work that stops after every step, such as one run of a model, so that others have their turn; what it
returns is its result."""


@dataclass(frozen=True, slots=True, eq=False)
class DeskTask:
    """Something to be done with the models.

    Attributes:
        owner: whose it is; owners take turns.
        begin: begins it, at its turn and not before: what a task holds decoded, only one holds at a time.
        done: takes its result, and returns soon; called by the recogniser's thread, as is `failed`.
        failed: takes the error it ended with.
    """

    owner: str
    begin: Callable[[], "Steps[Any]"]
    done: Callable[[Any], None]
    failed: Callable[[Exception], None]


class PictureDesk:
    """Tasks for the recogniser's thread, which does one step of them when it is their turn.

    One task is worked on at a time, to its end; owners take turns by the task. Any thread may put tasks;
    whoever puts them bounds how many wait.

    Args:
        wake: wakes the recogniser's thread.
    """

    def __init__(self, wake: Callable[[], None]) -> None:
        self._wake = wake
        self._lock = threading.Lock()
        self._waiting: Rounds[DeskTask] = Rounds()
        self._present: tuple[DeskTask, Steps[Any]] | None = None
        self._is_held = False
        self._is_closed = False
        self.steps = 0
        """Done since the start."""

    def put(self, task: DeskTask) -> bool:
        """Let a task wait for its turn; False where the desk is closed and nobody will do it."""
        with self._lock:
            if self._is_closed:
                return False
            self._waiting.put(task.owner, task)
        self._wake()
        return True

    def hold(self, *, is_held: bool) -> None:
        """Begin no task for now: what comes of them could not be kept."""
        with self._lock:
            self._is_held = is_held
        self._wake()

    def close(self) -> None:
        """Forget all tasks; none is begun any more."""
        with self._lock:
            self._is_closed = True
            self._waiting.clear()

    @property
    def depth(self) -> int:
        """Tasks that wait."""
        with self._lock:
            return len(self._waiting)

    @property
    def is_free(self) -> bool:
        """Whether no task is in the middle. For the recogniser's thread alone, as what follows."""
        return self._present is None

    @property
    def has_work(self) -> bool:
        """Whether there is a step to do."""
        if self._is_closed:
            return False
        return self._present is not None or (len(self._waiting) > 0 and not self._is_held)

    def step(self) -> None:
        """Do one step, if there is one. A task that fails is logged and fails alone."""
        if self._present is None:
            self._present = self._begun()
        if self._present is None:
            return
        task, steps = self._present
        self.steps += 1
        try:
            next(steps)
        except StopIteration as end:
            self._present = None
            task.done(end.value)
        except InputError as error:
            # Whoever sent it is told; nothing is wrong here.
            self._present = None
            task.failed(error)
        except Exception as error:  # noqa: BLE001 - the task's top: it fails alone
            _LOG.exception("A picture of a request could not be looked at")
            self._present = None
            task.failed(error)

    def _begun(self) -> "tuple[DeskTask, Steps[Any]] | None":
        with self._lock:
            task = None if self._is_closed or self._is_held else self._waiting.take()
        return None if task is None else (task, task.begin())
