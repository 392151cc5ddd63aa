"""Attempts at delivery. The transcript is what `deliver.transcript` packed."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from postroom.store.batches.rows import AttemptRow
from postroom.store.schema import attempts


async def of_emails(
    connection: AsyncConnection, account_id: str, email_ids: Sequence[str]
) -> dict[str, list[AttemptRow]]:
    """The attempts at each of these emails of one account, oldest first."""
    found: dict[str, list[AttemptRow]] = {email_id: [] for email_id in email_ids}
    statement = (
        select(*(attempts.c[name] for name in AttemptRow._fields))
        .where(attempts.c.account_id == account_id, attempts.c.email_id.in_(email_ids))
        .order_by(attempts.c.at, attempts.c.number)
    )
    for row in await connection.execute(statement):
        attempt = AttemptRow(*row)
        found[attempt.email_id].append(attempt)
    return found
