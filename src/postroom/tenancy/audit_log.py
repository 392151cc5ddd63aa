"""Reading the audit log: a page of it, or all of it as CSV or as lines of JSON, the newest first.

It is kept for ever. A row takes about half a kilobyte, and a log that somebody can shorten proves nothing.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from postroom.store import audit as store
from postroom.store.audit import Entry
from postroom.store.database import Database
from postroom.types.actor import ActorKind
from postroom.wire import sheet

PIECE = 200
"""Entries read at once: nothing is held between two reads."""

COLUMNS = (
    "id",
    "created_at",
    "actor_kind",
    "actor_id",
    "actor_name",
    "client",
    "action",
    "object_id",
    "object_name",
    "before",
    "after",
)


class Format(StrEnum):
    CSV = "csv"
    JSONL = "jsonl"


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """`account_id` empty: what concerns the installation. None: whatever it is.

    `action` may end in a dot: all verbs of that object. `actor` is the id of a user or token, or one of `NAMELESS`.
    `since` <= time < `until`, in milliseconds.
    """

    account_id: str
    action: str | None = None
    actor: str | None = None
    object_id: str | None = None
    since: int | None = None
    until: int | None = None


NAMELESS = (ActorKind.COMMAND, ActorKind.SYSTEM)
"""Actors without an id."""


async def page(
    connection: AsyncConnection,
    wanted: AuditFilter,
    *,
    older_than: str | None = None,
    offset: int = 0,
    limit: int,
) -> list[Entry]:
    """`older_than` is the id of an entry, which itself is not among them."""
    nameless = wanted.actor in NAMELESS
    return await store.page(
        connection,
        wanted.account_id,
        action=wanted.action,
        actor_id="" if nameless else wanted.actor,
        actor_kind=wanted.actor if nameless else None,
        object_id=wanted.object_id,
        since=wanted.since,
        until=wanted.until,
        older_than=older_than,
        offset=offset,
        limit=limit,
    )


async def export(db: Database, wanted: AuditFilter, form: Format) -> AsyncIterator[str]:
    """The whole of it in pieces; in CSV the first has the names of the columns."""
    if form is Format.CSV:
        yield sheet.lines([COLUMNS])
    last: str | None = None
    while True:
        async with db.read() as connection:
            found = await page(connection, wanted, older_than=last, limit=PIECE)
        if found:
            yield await asyncio.to_thread(_text, found, form)  # an entry may hold a whole template
        if len(found) < PIECE:
            return
        last = found[-1].id


def shown(entry: Entry) -> dict[str, Any]:
    """As the API shows it, but for the time, which stays in milliseconds."""
    return {
        "id": entry.id,
        "created_at": entry.at,
        "actor": {
            "kind": entry.actor_kind,
            "id": entry.actor_id or None,
            "name": entry.actor_name,
            "client": entry.client or None,
        },
        "action": entry.action,
        "object": {"id": entry.object_id or None, "name": entry.object_name},
        "before": None if entry.before is None else json.loads(entry.before),
        "after": None if entry.after is None else json.loads(entry.after),
    }


def _text(entries: Iterable[Entry], form: Format) -> str:
    return "".join(map(_line, entries)) if form is Format.JSONL else sheet.lines(map(_row, entries))


def _line(entry: Entry) -> str:
    return json.dumps(shown(entry) | {"created_at": _moment(entry.at)}, ensure_ascii=False) + "\n"


def _row(entry: Entry) -> tuple[str, ...]:
    return (
        entry.id,
        _moment(entry.at),
        entry.actor_kind,
        entry.actor_id,
        entry.actor_name,
        entry.client,
        entry.action,
        entry.object_id,
        entry.object_name,
        entry.before or "",
        entry.after or "",
    )


def _moment(milliseconds: int) -> str:
    return datetime.fromtimestamp(milliseconds / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
