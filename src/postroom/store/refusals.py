"""The log of refused attempts, aggregated: the same refusal of the same client counts up within an hour."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import ColumnElement, func, or_, select, tuple_
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from postroom.runtime import ids
from postroom.store import credentials
from postroom.store.query import columns, every, is_sqlite, slices, values, within
from postroom.store.schema import refusals

HOUR = 3_600_000
KEY = ("account_id", "hour", "rule", "credential", "client", "header_from")


@dataclass(frozen=True, slots=True)
class Refusal:
    """One refused attempt, or several alike. `account_id` is empty before login; `recipients` as far as known."""

    id: str
    account_id: str
    hour: int
    rule: str
    credential: str
    client: str
    sender: str
    header_from: str
    recipients: str
    reply: str
    count: int
    first_at: int
    last_at: int

    @property
    def key(self) -> tuple[Any, ...]:
        return tuple(getattr(self, name) for name in KEY)


def new(
    rule: str,
    at: int,
    *,
    reply: str,
    account_id: str = "",
    credential: str = "",
    client: str = "",
    sender: str = "",
    header_from: str = "",
    recipients: str = "",
) -> Refusal:
    """A refusal that happens now. What strangers sent is cut to the columns' widths."""
    return Refusal(
        id=ids.mail_id(at),
        account_id=account_id,
        hour=at // HOUR,
        rule=rule,
        credential=credential[:320],
        client=client[:64],
        sender=sender[:320],
        header_from=header_from[:320],
        recipients=recipients[:1000],
        reply=reply,
        count=1,
        first_at=at,
        last_at=at,
    )


async def record(connection: AsyncConnection, rows: Sequence[Refusal]) -> None:
    """Add refusals to the log, or to the count of what is there.

    A login that failed has a username, and no account: it gets that of the SMTP user, if there is one. Here, and not when
    it failed: how long a reply takes must not tell which users exist.
    """
    merged: dict[tuple[Any, ...], Refusal] = {}
    for row in await _attributed(connection, rows):
        known = merged.get(row.key)
        merged[row.key] = (
            row if known is None else replace(known, count=known.count + row.count, last_at=row.last_at)
        )
    insert = sqlite.insert if is_sqlite(connection) else postgresql.insert
    # In one order, so that two nodes can wait for each other, never deadlock.
    for part in slices([merged[key] for key in sorted(merged)], 100):
        statement = insert(refusals).values([values(row) for row in part])
        new = statement.excluded
        add_up = {"count": refusals.c.count + new.count, "last_at": new.last_at, "reply": new.reply}
        await connection.execute(statement.on_conflict_do_update(index_elements=KEY, set_=add_up))


async def _attributed(connection: AsyncConnection, rows: Sequence[Refusal]) -> list[Refusal]:
    tried = {row.credential.lower() for row in rows if row.credential and not row.account_id}
    if not tried:
        return list(rows)
    owners: dict[str, str] = {}
    for part in slices(sorted(tried), 500):
        owners |= await credentials.accounts_of(connection, part)
    return [
        replace(row, account_id=owners[name], credential=name)
        if not row.account_id and (name := row.credential.lower()) in owners
        else row
        for row in rows
    ]


@dataclass(frozen=True, slots=True)
class RefusalFilter:
    """Refused last from `start` up to, but not at, `end` (milliseconds). None: whatever it is.

    `credentials` are usernames and ids. `text` is contained, in any case, in an address, the recipients, the reply,
    or who logged in.
    """

    account_id: str
    start: int
    end: int
    credentials: Collection[str] | None = None
    rules: Collection[str] | None = None
    client: str | None = None
    text: str | None = None


async def of_account(
    connection: AsyncConnection, wanted: RefusalFilter, *, offset: int, limit: int
) -> list[Refusal]:
    """The latest first, from number `offset` on. The hour is that of both its times, so it may lead the order: the rows
    of an account are found in the order of their hours."""
    statement = (
        select(*columns(Refusal, refusals))
        .where(*_which(wanted))
        .order_by(refusals.c.hour.desc(), refusals.c.last_at.desc(), refusals.c.id.desc())
        .offset(offset)
        .limit(limit)
    )
    return await every(connection, Refusal, statement)


async def hourly(connection: AsyncConnection, wanted: RefusalFilter) -> dict[int, int]:
    """Attempts, by the hour (hours since 1970)."""
    number = func.sum(refusals.c.count)
    statement = select(refusals.c.hour, number).where(*_which(wanted)).group_by(refusals.c.hour)
    return {hour: int(count) for hour, count in await connection.execute(statement)}


def _which(wanted: RefusalFilter) -> list[ColumnElement[bool]]:
    which = [
        refusals.c.account_id == wanted.account_id,
        refusals.c.hour >= wanted.start // HOUR,
        refusals.c.hour <= wanted.end // HOUR,
        refusals.c.last_at >= wanted.start,
        refusals.c.last_at < wanted.end,
        within(refusals.c.credential, wanted.credentials),
        within(refusals.c.rule, wanted.rules),
    ]
    if wanted.client is not None:
        which.append(refusals.c.client == wanted.client)
    if wanted.text is not None:
        told = ("header_from", "sender", "recipients", "reply", "credential")
        which.append(or_(*(refusals.c[name].icontains(wanted.text, autoescape=True) for name in told)))
    return which


async def page(
    connection: AsyncConnection,
    *,
    account_id: str | None = None,
    rule: str | None = None,
    since: int = 0,
    before: tuple[int, str] | None = None,
    limit: int = 100,
) -> list[Refusal]:
    """The latest first; `before` is (last_at, id) of the last page's end."""
    statement = (
        select(*columns(Refusal, refusals))
        .where(refusals.c.last_at >= since)
        .order_by(refusals.c.last_at.desc(), refusals.c.id.desc())
        .limit(limit)
    )
    if account_id is not None:
        statement = statement.where(refusals.c.account_id == account_id)
    if rule is not None:
        statement = statement.where(refusals.c.rule == rule)
    if before is not None:
        statement = statement.where(tuple_(refusals.c.last_at, refusals.c.id) < before)
    return await every(connection, Refusal, statement)
