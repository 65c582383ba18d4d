"""What a member did not take: how much of it, and what was wrong with the last manifest."""

import logging
from collections import Counter

from edged.replication.refusal import RefusedError

_LOG = logging.getLogger(__name__)


class Doubts:
    """One member's.

    Attributes:
        alarm: why the last manifest was not taken; None: it was.
        refused: how much was not taken, by reason.
    """

    def __init__(self, namespace: str) -> None:
        self.alarm: RefusedError | None = None
        self.refused: Counter[str] = Counter()
        self._namespace = namespace

    def refuse(self, error: RefusedError) -> None:
        """Count something that was not taken."""
        self.refused[error.refusal] += 1

    def alarmed(self, error: RefusedError) -> None:
        """The same, where somebody is to be told; it is logged once."""
        self.refuse(error)
        if self.alarm is None or self.alarm.words != error.words:
            self.alarm = error
            _LOG.warning("Namespace %s: %s", self._namespace, error.words)

    def settle(self) -> None:
        """A manifest was taken: all is well again."""
        self.alarm = None
