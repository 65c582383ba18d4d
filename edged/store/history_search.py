"""The API's search as SQL: which rows of a table, in what order, found by an index and never by reading all.

Of a table whose rows have a feed or a customId, there is an index for each that is in the order of time too.
So each asked feed, or customId, is a short walk of its own, which stops when it has enough for the page; the
walks are merged afterwards.
"""

import math
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from msgspec import UNSET, UnsetType

from edged.api.requests import Search

Asked: TypeAlias = tuple[str, ...] | UnsetType | None
Found: TypeAlias = tuple[int, str, int]
"""When it was made (UTC milliseconds), its id, its row."""

_MOST_MS: Final = 1 << 62
"""A time beyond every time, which SQLite can still compare."""


@dataclass(frozen=True, slots=True)
class Place:
    """A table that is searched.

    Attributes:
        table: its name; it has the columns `number` and `id`.
        created: column of the time, UTC milliseconds.
        feed: column of the feed, or None where rows have none.
        custom: likewise of the customId.
        only: what must hold of a row besides, SQL; empty where nothing.
    """

    table: str
    created: str = "created_ms"
    feed: str | None = None
    custom: str | None = None
    only: str = ""


def found(
    connection: sqlite3.Connection,
    place: Place,
    search: Search,
    more: Sequence[tuple[str, Sequence[object]]] = (),
) -> list[Found]:
    """The rows that could be on the page: in its order, up to its end.

    `more` are further conditions with their parameters. To be called in a reader's transaction.
    """
    rows: list[Found] = []
    for walk in _walks(place, search):
        rows += walk.rows(connection, more)
    return _ordered(rows, search)[: _end(search)]


def page(search: Search, *several: Iterable[Found]) -> list[Found]:
    """The rows of the page, out of what was found in one or several tables."""
    rows = _ordered([one for rows in several for one in rows], search)
    return rows[int(search.offset) : _end(search)]


def holders(count: int) -> str:
    """So many places for parameters, with commas between them."""
    return ", ".join("?" * count)


@dataclass(frozen=True, slots=True)
class _Walk:
    place: Place
    search: Search
    conditions: tuple[str, ...]
    parameters: tuple[object, ...]

    def rows(
        self, connection: sqlite3.Connection, more: Sequence[tuple[str, Sequence[object]]]
    ) -> list[Found]:
        conditions = [*self.conditions, *(words for words, _ in more)]
        if self.place.only:
            conditions.append(self.place.only)
        parameters = [*self.parameters, *(value for _, values in more for value in values)]
        where = f"WHERE {' AND '.join(conditions)}" if conditions else ""
        created, way = self.place.created, self.search.sort_by
        return connection.execute(
            f"SELECT {created}, id, number FROM {self.place.table} {where}"  # noqa: S608 (of constants)
            f" ORDER BY {created} {way}, id {way} LIMIT ?",
            (*parameters, _end(self.search)),
        ).fetchall()


def _walks(place: Place, search: Search) -> list[_Walk]:
    """One for each feed or customId that is asked for; a `+` keeps SQLite from another index than meant."""
    if any(column is None and _is_list(asked) for column, asked in _filters(place, search)):
        return []
    filters = [(column, asked) for column, asked in _filters(place, search) if column and asked is not UNSET]
    if search.ids is not None:
        walk = _Walk(place, search, (f"id IN ({holders(len(search.ids))})",), search.ids)
        return [_narrowed(_timed(walk, "+"), filters)] if search.ids else []
    if not filters:
        return [_timed(_Walk(place, search, (), ()))]
    (column, asked), *rest = filters
    if isinstance(asked, tuple):
        each = [_Walk(place, search, (f"{column} = ?",), (value,)) for value in dict.fromkeys(asked)]
    else:
        each = [_Walk(place, search, (f"{column} IS NULL",), ())]
    return [_narrowed(_timed(walk), rest) for walk in each]


def _filters(place: Place, search: Search) -> list[tuple[str | None, Asked]]:
    return [(place.custom, search.custom_ids), (place.feed, search.feed_ids)]


def _is_list(asked: Asked) -> bool:
    return isinstance(asked, tuple)


def _timed(walk: _Walk, plus: str = "") -> _Walk:
    column = f"{plus}{walk.place.created}"
    conditions, parameters = list(walk.conditions), list(walk.parameters)
    for words, ms in (("> ?", walk.search.start), ("< ?", walk.search.end)):
        if ms is not None and not math.isnan(ms):
            conditions.append(f"{column} {words}")
            parameters.append(max(-float(_MOST_MS), min(float(_MOST_MS), ms)))
    return _Walk(walk.place, walk.search, tuple(conditions), tuple(parameters))


def _narrowed(walk: _Walk, filters: Iterable[tuple[str | None, Asked]]) -> _Walk:
    conditions, parameters = list(walk.conditions), list(walk.parameters)
    for column, asked in filters:
        if isinstance(asked, tuple):
            conditions.append(f"+{column} IN ({holders(len(asked))})")
            parameters += asked
        else:
            conditions.append(f"+{column} IS NULL")
    return _Walk(walk.place, walk.search, tuple(conditions), tuple(parameters))


def _ordered(rows: list[Found], search: Search) -> list[Found]:
    return sorted(rows, reverse=search.sort_by == "DESC")


def _end(search: Search) -> int:
    return int(search.offset) + int(search.limit)
