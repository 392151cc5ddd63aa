"""What became of the mail of domains, counted. Counting a million rows would be a long read, so only the account's newest
are looked at."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, and_, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from postroom.store.schema import emails, events, messages
from postroom.types.events import EventType
from postroom.types.status import EmailStatus

MOST_COUNTED = 10_000
"""Emails, or events, of the account."""


@dataclass(frozen=True, slots=True)
class Stats:
    """Emails by the API's words for where they stand."""

    queued: int = 0
    sent: int = 0
    rejected: int = 0
    delivered: int = 0

    @property
    def total(self) -> int:
        return self.queued + self.sent + self.rejected + self.delivered


@dataclass(frozen=True, slots=True)
class Totals:
    """Events by their type."""

    sent: int = 0
    delivered: int = 0
    hard_bounced: int = 0
    soft_bounced: int = 0


async def stats(connection: AsyncConnection, account_id: str) -> dict[str, Stats]:
    """By domain id; a domain without any mail is left out."""
    newest = _newest(emails, account_id, "message_id", "status", "sent")
    groups = (messages.c.domain_id, newest.c.status, newest.c.sent)
    statement = select(*groups, func.count()).select_from(_joined(newest, account_id)).group_by(*groups)
    words: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for domain_id, status, sent, number in await connection.execute(statement):
        words[domain_id][EmailStatus(status).api_word(attempted=sent)] += number
    return {domain_id: Stats(**counted) for domain_id, counted in words.items()}


async def totals(connection: AsyncConnection, account_id: str, domain_id: str) -> Totals:
    newest = _newest(events, account_id, "message_id", "type")
    statement = (
        select(newest.c.type, func.count().label("number"))
        .select_from(_joined(newest, account_id))
        .where(messages.c.domain_id == domain_id, newest.c.type.in_(_COUNTED))
        .group_by(newest.c.type)
    )
    return Totals(**{row.type: row.number for row in await connection.execute(statement)})


_COUNTED = [
    kind.value
    for kind in (EventType.SENT, EventType.DELIVERED, EventType.HARD_BOUNCED, EventType.SOFT_BOUNCED)
]


def _newest(table: Any, account_id: str, *columns: str) -> Any:
    rows: Select[Any] = select(*(table.c[name] for name in columns)).where(table.c.account_id == account_id)
    return rows.order_by(table.c.id.desc()).limit(MOST_COUNTED).subquery("newest")


def _joined(newest: Any, account_id: str) -> Any:
    mine = and_(messages.c.account_id == account_id, messages.c.id == newest.c.message_id)
    return newest.join(messages, mine)
