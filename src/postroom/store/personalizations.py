"""What personalised messages are rendered with, per recipient. The rows come with `batches.accept`."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from postroom.store.query import among
from postroom.store.schema import personalizations

Key = tuple[str, str]


async def load(connection: AsyncConnection, keys: Iterable[Key]) -> dict[Key, bytes]:
    """The data of these (account id, email id) pairs; who has none is not in the answer."""
    columns = (personalizations.c.account_id, personalizations.c.email_id)
    statement = select(*columns, personalizations.c.data).where(among(connection, keys, *columns))
    return {
        (account_id, email_id): data for account_id, email_id, data in await connection.execute(statement)
    }
