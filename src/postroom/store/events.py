"""What happened to emails. Append-only."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from postroom.runtime import ids
from postroom.store.batches.rows import EventRow
from postroom.store.schema import events
from postroom.types.events import EventType

_ALL = select(*(events.c[name] for name in EventRow._fields)).order_by(events.c.at, events.c.id)


def new(account_id: str, email_id: str, message_id: str, kind: EventType, at: int, **detail: Any) -> EventRow:
    """An event that happens now. `detail` is what can be said in JSON."""
    return EventRow(account_id, ids.mail_id(at), at, email_id, message_id, kind.value, json.dumps(detail))


async def add(connection: AsyncConnection, rows: Sequence[EventRow]) -> None:
    if rows:
        await connection.execute(insert(events), [row._asdict() for row in rows])


async def of_email(connection: AsyncConnection, account_id: str, email_id: str) -> list[EventRow]:
    """In the order in which they happened."""
    which = (events.c.account_id == account_id, events.c.email_id == email_id)
    return [EventRow(*row) for row in await connection.execute(_ALL.where(*which))]


async def of_emails(
    connection: AsyncConnection, account_id: str, email_ids: Sequence[str]
) -> dict[str, list[EventRow]]:
    found: dict[str, list[EventRow]] = {email_id: [] for email_id in email_ids}
    which = (events.c.account_id == account_id, events.c.email_id.in_(email_ids))
    for row in await connection.execute(_ALL.where(*which)):
        event = EventRow(*row)
        found[event.email_id].append(event)
    return found
