"""What people do to queue rows: retry now, cancel, hold, release. Each leaves its event in the same transaction.

A row whose attempt is under way is left alone: the remote server may be taking the message this moment. Rows that
change lose their owner; the node that had them in memory finds out when it tries to mark them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import case, delete, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from postroom.errors import ConflictError, NotFoundError
from postroom.store import emails as emails_store
from postroom.store import events
from postroom.store.emails import Email
from postroom.store.queue import AT_ONCE, NEVER, PAUSED_ROW
from postroom.store.schema import emails, messages, queue
from postroom.store.timescale import correction
from postroom.types.events import EventType
from postroom.types.status import EmailStatus, Hold

SLICE = 500
AFTER_PAUSE_MS = 24 * 3600 * 1000
"""For how long what was paused is tried at least, however old it has become."""


async def hold_of(connection: AsyncConnection, account_id: str, email_id: str) -> str:
    """What an email of the queue waits for (`Hold`), "" if for nothing or not at all. It stays so in this transaction."""
    row = (queue.c.account_id == account_id, queue.c.email_id == email_id)
    return await connection.scalar(select(queue.c.hold).where(*row).with_for_update()) or ""


async def retry_now(connection: AsyncConnection, email_id: str, now: int) -> None:
    """Make a row due at once, and release it if it is held.

    Raises NotFoundError when there is no such email, ConflictError when it is final or an attempt is under way.
    """
    email = await _email(connection, email_id)
    row = _row(email)
    held = await connection.scalar(select(queue.c.hold).where(*row))
    statement = update(queue).where(*row, queue.c.mark == 0).returning(queue.c.email_id)
    done = await connection.scalar(statement.values(due_at=AT_ONCE, owner=0, hold="", unfinished=0))
    if done is None:
        raise await _why_not(connection, email, "retried")
    if held:
        await _set_status(connection, email.account_id, [email_id], held=False)
        event = events.new(email.account_id, email_id, email.message_id, EventType.RELEASED, now, reason=held)
        await events.add(connection, [event])


async def cancel(connection: AsyncConnection, email_id: str, now: int, content_expires_at: int) -> None:
    """Take an email back. With its last recipient the message's content gets an expiry.

    Raises NotFoundError when there is no such email, ConflictError when it is final or an attempt is under way.
    """
    email = await _email(connection, email_id)
    statement = delete(queue).where(*_row(email), queue.c.mark == 0).returning(queue.c.email_id)
    if await connection.scalar(statement) is None:
        raise await _why_not(connection, email, "cancelled")
    await _end_cancelled(connection, email.account_id, email.message_id, [email_id], now)
    await _expire_content(connection, email.account_id, email.message_id, content_expires_at)


async def cancel_scheduled(
    connection: AsyncConnection, account_id: str, message_id: str, now: int, content_expires_at: int
) -> bool:
    """Take a scheduled message back from all recipients that wait for it; False when it is too late for that.

    Too late is when one of them has been claimed: all or nobody gets it (Q22). While sending is paused it never is.
    """
    mine = (queue.c.account_id == account_id, queue.c.message_id == message_id)
    # A claim skips what is locked here; what it was quicker with is seen here.
    found = select(queue.c.email_id, queue.c.hold, queue.c.attempts).where(*mine)
    rows = (await connection.execute(found.order_by(queue.c.email_id).with_for_update())).all()
    if not rows or any(not _waits(row) for row in rows) or await _gone(connection, account_id, message_id):
        return False
    await connection.execute(delete(queue).where(*mine))
    await _end_cancelled(connection, account_id, message_id, [row.email_id for row in rows], now)
    await _expire_content(connection, account_id, message_id, content_expires_at)
    return True


async def hold_account(
    connection: AsyncConnection, account_id: str, hold: Hold, now: int, after: str = ""
) -> str | None:
    """Hold a slice of an account's rows, those behind email `after`. Returns where the next slice begins, or None."""
    page = _page(account_id, after).where(queue.c.hold == "", queue.c.mark == 0)
    ids = await _hold(connection, account_id, page, hold, now)
    return ids[-1] if len(ids) == SLICE else None


async def release_account(
    connection: AsyncConnection, account_id: str, hold: Hold, now: int, after: str = ""
) -> str | None:
    """Release a slice of the rows an account has on this hold, those behind email `after`; like `hold_account`."""
    page = _page(account_id, after).where(queue.c.hold == hold.value)
    ids = await _release(connection, account_id, page, hold, now, queue.c.expires_at)
    return ids[-1] if len(ids) == SLICE else None


async def release_over_quota(
    connection: AsyncConnection, account_id: str, since: str, now: int, limit: int
) -> int:
    """Release the oldest rows behind email `since` that an account has on hold over its quota; how many."""
    mine = (queue.c.account_id == account_id, queue.c.email_id > since, queue.c.hold == Hold.QUOTA.value)
    page = select(queue.c.email_id).where(*mine).order_by(queue.c.email_id).limit(limit)
    return len(await _release(connection, account_id, page, Hold.QUOTA, now, queue.c.expires_at))


async def hold_domain(
    connection: AsyncConnection, account_id: str, domain_id: str, now: int, after: str = ""
) -> str | None:
    """Pause those of a domain among a slice of its account's rows; like `hold_account`.

    The slice counts all rows of the account, whatever domain they are of: there may be a million of another one.
    """
    last: str | None = await connection.scalar(_page(account_id, after).offset(SLICE - 1).limit(1))
    page = _page(account_id, after).where(queue.c.domain_id == domain_id)
    page = page.where(queue.c.hold == "", queue.c.mark == 0)
    if last is not None:
        page = page.where(queue.c.email_id <= last)
    await _hold(connection, account_id, page, Hold.PAUSED, now)
    return last


async def release_domain(
    connection: AsyncConnection, account_id: str, domain_id: str, now: int, after: str = ""
) -> str | None:
    """Release a slice of the paused rows of a domain, those behind email `after`; like `hold_account`. Their lifetime may
    have ended meanwhile; then they get some more."""
    page = _page(account_id, after).where(queue.c.domain_id == domain_id, PAUSED_ROW)
    least = now + await correction(connection) + AFTER_PAUSE_MS
    expires_at = case((queue.c.expires_at < least, least), else_=queue.c.expires_at)
    ids = await _release(connection, account_id, page, Hold.PAUSED, now, expires_at)
    return ids[-1] if len(ids) == SLICE else None


async def cancel_domain(
    connection: AsyncConnection,
    account_id: str,
    domain_id: str,
    now: int,
    after: str = "",
    *,
    reason: str,
    content_expires_at: int,
) -> str | None:
    """Take back what a domain has in a slice of its account's rows; like `hold_domain`. `reason` is told in the events."""
    last: str | None = await connection.scalar(_page(account_id, after).offset(SLICE - 1).limit(1))
    page = _page(account_id, after).where(queue.c.domain_id == domain_id, queue.c.mark == 0)
    if last is not None:
        page = page.where(queue.c.email_id <= last)
    ids = list(await connection.scalars(page.with_for_update(skip_locked=True)))
    mine = (queue.c.account_id == account_id, queue.c.email_id.in_(ids))
    gone = await connection.execute(
        delete(queue).where(*mine).returning(queue.c.email_id, queue.c.message_id)
    )
    messages_of: dict[str, list[str]] = {}
    for email_id, message_id in gone:
        messages_of.setdefault(message_id, []).append(email_id)
    for message_id, email_ids in messages_of.items():
        await _end_cancelled(connection, account_id, message_id, email_ids, now, reason=reason)
        await _expire_content(connection, account_id, message_id, content_expires_at)
    return last


async def waits(connection: AsyncConnection, account_id: str, domain_id: str) -> bool:
    """Whether the domain has anything in the queue."""
    mine = (queue.c.account_id == account_id, queue.c.domain_id == domain_id)
    return await connection.scalar(select(queue.c.email_id).where(*mine).limit(1)) is not None


async def _hold(connection: AsyncConnection, account_id: str, page: Any, hold: Hold, now: int) -> list[str]:
    # A row that is locked is being marked or recorded: its node asks for what holds it before the next attempt.
    ids = list(await connection.scalars(page.with_for_update(skip_locked=True)))
    due_at = NEVER if hold is Hold.PAUSED else queue.c.expires_at
    statement = update(queue).values(hold=hold.value, due_at=due_at, owner=0)
    await _move(connection, account_id, ids, statement, EventType.HELD, hold, now)
    return ids


async def _release(
    connection: AsyncConnection, account_id: str, page: Any, hold: Hold, now: int, expires_at: Any
) -> list[str]:
    ids = list(await connection.scalars(page.with_for_update()))
    statement = update(queue).values(hold="", due_at=AT_ONCE, expires_at=expires_at, owner=0)
    await _move(connection, account_id, ids, statement, EventType.RELEASED, hold, now)
    return ids


def _page(account_id: str, after: str) -> Any:
    mine = (queue.c.account_id == account_id, queue.c.email_id > after)
    return select(queue.c.email_id).where(*mine).order_by(queue.c.email_id).limit(SLICE)


async def _move(
    connection: AsyncConnection,
    account_id: str,
    ids: Sequence[str],
    statement: Any,
    kind: EventType,
    hold: Hold,
    now: int,
) -> None:
    mine = (queue.c.account_id == account_id, queue.c.email_id.in_(ids))
    moved = await connection.execute(statement.where(*mine).returning(queue.c.email_id, queue.c.message_id))
    pairs = [(email_id, message_id) for email_id, message_id in moved]
    await _set_status(connection, account_id, ids, held=kind is EventType.HELD)
    rows = [events.new(account_id, email, message, kind, now, reason=hold.value) for email, message in pairs]
    await events.add(connection, rows)


async def _set_status(
    connection: AsyncConnection, account_id: str, ids: Sequence[str], *, held: bool
) -> None:
    tried = case((emails.c.attempts > 0, EmailStatus.DEFERRED.value), else_=EmailStatus.QUEUED.value)
    which = (emails.c.account_id == account_id, emails.c.id.in_(ids))
    status = EmailStatus.HELD.value if held else tried
    await connection.execute(update(emails).where(*which).values(status=status))


def _waits(row: Any) -> bool:
    """For its time, or, when that has come, for the end of a pause."""
    return row.hold == Hold.SCHEDULED or (row.hold == Hold.PAUSED and not row.attempts)


async def _gone(connection: AsyncConnection, account_id: str, message_id: str) -> bool:
    """A recipient of the message was attempted, to the end: it has no queue row any more."""
    ended = [status.value for status in (EmailStatus.DELIVERED, EmailStatus.BOUNCED, EmailStatus.EXPIRED)]
    mine = (emails.c.account_id == account_id, emails.c.message_id == message_id)
    found = select(emails.c.id).where(*mine, emails.c.status.in_(ended)).limit(1)
    return await connection.scalar(found) is not None


async def _end_cancelled(
    connection: AsyncConnection,
    account_id: str,
    message_id: str,
    email_ids: Sequence[str],
    now: int,
    **detail: str,
) -> None:
    which = (emails.c.account_id == account_id, emails.c.id.in_(email_ids))
    status = {"status": EmailStatus.CANCELLED.value, "final_at": now}
    await connection.execute(update(emails).where(*which).values(status))
    kind = EventType.CANCELLED
    rows = [events.new(account_id, email_id, message_id, kind, now, **detail) for email_id in email_ids]
    await events.add(connection, rows)


async def _expire_content(connection: AsyncConnection, account_id: str, message_id: str, at: int) -> None:
    mine = (messages.c.account_id == account_id, messages.c.id == message_id)
    waiting = select(queue.c.email_id).where(
        queue.c.account_id == account_id, queue.c.message_id == message_id
    )
    statement = update(messages).where(*mine, ~waiting.exists()).values(content_expires_at=at)
    await connection.execute(statement)


async def _email(connection: AsyncConnection, email_id: str) -> Email:
    email = await emails_store.find(connection, email_id)
    if email is None:
        raise NotFoundError(f"there is no email {email_id}")
    return email


def _row(email: Email) -> tuple[Any, Any]:
    return queue.c.account_id == email.account_id, queue.c.email_id == email.id


async def _why_not(connection: AsyncConnection, email: Email, what: str) -> ConflictError:
    if await connection.scalar(select(queue.c.email_id).where(*_row(email))) is not None:
        reason = "an attempt is under way; try again when it has ended"
    else:
        reason = f"it is {email.status} already"
    return ConflictError(f"email {email.id} cannot be {what}: {reason}")
