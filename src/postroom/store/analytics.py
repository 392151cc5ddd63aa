"""How often things happened, counted from the events. `queued` is told from the emails' own rows (see `events`).

The caller asks for one day after another: on SQLite a read of half a year in one statement would keep the write-ahead
log from being cut.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import JSON, ColumnElement, Select, and_, cast, func, literal, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from postroom.runtime import ids
from postroom.store.events import WAS_QUEUED
from postroom.store.query import among, is_sqlite, within
from postroom.store.schema import emails, events, messages
from postroom.types.events import EventType

OPENED = "opened"


@dataclass(frozen=True, slots=True)
class AnalyticsFilter:
    """Emails of these domains; to one of these recipients, each (domain id, address); with one of these tags. None or
    nothing: all."""

    account_id: str
    domains: Collection[str] | None = None
    recipients: Collection[tuple[str, str]] = ()
    tags: Collection[str] = ()


async def count(
    connection: AsyncConnection, wanted: AnalyticsFilter, start: int, end: int, types: Collection[str]
) -> dict[str, int]:
    """How often each of these happened from `start` up to, but not at, `end` (milliseconds); those that did not are
    left out."""
    happened = _happened(connection, wanted, start, end, set(types) - {EventType.QUEUED})
    statement = happened.add_columns(events.c.type, func.count().label("times")).group_by(events.c.type)
    found: dict[str, int] = {row.type: row.times for row in await connection.execute(statement)}
    if EventType.QUEUED in types:
        queued = _queued(connection, wanted, start, end).add_columns(func.count())
        found[EventType.QUEUED.value] = int(await connection.scalar(queued) or 0)
    return found


async def opens(
    connection: AsyncConnection, wanted: AnalyticsFilter, start: int, end: int, fact: str
) -> dict[str | None, int]:
    """How often emails were opened, by a fact that the event's detail has: `country`, `ua_name`, `ua_type`; None for
    those without."""
    if is_sqlite(connection):
        value: ColumnElement[Any] = func.json_extract(events.c.detail, f"$.{fact}")
    else:
        value = cast(events.c.detail, JSON)[fact].as_string()
    happened = _happened(connection, wanted, start, end, {OPENED})
    statement = happened.add_columns(value.label("fact"), func.count().label("times")).group_by("fact")
    return {row.fact: row.times for row in await connection.execute(statement)}


def _happened(
    connection: AsyncConnection, wanted: AnalyticsFilter, start: int, end: int, types: Collection[str]
) -> Select[Any]:
    """`at` says the same as the id; it spares PostgreSQL the other days."""
    statement = select().where(
        events.c.account_id == wanted.account_id,
        events.c.id >= ids.earliest(start),
        events.c.id < ids.earliest(end),
        events.c.at >= start,
        events.c.at < end,
        events.c.type.in_(sorted(types)),
    )
    if wanted.recipients:
        email = and_(emails.c.account_id == wanted.account_id, emails.c.id == events.c.email_id)
        statement = statement.join_from(events, emails, email)
    return _of_messages(connection, statement.select_from(events), wanted, events.c.message_id)


def _queued(connection: AsyncConnection, wanted: AnalyticsFilter, start: int, end: int) -> Select[Any]:
    statement = select().where(
        emails.c.account_id == wanted.account_id,
        emails.c.id >= ids.earliest(start),
        emails.c.id < ids.earliest(end),
        WAS_QUEUED,
    )
    return _of_messages(connection, statement.select_from(emails), wanted, emails.c.message_id)


def _of_messages(
    connection: AsyncConnection,
    statement: Select[Any],
    wanted: AnalyticsFilter,
    message_id: ColumnElement[str],
) -> Select[Any]:
    """Only those that fit what is asked of the message and the recipient; messages are not looked at for nothing."""
    if wanted.domains is None and not wanted.recipients and not wanted.tags:
        return statement
    message = and_(messages.c.account_id == wanted.account_id, messages.c.id == message_id)
    statement = statement.join(messages, message).where(within(messages.c.domain_id, wanted.domains))
    if wanted.recipients:
        statement = statement.where(
            among(connection, wanted.recipients, messages.c.domain_id, emails.c.recipient)
        )
    if wanted.tags:
        find = func.instr if is_sqlite(connection) else func.strpos
        lines = literal("\n") + messages.c.tags + "\n"
        statement = statement.where(or_(*(find(lines, f"\n{tag}\n") > 0 for tag in sorted(wanted.tags))))
    return statement
