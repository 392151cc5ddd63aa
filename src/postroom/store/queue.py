"""The queue: one row per recipient that is not final.

A row that waits for somebody (`hold` is not empty) is due at its expiry: until then nobody claims it, and then it
ends as expired like any other. One that is paused is never due: a pause ends when its owner says so. One that waits
for a time (quota, scheduled) is due then, and claiming it ends the hold. What people do to rows (retry, cancel, hold, release) is in `interventions`.

`due_at` and `expires_at` are stored on a scale of their own (`timescale`). What is for people (`QueueItem`,
`QueueCount`) is in wall time; the others take and give what is stored.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from sqlalchemy import Column, ColumnElement, Select, and_, func, literal_column, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from postroom.store.query import among, changed, columns, every, first, within
from postroom.store.schema import accounts, domains, emails, queue
from postroom.store.timescale import correction

AT_ONCE, NEVER = 0, 1 << 62
"""A `due_at` that is over by any clock, and one that does not come."""

PAUSED_ROW: ColumnElement[bool] = queue.c.hold == literal_column("'paused'")
"""Written out: with a parameter in its place no database would find the index of these rows."""

By = Literal["site", "domain", "account"]


@dataclass(frozen=True, slots=True)
class QueueItem:
    """A queue row with its recipient. `owner` 0: nobody; `mark` is the number of the attempt under way, or 0; `due_at` may
    be AT_ONCE or NEVER."""

    account_id: str
    email_id: str
    message_id: str
    domain_id: str
    site: str
    lane: int
    owner: int
    due_at: int
    expires_at: int
    attempts: int
    mark: int
    unfinished: int
    hold: str
    recipient: str
    reply: str


@dataclass(frozen=True, slots=True)
class QueueCount:
    """Rows of one site, domain or account: all of them, how many are held or under way, and the soonest."""

    name: str
    emails: int
    held: int
    under_way: int
    next_due_at: int


_EMAIL = and_(emails.c.account_id == queue.c.account_id, emails.c.id == queue.c.email_id)
_ITEMS: Select[Any] = select(*columns(QueueItem, queue, emails)).select_from(queue.join(emails, _EMAIL))


async def show(connection: AsyncConnection, email_id: str) -> QueueItem | None:
    """Whatever account it belongs to: for the operator."""
    mine = queue.c.account_id.in_(select(accounts.c.id))
    item = await first(connection, QueueItem, _ITEMS.where(mine, queue.c.email_id == email_id))
    return None if item is None else _in_wall_time(item, await correction(connection))


async def soonest(connection: AsyncConnection, *, limit: int = 100) -> list[QueueItem]:
    """The rows that are due first."""
    statement = _ITEMS.order_by(queue.c.due_at, queue.c.email_id).limit(limit)
    corrected = await correction(connection)
    return [_in_wall_time(item, corrected) for item in await every(connection, QueueItem, statement)]


def _in_wall_time(item: QueueItem, corrected: int) -> QueueItem:
    return replace(
        item, due_at=_due_in_wall_time(item.due_at, corrected), expires_at=item.expires_at - corrected
    )


def _due_in_wall_time(due_at: int, corrected: int) -> int:
    return due_at if due_at in (AT_ONCE, NEVER) else due_at - corrected


async def size(connection: AsyncConnection) -> int:
    """Emails that are not final."""
    return int(await connection.scalar(select(func.count()).select_from(queue)) or 0)


async def counts(connection: AsyncConnection, by: By) -> list[QueueCount]:
    """The largest first. Domains and accounts are named by their names."""
    names: dict[By, tuple[Column[Any], Any]] = {
        "site": (queue.c.site, queue),
        "domain": (domains.c.name, queue.join(domains, domains.c.id == queue.c.domain_id)),
        "account": (accounts.c.name, queue.join(accounts, accounts.c.id == queue.c.account_id)),
    }
    name, source = names[by]
    number = func.count()
    statement = (
        select(
            name,
            number,
            func.count().filter(queue.c.hold != ""),
            func.count().filter(queue.c.mark > 0),
            func.min(queue.c.due_at),
        )
        .select_from(source)
        .group_by(name)
        .order_by(number.desc(), name)
    )
    corrected = await correction(connection)
    return [
        replace(count, next_due_at=_due_in_wall_time(count.next_due_at, corrected))
        for count in await every(connection, QueueCount, statement)
    ]


_RESUMED = """
WITH RECURSIVE hop(domain_id) AS (
    SELECT min(domain_id) FROM queue WHERE hold = 'paused'
    UNION ALL
    SELECT (SELECT min(domain_id) FROM queue WHERE hold = 'paused' AND domain_id > hop.domain_id)
    FROM hop WHERE hop.domain_id IS NOT NULL)
SELECT d.account_id, d.id FROM hop JOIN domains d ON d.id = hop.domain_id WHERE NOT d.send_paused
"""


async def resumed(connection: AsyncConnection) -> list[tuple[str, str]]:
    """(account id, domain id) of the domains that have paused rows and are not paused any more."""
    return [(account_id, domain_id) for account_id, domain_id in await connection.execute(text(_RESUMED))]


@dataclass(frozen=True, slots=True)
class Backlog:
    """What waits of an account's mail. `held` has the numbers by `Hold`; `oldest` is the email that waits longest for
    nothing but its next attempt, None if there is none."""

    emails: int
    held: dict[str, int]
    oldest: str | None


async def backlog(
    connection: AsyncConnection, account_id: str, domains: Collection[str] | None, most: int
) -> Backlog:
    """Among the oldest `most` rows of the account; with `domains` only what those sent."""
    mine = (queue.c.account_id == account_id, within(queue.c.domain_id, domains))
    oldest = select(queue.c.email_id, queue.c.hold).where(*mine).order_by(queue.c.email_id).limit(most)
    page = oldest.subquery()
    counted = select(page.c.hold, func.count(), func.min(page.c.email_id)).group_by(page.c.hold)
    rows = {hold: (count, first) for hold, count, first in await connection.execute(counted)}
    held = {hold: count for hold, (count, _) in rows.items() if hold}
    return Backlog(sum(count for count, _ in rows.values()), held, rows.get("", (0, None))[1])


_UNSUSPENDED = """
WITH RECURSIVE hop(account_id) AS (
    SELECT min(account_id) FROM queue WHERE hold = 'suspended'
    UNION ALL
    SELECT (SELECT min(account_id) FROM queue WHERE hold = 'suspended' AND account_id > hop.account_id)
    FROM hop WHERE hop.account_id IS NOT NULL)
SELECT a.id FROM hop JOIN accounts a ON a.id = hop.account_id WHERE a.state <> 'suspended'
"""


async def unsuspended(connection: AsyncConnection) -> list[str]:
    """The accounts that have rows held because they are suspended, and are not any more."""
    return list(await connection.scalars(text(_UNSUSPENDED)))


async def paused_messages(connection: AsyncConnection, account_id: str, domain_id: str, most: int) -> int:
    """How many messages of a domain are paused, among the first `most` of its paused rows."""
    mine = (queue.c.account_id == account_id, queue.c.domain_id == domain_id, PAUSED_ROW)
    page = select(queue.c.message_id).where(*mine).limit(most).subquery()
    return int(await connection.scalar(select(func.count(page.c.message_id.distinct()))) or 0)


async def account_after(connection: AsyncConnection, account_id: str) -> str | None:
    """The next account, in the order of their ids, that has rows."""
    account: str | None = await connection.scalar(
        select(func.min(queue.c.account_id)).where(queue.c.account_id > account_id)
    )
    return account


async def sites(
    connection: AsyncConnection, account_id: str, after: str, limit: int
) -> tuple[dict[str, int], str]:
    """Rows per site among the next `limit` rows of an account behind email `after`, and the last of them.

    A slice, because counting a million rows at once is a read that holds up the write-ahead log.
    """
    mine = (queue.c.account_id == account_id, queue.c.email_id > after)
    page = (
        select(queue.c.site, queue.c.email_id).where(*mine).order_by(queue.c.email_id).limit(limit).subquery()
    )
    statement = select(page.c.site, func.count(), func.max(page.c.email_id)).group_by(page.c.site)
    rows = (await connection.execute(statement)).all()
    return {site: count for site, count, _ in rows}, max((last for _, _, last in rows), default=after)


# Distinct accounts by hopping along ix_queue_claim (owner, account_id, due_at): one step for each account, however
# many rows it has. Neither database does that for a DISTINCT.
_HOPS = """
WITH RECURSIVE hop(account_id) AS (
    SELECT min(account_id) FROM queue WHERE owner = :owner AND account_id > :after
    UNION ALL
    SELECT (SELECT min(account_id) FROM queue WHERE owner = :owner AND account_id > hop.account_id)
    FROM hop WHERE hop.account_id IS NOT NULL)
"""
_WAITING = """
SELECT account_id FROM hop WHERE account_id IS NOT NULL AND EXISTS (
    SELECT 1 FROM queue WHERE owner = :owner AND account_id = hop.account_id AND due_at <= :now)
LIMIT :limit
"""
_SOONEST_DUE = """
SELECT min((SELECT min(due_at) FROM queue WHERE owner = :owner AND account_id = hop.account_id))
FROM hop WHERE account_id IS NOT NULL
"""


async def accounts_waiting(
    connection: AsyncConnection, free_owners: Sequence[int], now: int, after: str, limit: int
) -> list[str]:
    """Accounts behind `after`, in order, that have due rows owned by one of `free_owners` (0, dead incarnations)."""
    found: set[str] = set()
    for owner in free_owners:
        values = {"owner": owner, "after": after, "now": now, "limit": limit}
        found.update(await connection.scalars(text(_HOPS + _WAITING), values))
    return sorted(found)[:limit]


async def due_soonest(connection: AsyncConnection, owners: Sequence[int]) -> int | None:
    """When the next row of one of these owners is due; None when they have none."""
    statement = text(_HOPS + _SOONEST_DUE)
    times = [await connection.scalar(statement, {"owner": owner, "after": ""}) for owner in owners]
    return min((int(at) for at in times if at is not None), default=None)


async def owned(connection: AsyncConnection, owner: int, due_before: int) -> list[tuple[str, str]]:
    """(account id, email id) of what an owner should have dealt with before this time."""
    mine = (queue.c.owner == owner, queue.c.due_at < due_before)
    rows = await connection.execute(select(queue.c.account_id, queue.c.email_id).where(*mine))
    return [(account_id, email_id) for account_id, email_id in rows]


async def release(
    connection: AsyncConnection, owner: int, keys: Sequence[tuple[str, str]], due_before: int | None = None
) -> None:
    """Let go of these rows if this owner still has them, and with `due_before` only if it has them since then: what was
    due later is another attempt's. A mark stays, and counts as unfinished when claimed."""
    mine = [queue.c.owner == owner, among(connection, keys, queue.c.account_id, queue.c.email_id)]
    if due_before is not None:
        mine.append(queue.c.due_at < due_before)
    await connection.execute(update(queue).where(*mine).values(owner=0))


async def unmark(connection: AsyncConnection, owner: int, keys: Sequence[tuple[str, str]]) -> None:
    """These attempts of an owner were broken off before anything was sent: they never were."""
    mine = among(connection, keys, queue.c.account_id, queue.c.email_id)
    await connection.execute(update(queue).where(queue.c.owner == owner, mine).values(mark=0))


async def release_owner(connection: AsyncConnection, incarnation: int) -> int:
    """Let go of everything a node holds but attempts under way, when it stops in order; how many rows."""
    mine = (queue.c.owner == incarnation, queue.c.mark == 0)
    return await changed(connection, update(queue).where(*mine).values(owner=0))
