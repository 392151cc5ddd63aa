"""Emails: one per recipient of a message, each with its own status."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from postroom.store.query import columns, every, first
from postroom.store.schema import accounts, emails


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


_ALL = select(*columns(Email, emails))


async def find(connection: AsyncConnection, email_id: str) -> Email | None:
    """Whatever account it belongs to: for the operator."""
    # account_id leads the key, so the accounts drive the search: one key look-up for each of them.
    mine = emails.c.account_id.in_(select(accounts.c.id))
    return await first(connection, Email, _ALL.where(mine, emails.c.id == email_id))


async def of_message(connection: AsyncConnection, account_id: str, message_id: str) -> list[Email]:
    which = (emails.c.account_id == account_id, emails.c.message_id == message_id)
    return await every(connection, Email, _ALL.where(*which).order_by(emails.c.id))
