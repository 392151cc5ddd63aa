"""Recipients: taking one off the list of those an account has written to."""

from __future__ import annotations

from postroom.errors import NotFoundError
from postroom.runtime.clock import Clock
from postroom.store import recipients as store
from postroom.store.database import Database
from postroom.store.recipients import Recipient
from postroom.tenancy import audit
from postroom.types.actor import Actor


async def delete(db: Database, recipient: Recipient, *, by: Actor) -> None:
    """They are listed again when they are written to again. What was sent stays as long as mail is kept, and so do
    suppressions: a deletion must not undo an unsubscribe.

    Raises NotFoundError when they are gone already.
    """
    async with db.write() as connection:
        if not await store.remove(connection, recipient.account_id, recipient.id, Clock().now_ms()):
            raise NotFoundError(f"there is no recipient {recipient.id}")
        await audit.record(
            connection,
            by,
            "recipient.deleted",
            account_id=recipient.account_id,
            object_id=recipient.id,
            name=recipient.email,
            before={"email": recipient.email, "domain_id": recipient.domain_id},
        )
