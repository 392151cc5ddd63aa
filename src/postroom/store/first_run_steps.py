"""What tells how far an account has come with its first messages."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from postroom.store.schema import inbox, messages


async def newest_in_inbox(
    connection: AsyncConnection, account_id: str, domain_ids: Collection[str], *, but: str
) -> str | None:
    """The id of the newest message in the sandbox inboxes of these domains, `but` that one."""
    mine = (inbox.c.account_id == account_id, inbox.c.domain_id.in_(sorted(domain_ids)))
    statement = select(inbox.c.message_id).where(*mine, inbox.c.message_id != but)
    found: str | None = await connection.scalar(statement.order_by(inbox.c.received_at.desc()).limit(1))
    return found


async def newest_message(
    connection: AsyncConnection, account_id: str, domain_ids: Collection[str]
) -> str | None:
    """The id of the newest message from these domains."""
    mine = (messages.c.account_id == account_id, messages.c.domain_id.in_(sorted(domain_ids)))
    found: str | None = await connection.scalar(
        select(messages.c.id).where(*mine).order_by(messages.c.id.desc()).limit(1)
    )
    return found
