"""Emails: one per recipient of a message, each with its own status."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import and_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from postroom.store.query import columns, every, first
from postroom.store.schema import accounts, api_messages, emails, messages


@dataclass(frozen=True, slots=True)
class Email:
    """`reply` is the last one heard about it; `attempts` counts the attempts made, `sent` tells whether one reached a
    server."""

    account_id: str
    id: str
    message_id: str
    recipient: str
    status: str
    attempts: int
    possible_duplicate: bool
    sent: bool
    reply: str
    created_at: int
    final_at: int | None


@dataclass(frozen=True, slots=True)
class EmailDetails:
    """An email with what its message says of it. `tags` one a line; `headers`, `metadata` and `settings` are JSON; these and
    `template_id` are None where the message has none."""

    account_id: str
    id: str
    message_id: str
    domain_id: str
    recipient: str
    header_from: str
    subject: str
    tags: str
    status: str
    sent: bool
    created_at: int
    final_at: int | None
    template_id: str | None
    headers: str | None
    metadata: str | None
    settings: str | None
    stream: str
    credential_id: str
    credential_kind: str
    attempts: int
    possible_duplicate: bool
    reply: str


_ALL = select(*columns(Email, emails))
_MESSAGE = and_(messages.c.account_id == emails.c.account_id, messages.c.id == emails.c.message_id)
_API = and_(api_messages.c.account_id == emails.c.account_id, api_messages.c.id == emails.c.message_id)
_DETAILS = select(*columns(EmailDetails, emails, messages, api_messages)).select_from(
    emails.join(messages, _MESSAGE).outerjoin(api_messages, _API)
)


async def find(connection: AsyncConnection, email_id: str) -> Email | None:
    """Whatever account it belongs to: for the operator."""
    # account_id leads the key, so the accounts drive the search: one key look-up for each of them.
    mine = emails.c.account_id.in_(select(accounts.c.id))
    return await first(connection, Email, _ALL.where(mine, emails.c.id == email_id))


async def of_message(connection: AsyncConnection, account_id: str, message_id: str) -> list[Email]:
    which = (emails.c.account_id == account_id, emails.c.message_id == message_id)
    return await every(connection, Email, _ALL.where(*which).order_by(emails.c.id))


async def details(
    connection: AsyncConnection, account_id: str, email_ids: Sequence[str]
) -> dict[str, EmailDetails]:
    """The emails with these ids of one account; one that does not exist is left out."""
    which = (emails.c.account_id == account_id, emails.c.id.in_(email_ids))
    found = await every(connection, EmailDetails, _DETAILS.where(*which))
    return {email.id: email for email in found}


async def details_of_message(
    connection: AsyncConnection, account_id: str, message_id: str
) -> list[EmailDetails]:
    which = (emails.c.account_id == account_id, emails.c.message_id == message_id)
    return await every(connection, EmailDetails, _DETAILS.where(*which).order_by(emails.c.id))
