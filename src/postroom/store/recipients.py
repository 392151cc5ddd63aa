"""Recipients: whom a domain of an account has written to.

Accept writes nothing about them. They are gathered from the emails a few seconds later, in the order of their ids
(`events.recipients`), so the hot path pays nothing for lists that are rarely read. Somebody who is deleted keeps a row
that nobody sees: only mail that is newer brings them back, not the same mail seen once more.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import and_, case, delete, func, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from postroom.store.query import among, changed, columns, every, first, is_sqlite, values, within
from postroom.store.schema import accounts, emails, messages, recipient_marks, recipients

NEWEST = 10
"""Emails that a recipient's row remembers."""
ID = 24
"""The length of an email's id."""


@dataclass(frozen=True, slots=True)
class Recipient:
    """`updated_at` is when they were written to last; `newest` holds the ids of their newest emails, the newest first,
    separated by spaces."""

    account_id: str
    id: str
    domain_id: str
    email: str
    created_at: int
    updated_at: int
    newest: str = ""
    deleted_at: int | None = None


@dataclass(frozen=True, slots=True)
class Addressed:
    """What an accepted email says of its recipient."""

    id: str
    recipient: str
    created_at: int
    domain_id: str


_ALL = select(*columns(Recipient, recipients))
_THERE = recipients.c.deleted_at.is_(None)


def recipient_id(account_id: str, domain_id: str, address: str) -> str:
    """24 hex digits that are the same whenever this domain writes to this address.

    Told from what a recipient is, so nothing has to be looked up or stored when mail is accepted.
    """
    return hashlib.sha256("\n".join((account_id, domain_id, address)).encode()).hexdigest()[:24]


async def get(connection: AsyncConnection, account_id: str, recipient_id: str) -> Recipient | None:
    which = (recipients.c.account_id == account_id, recipients.c.id == recipient_id, _THERE)
    return await first(connection, Recipient, _ALL.where(*which))


async def load(connection: AsyncConnection, account_id: str, ids: Collection[str]) -> dict[str, Recipient]:
    """Those with these ids, by id; also deleted ones, for mail that was sent to them is still there."""
    which = (recipients.c.account_id == account_id, recipients.c.id.in_(sorted(ids)))
    return {one.id: one for one in await every(connection, Recipient, _ALL.where(*which))}


async def page(
    connection: AsyncConnection,
    account_id: str,
    *,
    domains: Collection[str] | None = None,
    offset: int = 0,
    limit: int = 100,
) -> list[Recipient]:
    """In order of their addresses; of these domains only, None: of all."""
    which = (recipients.c.account_id == account_id, within(recipients.c.domain_id, domains), _THERE)
    statement = _ALL.where(*which).order_by(recipients.c.email, recipients.c.id)
    return await every(connection, Recipient, statement.offset(offset).limit(limit))


async def remove(connection: AsyncConnection, account_id: str, recipient_id: str, now: int) -> bool:
    """False when there is no such recipient."""
    which = (recipients.c.account_id == account_id, recipients.c.id == recipient_id, _THERE)
    gone = {"deleted_at": now, "newest": ""}
    return await changed(connection, update(recipients).where(*which).values(gone)) == 1


async def put(connection: AsyncConnection, seen: Sequence[Recipient]) -> None:
    """Add those that are new; tell of the others when they were written to last, and by which emails."""
    if not seen:
        return
    statement = (sqlite.insert if is_sqlite(connection) else postgresql.insert)(recipients)
    new, latest = statement.excluded, func.max if is_sqlite(connection) else func.greatest
    back = or_(recipients.c.deleted_at.is_(None), new.updated_at > recipients.c.deleted_at)
    known = func.trim(new.newest + " " + recipients.c.newest)
    changes = {
        "updated_at": latest(recipients.c.updated_at, new.updated_at),
        "newest": case(
            (back, func.substr(known, 1, (ID + 1) * NEWEST - 1)),
            else_="",
        ),
        "deleted_at": case((back, None), else_=recipients.c.deleted_at),
    }
    key = [recipients.c.account_id, recipients.c.id]
    await connection.execute(
        statement.on_conflict_do_update(index_elements=key, set_=changes), [values(one) for one in seen]
    )


# -- gathering ------------------------------------------------------------------------------------------------------


async def behind(connection: AsyncConnection, before: str) -> list[str]:
    """The accounts with emails whose recipients have not been gathered; those with ids from `before` on do not count
    yet."""
    mark = func.coalesce(recipient_marks.c.email_id, "")
    newer = and_(emails.c.account_id == accounts.c.id, emails.c.id > mark, emails.c.id < before)
    statement = (
        select(accounts.c.id)
        .outerjoin_from(accounts, recipient_marks, recipient_marks.c.account_id == accounts.c.id)
        .where(select(emails.c.id).where(newer).exists())
        .order_by(accounts.c.id)
    )
    return list(await connection.scalars(statement))


async def addressed(
    connection: AsyncConnection, account_id: str, after: str, before: str, limit: int
) -> list[Addressed]:
    """What was accepted behind one id and before another, the oldest first."""
    message = and_(messages.c.account_id == account_id, messages.c.id == emails.c.message_id)
    statement = (
        select(*columns(Addressed, emails, messages))
        .join_from(emails, messages, message)
        .where(emails.c.account_id == account_id, emails.c.id > after, emails.c.id < before)
        .order_by(emails.c.id)
        .limit(limit)
    )
    return await every(connection, Addressed, statement)


async def lock(connection: AsyncConnection, account_id: str) -> str:
    """The last email seen of an account, which nobody else moves until the transaction ends."""
    insert = sqlite.insert if is_sqlite(connection) else postgresql.insert
    begin = insert(recipient_marks).values(account_id=account_id, email_id="")
    await connection.execute(begin.on_conflict_do_nothing())
    statement = select(recipient_marks.c.email_id).where(recipient_marks.c.account_id == account_id)
    return str(await connection.scalar(statement.with_for_update()))


async def mark(connection: AsyncConnection, account_id: str, email_id: str) -> None:
    mine = recipient_marks.c.account_id == account_id
    await connection.execute(update(recipient_marks).where(mine).values(email_id=email_id))


async def delete_old(connection: AsyncConnection, before: int, limit: int) -> int:
    """Delete those who have not been written to since this time, at most so many; how many there were."""
    old = (
        select(recipients.c.account_id, recipients.c.id)
        .where(recipients.c.updated_at < before)
        .order_by(recipients.c.updated_at)
        .limit(limit)
    )
    keys = [(account_id, id_) for account_id, id_ in await connection.execute(old)]
    mine = among(connection, keys, recipients.c.account_id, recipients.c.id)
    return await changed(connection, delete(recipients).where(mine))
