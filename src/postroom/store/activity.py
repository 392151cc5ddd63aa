"""What happened to the emails of a domain, the newest first.

Events are rows, but for `queued`, which is told from the email's own row (see `events`). Both have ids that sort by
time, so the two lists are walked through as one.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, and_, literal, select, true, union_all
from sqlalchemy.ext.asyncio import AsyncConnection

from postroom.runtime import ids
from postroom.store import walk
from postroom.store.batches.rows import EventRow
from postroom.store.database import Database
from postroom.store.events import WAS_QUEUED, queued
from postroom.store.schema import emails, events, messages
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

    def piece(below: str, size: int) -> Select[Any]:
        return _piece(wanted, below, size)

    if wanted.types is not None and not wanted.types:
        return []
    found = await walk.page(database, piece, ids.earliest(wanted.end), offset=offset, limit=limit)
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


def _piece(wanted: ActivityFilter, below: str, size: int) -> Select[Any]:
    branches = []
    if wanted.types is None or {*wanted.types} != {EventType.QUEUED}:
        branches.append(_happened(wanted, below, size))
    if wanted.types is None or EventType.QUEUED in wanted.types:
        branches.append(_queued(wanted, below, size))
    both = union_all(*(select(branch.subquery()) for branch in branches)).subquery()
    candidate = select(both).order_by(both.c.id.desc()).limit(size).subquery("candidate")
    message = and_(messages.c.account_id == wanted.account_id, messages.c.id == candidate.c.message_id)
    fits = and_(
        candidate.c.counts,
        messages.c.domain_id == wanted.domain_id,
        true() if wanted.types is None else candidate.c.type.in_(sorted(wanted.types)),
    )
    # An outer join: a candidate never gets lost, or the walk would believe that it has come to the end.
    source = candidate.outerjoin(messages, message)
    return select(candidate.c.id, fits.label("fits")).select_from(source).order_by(candidate.c.id.desc())


def _happened(wanted: ActivityFilter, below: str, size: int) -> Select[Any]:
    """`at` says the same as the id; it spares PostgreSQL the other days."""
    return (
        select(events.c.id, events.c.message_id, events.c.type, literal(value=True).label("counts"))
        .where(
            events.c.account_id == wanted.account_id,
            events.c.id >= ids.earliest(wanted.start),
            events.c.id < below,
            events.c.at >= wanted.start,
            events.c.at < wanted.end,
        )
        .order_by(events.c.id.desc())
        .limit(size)
    )


def _queued(wanted: ActivityFilter, below: str, size: int) -> Select[Any]:
    kind = literal(EventType.QUEUED.value).label("type")
    return (
        select(emails.c.id, emails.c.message_id, kind, WAS_QUEUED.label("counts"))
        .where(
            emails.c.account_id == wanted.account_id,
            emails.c.id >= ids.earliest(wanted.start),
            emails.c.id < below,
        )
        .order_by(emails.c.id.desc())
        .limit(size)
    )
