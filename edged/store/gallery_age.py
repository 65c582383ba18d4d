"""How old what a synced namespace knows is, as the thread that watches its database sees it."""

import logging
import sqlite3
from dataclasses import dataclass
from typing import Final

from edged.domain.moment import Moment
from edged.replication.ageing import Age, Ageing, span

_LOG: Final = logging.getLogger(__name__)

_HEARD: Final = """
    SELECT alive_ms FROM sync_epoch, sync_membership WHERE role IN ('member', 'removed')
"""
"""Of the authority itself, and of a node that has nothing of it yet, nothing ages."""


@dataclass(frozen=True, slots=True)
class OldTruth:
    """What becomes of what is old.

    Attributes:
        max_age_ms: without a word of the authority; what is older is old, and told as trouble.
        is_withheld: nobody of the namespace is recognised any more, besides.
    """

    max_age_ms: int
    is_withheld: bool


class GalleryAge:
    """Of one namespace. One thread calls everything; `remark` may be read by any.

    Args:
        namespace: which.
        old: what becomes of what is old.
    """

    def __init__(self, namespace: str, old: OldTruth) -> None:
        self._namespace = namespace
        self._old = old
        self._ageing = Ageing(old.max_age_ms)
        self._alive_ms: int | None = None
        self._told = Age(0, is_old=False)
        self.is_withheld = False
        """Whether nobody is to be recognised."""
        self.remark = ""
        """What a person should know, in words; empty where there is nothing."""

    def read(self, connection: sqlite3.Connection) -> None:
        """See when the authority was last heard: to be called when the database was changed."""
        row = connection.execute(_HEARD).fetchone()
        self._alive_ms = None if row is None else row[0]

    def look(self, now: Moment) -> None:
        """See how old it is now."""
        age = Age(0, is_old=False) if self._alive_ms is None else self._ageing.look(self._alive_ms, now)
        self.is_withheld = age.is_old and self._old.is_withheld
        self.remark = self._words(age) if age.is_old or age.doubt else ""
        if (age.is_old, bool(age.doubt)) != (self._told.is_old, bool(self._told.doubt)):
            self._log(age)
        self._told = age

    def _words(self, age: Age) -> str:
        words = []
        if age.is_old:
            words.append(
                f"nothing was heard of the authority for {span(age.age_ms)}"
                + ("; nobody is recognised any more" if self._old.is_withheld else "")
            )
        words += [age.doubt] if age.doubt else []
        return f"namespace {self._namespace}: {'; '.join(words)}"

    def _log(self, age: Age) -> None:
        if not age.is_old and not age.doubt:
            _LOG.warning("namespace %s: what is known is not old any more", self._namespace)
        elif age.is_old:
            _LOG.error("%s", self._words(age))
        else:
            _LOG.warning("%s", self._words(age))
