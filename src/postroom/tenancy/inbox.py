"""Emptying the sandbox inbox. The emails stay in the activity; their content goes."""

from __future__ import annotations

from postroom.errors import NotFoundError
from postroom.store import inbox as store
from postroom.store import retention
from postroom.store.database import Database
from postroom.store.inbox import InboxFilter, InboxItem
from postroom.tenancy import audit
from postroom.types.actor import Actor

SLICE = 100
"""Emails taken out in one transaction."""


async def delete(db: Database, item: InboxItem, *, now: int, by: Actor) -> None:
    """Raises NotFoundError when it is gone already. `now` in milliseconds."""
    async with db.write() as connection:
        gone = {item.email_id: item.message_id}
        if not await retention.take_out_of_inbox(connection, item.account_id, gone, now):
            raise NotFoundError(f"there is no {item.email_id} in the sandbox inbox")
        await audit.record(
            connection,
            by,
            "inbox.deleted",
            account_id=item.account_id,
            object_id=item.email_id,
            name=item.subject,
            before={"recipient": item.recipient, "domain_id": item.domain_id},
        )


async def empty(db: Database, wanted: InboxFilter, *, by: Actor, now: int) -> int:
    """Take everything out that fits; how many. With `wanted.before` nothing that comes meanwhile."""
    async with db.write() as connection:
        deleted = await store.count(connection, wanted)
        told = {"emails": deleted, "text": wanted.text}
        await audit.record(connection, by, "inbox.emptied", account_id=wanted.account_id, before=told)
    gone: dict[str, str] | None = None
    while gone is None or gone:
        async with db.write() as connection:
            found = await store.of_account(connection, wanted, offset=0, limit=SLICE)
            gone = {item.email_id: item.message_id for item in found}
            await retention.take_out_of_inbox(connection, wanted.account_id, gone, now)
    return deleted
