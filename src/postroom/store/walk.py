"""A long list, the newest first, looked at in pieces: a page of it, without holding a snapshot for longer than a piece.

A filter that little of the list fits may have to look at millions of rows. On SQLite a read that long keeps the
write-ahead log from being cut, and accept waits. So the list is cut into pieces of `PIECE` rows, by their ids alone,
and of each piece only what fits is asked for. Ids of mail data sort by time, so a page stays what it is while new rows
come.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, select

from postroom.store.database import Database

PIECE = 2000
BEFORE_ALL, BEHIND_ALL = "", "g"
"""They sort before and after every id."""


@dataclass(frozen=True, slots=True)
class Series:
    """Rows of one table that are in the list: the column of their ids, and what picks them."""

    id: ColumnElement[str]
    which: Sequence[ColumnElement[bool]]


@dataclass(frozen=True, slots=True)
class Walk:
    """`between` gives the rows that fit and whose ids lie from one up to, but not at, another, each with its `id`, in
    descending order. A piece has at most `PIECE` rows of each of `series`."""

    series: Sequence[Series]
    between: Callable[[str, str], Select[Any]]


async def page(database: Database, walk: Walk, below: str, *, offset: int, limit: int) -> list[Any]:
    """The rows that fit, from number `offset` on, at most `limit`."""
    found: list[Any] = []
    rest: str | None = below
    while rest is not None and len(found) < limit:
        fitting, rest = await _piece(database, walk, rest, offset + limit - len(found))
        found += fitting[offset:]
        offset = max(offset - len(fitting), 0)
    return found


async def some(
    database: Database, walk: Walk, below: str, *, limit: int, pieces: int
) -> tuple[list[Any], str | None]:
    """The first rows that fit, at most `limit`, and the id below which to go on; None when there are no more.

    At most `pieces` are looked at, so there may be fewer rows, or none, and still more to come.
    """
    found: list[Any] = []
    rest: str | None = below
    for _ in range(pieces):
        if rest is None:
            break
        fitting, rest = await _piece(database, walk, rest, limit + 1 - len(found))
        found += fitting
        if len(found) > limit:
            return found[:limit], found[limit - 1].id
    return found, rest


async def _piece(database: Database, walk: Walk, below: str, most: int) -> tuple[Sequence[Any], str | None]:
    """What fits of the next piece, at most so much, and where the one after it begins; None: there is none."""
    async with database.read() as connection:
        ends = [await connection.scalar(_last(series, below)) for series in walk.series]
        lowest = max((end for end in ends if end is not None), default=None)
        statement = walk.between(lowest or BEFORE_ALL, below).limit(most)
        found = (await connection.execute(statement)).all()
    return found, found[-1].id if len(found) == most else lowest


def _last(series: Series, below: str) -> Select[Any]:
    """The id of the last row of a piece, if the series has that many."""
    rows = select(series.id).where(*series.which, series.id < below)
    return rows.order_by(series.id.desc()).offset(PIECE - 1).limit(1)
