"""What belongs to a domain and goes with it: credentials, sender identities, webhooks, inbound routes, suppressions, keys."""

from __future__ import annotations

from sqlalchemy import delete, update
from sqlalchemy.ext.asyncio import AsyncConnection

from postroom.store import installation
from postroom.store.query import changed
from postroom.store.schema import (
    dkim_keys,
    inbounds,
    sender_identities,
    smtp_users,
    suppressions,
    templates,
    tokens,
    webhooks,
)

BELONGINGS = (smtp_users, tokens, sender_identities, webhooks, inbounds, suppressions, dkim_keys)
"""A new table with rows of a domain comes in here."""


async def remove(connection: AsyncConnection, account_id: str, domain_id: str) -> dict[str, int]:
    """Delete them; how many of each. Templates stay: they are for all domains of the account from now on."""
    gone = {}
    for table in BELONGINGS:
        mine = (table.c.account_id == account_id, table.c.domain_id == domain_id)
        gone[table.name] = await changed(connection, delete(table).where(*mine))
    mine = (templates.c.account_id == account_id, templates.c.domain_id == domain_id)
    await connection.execute(update(templates).where(*mine).values(domain_id=None))
    await installation.bump(connection)
    return gone
