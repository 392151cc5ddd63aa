"""A suppression list as CSV, the newest first. It holds addresses of people, so the audit log tells who has taken it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime

from postroom.store import domains
from postroom.store import suppressions as store
from postroom.store.database import Database
from postroom.store.suppressions import Listed, Suppression
from postroom.tenancy import audit
from postroom.types.actor import Actor
from postroom.wire import sheet

PIECE = 500
"""Entries read at once: nothing is held between two reads."""

COLUMNS = ("id", "list", "address", "type", "domain", "stream", "reason", "created_at", "expires_at")
EVERY_DOMAIN = "*"
"""In the column `domain`: for the whole account."""


async def export(db: Database, listed: Listed, *, search: str, now: int, by: Actor) -> AsyncIterator[str]:
    """In pieces; the first has the names of the columns. What is over at `now` is left out."""
    async with db.write() as connection:
        only = None if listed.domains is None else " ".join(sorted(listed.domains))
        await audit.record(
            connection,
            by,
            "suppression.exported",
            account_id=listed.account_id,
            name=listed.on,
            after={"search": search, "domains": only},
        )
        owned = {one.id: one.name for one in await domains.list_all(connection, listed.account_id)}
    return _pieces(db, listed, owned, search=search, now=now)


async def _pieces(
    db: Database, listed: Listed, owned: Mapping[str, str], *, search: str, now: int
) -> AsyncIterator[str]:
    yield sheet.lines([COLUMNS])
    last: str | None = None
    while True:
        async with db.read() as connection:
            found = await store.newest(connection, listed, now, search=search, older_than=last, limit=PIECE)
        if found:
            yield await asyncio.to_thread(_text, found, owned)
        if len(found) < PIECE:
            return
        last = found[-1].id


def _text(entries: list[Suppression], owned: Mapping[str, str]) -> str:
    return sheet.lines(_row(entry, owned) for entry in entries)


def _row(entry: Suppression, owned: Mapping[str, str]) -> tuple[str, ...]:
    return (
        entry.id,
        entry.list,
        entry.address,
        "pattern" if entry.pattern else "exact",
        EVERY_DOMAIN if entry.domain_id is None else owned.get(entry.domain_id, ""),
        entry.stream,
        entry.reason,
        _moment(entry.created_at),
        "" if entry.expires_at is None else _moment(entry.expires_at),
    )


def _moment(milliseconds: int) -> str:
    return datetime.fromtimestamp(milliseconds / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
