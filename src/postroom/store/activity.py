"""What happened to the emails of a domain, the newest first.

Events are rows, but for `queued`, which is told from the email's own row (see `events`). Both have ids that sort by
time, so the two lists are walked through as one.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, Table, and_, select, union_all
from sqlalchemy.ext.asyncio import AsyncConnection

from postroom.runtime import ids
from postroom.store import walk
from postroom.store.batches.rows import EventRow
from postroom.store.database import Database
from postroom.store.events import WAS_QUEUED, queued
from postroom.store.schema import emails, events, messages
from postroom.store.walk import Series, Walk
from postroom.types.events import EventType

_EVENT = select(*(events.c[name] for name in EventRow._fields))


@dataclass(frozen=True, slots=True)
class ActivityFilter:
    """What happened from `start` up to, but not at, `end` (milliseconds). `types`: those of `EventType`; None: all."""

    account_id: str
    domain_id: str
    start: int
    end: int
    types: Collection[str] | None = None


async def page(database: Database, wanted: ActivityFilter, *, offset: int, limit: int) -> list[EventRow]:
    """The events that fit, from number `offset` on, the newest first."""
    if wanted.types is not None and not wanted.types:
        return []
    found = await walk.page(database, _walk(wanted), ids.earliest(wanted.end), offset=offset, limit=limit)
    async with database.read() as connection:
        return await load(connection, wanted.account_id, [row.id for row in found])


async def load(connection: AsyncConnection, account_id: str, event_ids: Sequence[str]) -> list[EventRow]:
    """The events with these ids, in that order; one that does not exist is left out."""
    mine = (events.c.account_id == account_id, events.c.id.in_(event_ids))
    found = {row.id: EventRow(*row) for row in await connection.execute(_EVENT.where(*mine))}
    rest = [event_id for event_id in event_ids if event_id not in found]
    began = select(emails.c.id, emails.c.message_id, emails.c.created_at).where(
        emails.c.account_id == account_id, emails.c.id.in_(rest), WAS_QUEUED
    )
    for email_id, message_id, at in await connection.execute(began) if rest else ():
        found[email_id] = queued(account_id, email_id, message_id, at)
    return [found[event_id] for event_id in event_ids if event_id in found]


def _walk(wanted: ActivityFilter) -> Walk:
    """Through what happened, and the emails for what was queued; `types` may leave out one of them."""
    parts = []
    if wanted.types is None or {*wanted.types} != {EventType.QUEUED}:
        parts.append((_happened(wanted), events))
    if wanted.types is None or EventType.QUEUED in wanted.types:
        parts.append((_queued(wanted), emails))

    def between(lowest: str, below: str) -> Select[Any]:
        both = union_all(
            *(
                _of_domain(wanted, series, table).where(series.id >= lowest, series.id < below)
                for series, table in parts
            )
        ).subquery()
        return select(both.c.id).order_by(both.c.id.desc())

    return Walk([series for series, _ in parts], between)


def _of_domain(wanted: ActivityFilter, series: Series, table: Table) -> Select[Any]:
    message = and_(messages.c.account_id == wanted.account_id, messages.c.id == table.c.message_id)
    fits = [messages.c.domain_id == wanted.domain_id]
    if table is emails:
        fits.append(WAS_QUEUED)
    elif wanted.types is not None:
        fits.append(events.c.type.in_(sorted(wanted.types)))
    return select(series.id).select_from(table.join(messages, message)).where(*series.which, *fits)


def _happened(wanted: ActivityFilter) -> Series:
    """`at` says the same as the id; it spares PostgreSQL the other days."""
    period = (
        events.c.id >= ids.earliest(wanted.start),
        events.c.at >= wanted.start,
        events.c.at < wanted.end,
    )
    return Series(events.c.id, (events.c.account_id == wanted.account_id, *period))


def _queued(wanted: ActivityFilter) -> Series:
    since = emails.c.id >= ids.earliest(wanted.start)
    return Series(emails.c.id, (emails.c.account_id == wanted.account_id, since))
