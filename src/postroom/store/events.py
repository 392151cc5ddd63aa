"""What happened to emails. Append-only.

The first event of every email is `queued`, and it is told from the email's own row: its id is the email's, its time is
when that was accepted. One row less for each message on the hot path.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import and_, func, insert, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from postroom.runtime import ids
from postroom.store.batches.rows import EventRow
from postroom.store.schema import emails, events
from postroom.types.events import EventType
from postroom.types.status import EmailStatus

_ALL = select(*(events.c[name] for name in EventRow._fields)).order_by(events.c.at, events.c.id)

# An address that was suppressed at the door has never been in the queue.
WAS_QUEUED = or_(emails.c.status != EmailStatus.SUPPRESSED.value, emails.c.final_at > emails.c.created_at)
_QUEUED = select(emails.c.id, emails.c.message_id, emails.c.created_at).where(WAS_QUEUED)


def new(account_id: str, email_id: str, message_id: str, kind: EventType, at: int, **detail: Any) -> EventRow:
    """An event that happens now. `detail` is what can be said in JSON."""
    return EventRow(account_id, ids.mail_id(at), at, email_id, message_id, kind.value, json.dumps(detail))


def queued(account_id: str, email_id: str, message_id: str, at: int) -> EventRow:
    return EventRow(account_id, email_id, at, email_id, message_id, EventType.QUEUED.value, "{}")


async def add(connection: AsyncConnection, rows: Sequence[EventRow]) -> None:
    if rows:
        await connection.execute(insert(events), [row._asdict() for row in rows])


async def of_email(connection: AsyncConnection, account_id: str, email_id: str) -> list[EventRow]:
    """In the order in which they happened."""
    return (await of_emails(connection, account_id, [email_id]))[email_id]


async def of_emails(
    connection: AsyncConnection, account_id: str, email_ids: Sequence[str]
) -> dict[str, list[EventRow]]:
    """The events of each email, in the order in which they happened."""
    found: dict[str, list[EventRow]] = {email_id: [] for email_id in email_ids}
    asked = (emails.c.account_id == account_id, emails.c.id.in_(email_ids))
    for email_id, message_id, at in await connection.execute(_QUEUED.where(*asked)):
        found[email_id].append(queued(account_id, email_id, message_id, at))
    which = (events.c.account_id == account_id, events.c.email_id.in_(email_ids))
    for row in await connection.execute(_ALL.where(*which)):
        event = EventRow(*row)
        found[event.email_id].append(event)
    return found


async def soft_bounced(
    connection: AsyncConnection, account_id: str, email_ids: Collection[str], since: int
) -> int:
    """How many of these emails a server was asked about, and have bounced softly at this time (milliseconds) or later."""
    happened = (events.c.type == EventType.SOFT_BOUNCED.value, events.c.at >= since)
    mine = (events.c.account_id == account_id, events.c.email_id.in_(sorted(email_ids)))
    tried = (emails.c.account_id == events.c.account_id, emails.c.id == events.c.email_id, emails.c.sent)
    statement = select(func.count(events.c.email_id.distinct())).join_from(events, emails, and_(*tried))
    return int(await connection.scalar(statement.where(*mine, *happened)) or 0)


async def suppression_reasons(
    connection: AsyncConnection, account_id: str, email_ids: Sequence[str]
) -> dict[str, str]:
    """Why those of these emails that were suppressed were: `SuppressionList.activity_reason`."""
    mine = (events.c.account_id == account_id, events.c.email_id.in_(email_ids))
    statement = select(events.c.email_id, events.c.detail).where(
        *mine, events.c.type == EventType.SUPPRESSED.value
    )
    rows = await connection.execute(statement)
    return {email_id: json.loads(detail).get("reason", "") for email_id, detail in rows}
