"""Messages that were asked to be sent at a time of their own. Taking one back is in `interventions`.

Where one stands is told from its recipients: `scheduled` while one waits for that time, or for the end of a pause, then `sent`, or `error` when
all have ended and none has ever got as far as a server. One that was taken back is not listed any more.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from postroom.store.query import every, first, within
from postroom.store.schema import api_messages, emails, messages, queue
from postroom.types.status import FINAL, EmailStatus, Hold

SCHEDULED, SENT, ERROR = "scheduled", "sent", "error"


@dataclass(frozen=True, slots=True)
class MessageSchedule:
    """`reply` is the last one heard about one of the recipients, or ""."""

    message_id: str
    domain_id: str
    subject: str
    send_at: int
    created_at: int
    status: str
    reply: str


@dataclass(frozen=True, slots=True)
class ScheduleFilter:
    """None: whatever it is."""

    account_id: str
    domains: Collection[str] | None = None
    status: str | None = None


_EMAIL = and_(emails.c.account_id == api_messages.c.account_id, emails.c.message_id == api_messages.c.id)
_ROW = and_(queue.c.account_id == api_messages.c.account_id, queue.c.message_id == api_messages.c.id)
_MESSAGE = and_(messages.c.account_id == api_messages.c.account_id, messages.c.id == api_messages.c.id)
_FINAL = sorted(status.value for status in FINAL)

_PAUSED = and_(queue.c.hold == Hold.PAUSED.value, queue.c.attempts == 0)
_WAITS = select(queue.c.email_id).where(_ROW, or_(queue.c.hold == Hold.SCHEDULED.value, _PAUSED)).exists()
_ON_ITS_WAY = select(emails.c.id).where(_EMAIL, or_(emails.c.sent, emails.c.status.not_in(_FINAL))).exists()
_KEPT = select(emails.c.id).where(_EMAIL, emails.c.status != EmailStatus.CANCELLED.value).exists()
_STATUS = case((_WAITS, SCHEDULED), (_ON_ITS_WAY, SENT), else_=ERROR)
_REPLY = select(func.max(emails.c.reply)).where(_EMAIL).scalar_subquery()

_SCHEDULES: Select[Any] = select(
    api_messages.c.id,
    messages.c.domain_id,
    messages.c.subject,
    api_messages.c.send_at,
    messages.c.received_at,
    _STATUS,
    _REPLY,
).select_from(api_messages.join(messages, _MESSAGE))


async def page(
    connection: AsyncConnection, wanted: ScheduleFilter, *, offset: int, limit: int
) -> list[MessageSchedule]:
    """Those that are to be sent last come first."""
    statement = (
        _SCHEDULES.where(*_conditions(wanted))
        .order_by(api_messages.c.send_at.desc(), api_messages.c.id.desc())
        .offset(offset)
        .limit(limit)
    )
    return await every(connection, MessageSchedule, statement)


async def count(connection: AsyncConnection, wanted: ScheduleFilter) -> int:
    source = api_messages.join(messages, _MESSAGE)
    statement = select(func.count()).select_from(source).where(*_conditions(wanted))
    return int(await connection.scalar(statement) or 0)


async def get(connection: AsyncConnection, account_id: str, message_id: str) -> MessageSchedule | None:
    """None also when it was not scheduled, or was taken back."""
    mine = (*_conditions(ScheduleFilter(account_id)), api_messages.c.id == message_id)
    return await first(connection, MessageSchedule, _SCHEDULES.where(*mine))


def _conditions(wanted: ScheduleFilter) -> list[ColumnElement[bool]]:
    conditions = [api_messages.c.account_id == wanted.account_id, api_messages.c.send_at.is_not(None), _KEPT]
    conditions.append(within(messages.c.domain_id, wanted.domains))
    if wanted.status is not None:
        conditions.append(_STATUS.in_([wanted.status]))
    return conditions
