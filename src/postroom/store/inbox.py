"""What sandbox domains sent. The content is that of the message."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from postroom.store.query import columns, every, first, within
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


@dataclass(frozen=True, slots=True)
class InboxFilter:
    """`domains` None: all of the account; `text` is contained, in any case, in the subject or an address. Received
    `before` this time (milliseconds)."""

    account_id: str
    domains: Collection[str] | None = None
    text: str | None = None
    before: int | None = None


async def of_account(
    connection: AsyncConnection, wanted: InboxFilter, *, offset: int, limit: int
) -> list[InboxItem]:
    """The newest first, from number `offset` on. A sandbox keeps so few that all of them can be looked at."""
    newest = (inbox.c.received_at.desc(), inbox.c.email_id.desc())
    statement = _ALL.where(*_which(wanted)).order_by(*newest).offset(offset).limit(limit)
    return await every(connection, InboxItem, statement)


async def count(connection: AsyncConnection, wanted: InboxFilter) -> int:
    statement = select(func.count()).select_from(inbox.join(messages, _MESSAGE)).where(*_which(wanted))
    return int(await connection.scalar(statement) or 0)


async def get(connection: AsyncConnection, account_id: str, email_id: str) -> InboxItem | None:
    mine = (inbox.c.account_id == account_id, inbox.c.email_id == email_id)
    return await first(connection, InboxItem, _ALL.where(*mine))


def _which(wanted: InboxFilter) -> list[ColumnElement[bool]]:
    which = [inbox.c.account_id == wanted.account_id, within(inbox.c.domain_id, wanted.domains)]
    if wanted.before is not None:
        which.append(inbox.c.received_at < wanted.before)
    if wanted.text is not None:
        told = (inbox.c.recipient, messages.c.header_from, messages.c.subject)
        which.append(or_(*(column.icontains(wanted.text, autoescape=True) for column in told)))
    return which


async def show(connection: AsyncConnection, email_id: str) -> InboxItem | None:
    """Whatever account it belongs to: for the operator."""
    mine = inbox.c.account_id.in_(select(accounts.c.id))
    return await first(connection, InboxItem, _ALL.where(mine, inbox.c.email_id == email_id))
