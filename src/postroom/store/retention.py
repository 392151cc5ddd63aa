"""What has to go: each function deletes one slice of at most `limit` rows and says how many it found.

The caller repeats it, a transaction each, until a slice finds none. Keys of blobs come back so that the blobs are
deleted after the commit: a blob without a row is garbage that is swept, a row without its blob would be a loss.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, and_, delete, func, literal_column, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from postroom.runtime import ids
from postroom.store import bulk_emails
from postroom.store.query import among, changed
from postroom.store.schema import (
    accounts,
    api_messages,
    attempts,
    contents,
    emails,
    events,
    idempotency_keys,
    inbox,
    message_metadata,
    messages,
    personalizations,
    queue,
    quota_days,
    quota_notices,
    refusals,
    request_days,
    suppressions,
)

Key = tuple[str, str]

ROWID: ColumnElement[int] = literal_column("rowid")


def _waiting() -> Any:
    """The message has a recipient that is not final."""
    mine = and_(queue.c.account_id == messages.c.account_id, queue.c.message_id == messages.c.id)
    return select(queue.c.email_id).where(mine).exists()


async def expire_contents(connection: AsyncConnection, now: int, limit: int) -> tuple[int, list[str]]:
    """Delete content whose time has come; how many messages, and the keys of their blobs."""
    due = (
        select(messages.c.account_id, messages.c.id, messages.c.blob)
        .where(messages.c.content_expires_at <= now)
        .order_by(messages.c.content_expires_at)
        .limit(limit)
    )
    rows = (await connection.execute(due)).all()
    keys = [(account_id, message_id) for account_id, message_id, _ in rows]
    await connection.execute(
        delete(contents).where(among(connection, keys, contents.c.account_id, contents.c.id))
    )
    await _delete_personalizations(connection, keys)
    gone = {"content_gone": True, "content_expires_at": None, "blob": ""}
    await connection.execute(
        update(messages).where(among(connection, keys, messages.c.account_id, messages.c.id)).values(gone)
    )
    return len(rows), [blob for _, _, blob in rows if blob]


async def date_strays(connection: AsyncConnection, before_id: str, now: int, limit: int) -> int:
    """Let content go that nobody waits for and that never got an expiry; its messages are older than `before_id`.

    The last two recipients may become final in two transactions at once: each sees the other's row and leaves the
    expiry to it. Only content that is there is looked at, so this is cheap however many messages there are.
    """
    mine = and_(contents.c.account_id == messages.c.account_id, contents.c.id == messages.c.id)
    small = select(messages.c.account_id, messages.c.id).join_from(contents, messages, mine)
    small = small.where(contents.c.account_id.in_(select(accounts.c.id)), contents.c.id < before_id)
    large = select(messages.c.account_id, messages.c.id).where(
        messages.c.blob != "", messages.c.id < before_id
    )
    found: list[Key] = []
    for statement in (small, large):
        stray = statement.where(messages.c.content_expires_at.is_(None), ~_waiting())
        found += [
            (account_id, message_id)
            for account_id, message_id in await connection.execute(stray.limit(limit))
        ]
    values = {"content_expires_at": now}
    await connection.execute(
        update(messages).where(among(connection, found, messages.c.account_id, messages.c.id)).values(values)
    )
    return len(found)


async def delete_messages(connection: AsyncConnection, before: int, limit: int) -> tuple[int, list[str]]:
    """Delete messages received before this time, with their emails; how many, and the keys of blobs left."""
    old = (
        select(messages.c.account_id, messages.c.id, messages.c.blob)
        .where(
            messages.c.account_id.in_(select(accounts.c.id)),
            messages.c.id < ids.earliest(before),
            ~_waiting(),
        )
        .limit(limit)
    )
    rows = (await connection.execute(old)).all()
    keys = [(account_id, message_id) for account_id, message_id, _ in rows]
    await connection.execute(
        delete(emails).where(among(connection, keys, emails.c.account_id, emails.c.message_id))
    )
    await connection.execute(
        delete(contents).where(among(connection, keys, contents.c.account_id, contents.c.id))
    )
    await _delete_personalizations(connection, keys)
    await _delete_api_details(connection, keys)
    await connection.execute(
        delete(messages).where(among(connection, keys, messages.c.account_id, messages.c.id))
    )
    return len(rows), [blob for _, _, blob in rows if blob]


async def _delete_personalizations(connection: AsyncConnection, keys: list[Key]) -> None:
    mine = among(connection, keys, personalizations.c.account_id, personalizations.c.message_id)
    await connection.execute(delete(personalizations).where(mine))


async def _delete_api_details(connection: AsyncConnection, keys: list[Key]) -> None:
    details = among(connection, keys, api_messages.c.account_id, api_messages.c.id)
    await connection.execute(delete(api_messages).where(details))
    named = among(connection, keys, message_metadata.c.account_id, message_metadata.c.message_id)
    await connection.execute(delete(message_metadata).where(named))


async def delete_idempotency_keys(connection: AsyncConnection, now: int, limit: int) -> int:
    """Those whose time is over."""
    over = (
        select(idempotency_keys.c.account_id, idempotency_keys.c.key)
        .where(idempotency_keys.c.expires_at <= now)
        .order_by(idempotency_keys.c.expires_at)
        .limit(limit)
    )
    keys = [(account_id, key) for account_id, key in await connection.execute(over)]
    mine = among(connection, keys, idempotency_keys.c.account_id, idempotency_keys.c.key)
    return await changed(connection, delete(idempotency_keys).where(mine))


async def delete_events(connection: AsyncConnection, before: int, limit: int) -> int:
    """SQLite: delete old events and attempts. On PostgreSQL whole days are dropped (`partitions.drop_before`).

    Rows lie in the order in which they came, so the oldest are found without an index on the time.
    """
    count = 0
    for table in (events, attempts):
        oldest = select(ROWID).select_from(table).order_by(ROWID).limit(limit)
        statement = delete(table).where(ROWID.in_(oldest), table.c.at < before)
        count += await changed(connection, statement)
    return count


async def delete_refusals(connection: AsyncConnection, before: int, limit: int) -> int:
    oldest = (
        select(refusals.c.id).where(refusals.c.last_at < before).order_by(refusals.c.last_at).limit(limit)
    )
    return await changed(connection, delete(refusals).where(refusals.c.id.in_(oldest)))


async def delete_suppressions(connection: AsyncConnection, now: int, limit: int) -> int:
    """Entries whose time is over, as those on hold."""
    over = (
        select(suppressions.c.account_id, suppressions.c.id)
        .where(suppressions.c.account_id.in_(select(accounts.c.id)), suppressions.c.expires_at <= now)
        .order_by(suppressions.c.expires_at)
        .limit(limit)
    )
    keys = [(account_id, entry_id) for account_id, entry_id in await connection.execute(over)]
    mine = among(connection, keys, suppressions.c.account_id, suppressions.c.id)
    return await changed(connection, delete(suppressions).where(mine))


async def delete_quota_days(connection: AsyncConnection, before_day: int) -> int:
    """With what was told of them; the answer counts the days alone."""
    await connection.execute(delete(quota_notices).where(quota_notices.c.day < before_day))
    return await changed(connection, delete(quota_days).where(quota_days.c.day < before_day))


async def delete_request_days(connection: AsyncConnection, before_day: int) -> int:
    return await changed(connection, delete(request_days).where(request_days.c.day < before_day))


async def inbox_domains(connection: AsyncConnection) -> list[Key]:
    """(account id, domain id) of the sandboxes that hold something."""
    rows = await connection.execute(select(inbox.c.account_id, inbox.c.domain_id).distinct())
    return [(account_id, domain_id) for account_id, domain_id in rows]


async def trim_inbox(
    connection: AsyncConnection, domain: Key, before: int, keep: int, now: int, limit: int
) -> int:
    """Delete a sandbox's oldest: those received before this time, and those beyond the newest `keep`."""
    mine = (inbox.c.account_id == domain[0], inbox.c.domain_id == domain[1])
    surplus = max(
        0, int(await connection.scalar(select(func.count()).select_from(inbox).where(*mine)) or 0) - keep
    )
    oldest = (
        select(inbox.c.email_id, inbox.c.message_id, inbox.c.received_at)
        .where(*mine)
        .order_by(inbox.c.received_at, inbox.c.email_id)
        .limit(limit)
    )
    rows = (await connection.execute(oldest)).all()
    gone = [row for number, row in enumerate(rows) if number < surplus or row.received_at < before]
    await take_out_of_inbox(connection, domain[0], {row.email_id: row.message_id for row in gone}, now)
    return len(gone)


async def take_out_of_inbox(
    connection: AsyncConnection, account_id: str, gone: Mapping[str, str], now: int
) -> int:
    """Take emails (id -> message id) out of the sandbox inbox; how many were there. The content of a message goes with
    its last one."""
    taken = (inbox.c.account_id == account_id, inbox.c.email_id.in_(gone))
    count = await changed(connection, delete(inbox).where(*taken))
    kept = and_(inbox.c.account_id == messages.c.account_id, inbox.c.message_id == messages.c.id)
    orphans = (
        update(messages)
        .where(messages.c.account_id == account_id, messages.c.id.in_({*gone.values()}))
        .where(~select(inbox.c.email_id).where(kept).exists(), ~_waiting(), ~messages.c.content_gone)
        .where(or_(messages.c.content_expires_at.is_(None), messages.c.content_expires_at > now))
    )
    await connection.execute(orphans.values(content_expires_at=now))
    return count


async def blobs_named(connection: AsyncConnection, keys: Sequence[str]) -> set[str]:
    """Those of these blob keys that a message or a bulk email still names."""
    statement = select(messages.c.blob).where(messages.c.blob.in_(keys), messages.c.blob != "")
    return set(await connection.scalars(statement)) | await bulk_emails.blobs_named(connection, keys)
