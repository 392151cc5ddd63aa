"""What sandbox domains sent. The content is that of the message."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, and_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from postroom.store.query import columns, every, first
from postroom.store.schema import accounts, inbox, messages


@dataclass(frozen=True, slots=True)
class InboxItem:
    account_id: str
    email_id: str
    message_id: str
    domain_id: str
    recipient: str
    received_at: int
    sender: str
    header_from: str
    subject: str
    size: int


_MESSAGE = and_(messages.c.account_id == inbox.c.account_id, messages.c.id == inbox.c.message_id)
_ALL: Select[Any] = select(*columns(InboxItem, inbox, messages)).select_from(inbox.join(messages, _MESSAGE))


async def page(
    connection: AsyncConnection, *, domain_id: str | None = None, before: int | None = None, limit: int = 50
) -> list[InboxItem]:
    """The newest first, of one domain or of all; `before` continues behind the last page's oldest time."""
    statement = _ALL.order_by(inbox.c.received_at.desc(), inbox.c.email_id.desc()).limit(limit)
    if domain_id is not None:
        statement = statement.where(inbox.c.domain_id == domain_id)
    if before is not None:
        statement = statement.where(inbox.c.received_at < before)
    return await every(connection, InboxItem, statement)


async def show(connection: AsyncConnection, email_id: str) -> InboxItem | None:
    mine = inbox.c.account_id.in_(select(accounts.c.id))
    return await first(connection, InboxItem, _ALL.where(mine, inbox.c.email_id == email_id))
