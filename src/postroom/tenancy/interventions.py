"""What is done to waiting mail by hand, each with its entry in the audit log: by the operator, who may do so with
everybody's, and by owners who take a scheduled message back. `emails` is what owners may do to single emails.
"""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncConnection

from postroom.store import emails, interventions
from postroom.store.database import Database
from postroom.store.message_schedules import MessageSchedule
from postroom.tenancy import audit
from postroom.types.actor import Actor


async def retry(db: Database, email_id: str, *, now: int, by: Actor) -> None:
    """Try an email now, whatever holds it. `now` in milliseconds.

    Raises NotFoundError when there is no such email, ConflictError when it is final or an attempt is under way.
    """
    async with db.write() as connection:
        await interventions.retry_now(connection, email_id, now)
        await _record(connection, by, "retried", email_id)


async def cancel(db: Database, email_id: str, *, now: int, retention: float, by: Actor) -> None:
    """Take an email back. `retention`: for how many seconds content is kept then. Raises like `retry`."""
    async with db.write() as connection:
        await interventions.cancel(connection, email_id, now, now + round(retention * 1000))
        await _record(connection, by, "cancelled", email_id)


async def cancel_scheduled(
    db: Database, account_id: str, schedule: MessageSchedule, *, now: int, retention: float, by: Actor
) -> bool:
    """Take a scheduled message back from all its recipients; False, and nothing is changed, when it is too late."""
    async with db.write() as connection:
        expiry = now + round(retention * 1000)
        message_id = schedule.message_id
        if not await interventions.cancel_scheduled(connection, account_id, message_id, now, expiry):
            return False
        await audit.record(
            connection,
            by,
            "message_schedule.deleted",
            account_id=account_id,
            object_id=message_id,
            name=schedule.subject,
            before={"send_at": schedule.send_at},
        )
    return True


async def _record(connection: AsyncConnection, by: Actor, verb: str, email_id: str) -> None:
    email = await emails.find(connection, email_id)
    assert email is not None, "it was changed in this transaction"
    await audit.record(
        connection,
        by,
        f"email.{verb}",
        account_id=email.account_id,
        object_id=email_id,
        name=email.recipient,
    )
