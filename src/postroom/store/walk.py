"""A long list, the newest first, looked at in pieces: a page of it, without holding a snapshot for longer than a piece.

A filter that little of the list fits may have to look at millions of rows. On SQLite a read that long keeps the
write-ahead log from being cut, and accept waits. So each statement looks at `PIECE` rows and says which of them fit,
and the next one begins where it ended: ids of mail data sort by time, so a page stays what it is while new rows come.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import Select

from postroom.store.database import Database

PIECE = 1000
BEHIND_ALL = "g"
"""Sorts after every id."""

Piece = Callable[[str, int], Select[Any]]
"""Given an id and a number: so many rows below that id in descending order, each with its `id` and whether it
`fits`."""


async def page(database: Database, piece: Piece, below: str, *, offset: int, limit: int) -> list[Any]:
    """The rows that fit, from number `offset` on, at most `limit`."""
    found: list[Any] = []
    while len(found) < limit:
        async with database.read() as connection:
            rows = (await connection.execute(piece(below, PIECE))).all()
        fitting = [row for row in rows if row.fits]
        found += fitting[offset:]
        offset = max(offset - len(fitting), 0)
        if len(rows) < PIECE:
            break
        below = rows[-1].id
    return found[:limit]


async def some(
    database: Database, piece: Piece, below: str, *, limit: int, pieces: int
) -> tuple[list[Any], str | None]:
    """The first rows that fit, at most `limit`, and the id below which to go on; None when there are no more.

    At most `pieces` are looked at, so there may be fewer rows, or none, and still more to come.
    """
    found: list[Any] = []
    for _ in range(pieces):
        async with database.read() as connection:
            rows = (await connection.execute(piece(below, PIECE))).all()
        found += [row for row in rows if row.fits]
        if len(found) > limit:
            return found[:limit], found[limit - 1].id
        if len(rows) < PIECE:
            return found, None
        below = rows[-1].id
    return found, below
