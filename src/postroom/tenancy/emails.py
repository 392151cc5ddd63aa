"""What owners may do to single emails: try one now, send one once more. To take one back is the same for owners and
operators (`interventions`)."""

from __future__ import annotations

from postroom.store import interventions
from postroom.store.database import Database
from postroom.store.emails import EmailDetails
from postroom.tenancy import audit
from postroom.types import refusals
from postroom.types.actor import Actor
from postroom.types.refusals import Refused
from postroom.types.status import Hold

OWN_HOLDS = ("", Hold.SCHEDULED)
"""What the owner's wish may end. The rest ends when its reason does, or by the operator (`interventions.retry`)."""


async def retry(db: Database, email: EmailDetails, *, now: int, by: Actor) -> Refused | None:
    """Make an email due at once. Refused while it is held for another reason than its time.

    Raises ConflictError when it is final or an attempt is under way. `now` in milliseconds.
    """
    async with db.write() as connection:
        hold = await interventions.hold_of(connection, email.account_id, email.id)
        if hold not in OWN_HOLDS:
            return Refused(refusals.EMAIL_HELD, {"hold": hold})
        await interventions.retry_now(connection, email.id, now)
        await audit.record(connection, by, "email.retried", **_named(email))
    return None


async def resent(db: Database, email: EmailDetails, message_id: str, recipient: str, *, by: Actor) -> None:
    """Note that a message was sent once more, as a new one. That is on stable storage already, by group commit."""
    async with db.write() as connection:
        after = {"message_id": message_id, "recipient": recipient}
        await audit.record(connection, by, "email.resent", **_named(email), after=after)


def _named(email: EmailDetails) -> dict[str, str]:
    return {"account_id": email.account_id, "object_id": email.id, "name": email.recipient}
