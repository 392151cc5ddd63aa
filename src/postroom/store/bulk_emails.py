"""Bulk emails: accepted whole, then processed a group of objects at a time.

Who processes takes a batch for one group (`claim`), and gives it back with what became of the group (`advance`). Both
are one transaction. A worker that was thought dead finds its batch moved on, and changes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, and_, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from postroom.store.query import among, changed, columns, first, values
from postroom.store.schema import bulk_emails, bulk_groups

QUEUED, PROCESSING, COMPLETED, FAILED = "queued", "processing", "completed", "failed"


@dataclass(frozen=True, slots=True)
class BulkEmail:
    """Sent with a token (`token_id`) or by a user (`user_id`); the other one is "". `done` of `groups` are processed. `recipients` counts what was asked for, `suppressed` those who are sent nothing,
    `invalid` objects that became no message. `failure` says why it failed. `templates` is JSON, template id -> version id at accept. `busy_until` is
    on the steady scale."""

    account_id: str
    id: str
    token_id: str
    state: str
    objects: int
    groups: int
    recipients: int
    templates: str
    blob: str
    created_at: int
    updated_at: int
    done: int = 0
    suppressed: int = 0
    invalid: int = 0
    worker: str = ""
    busy_until: int = 0
    failure: str = ""
    user_id: str = ""


@dataclass(frozen=True, slots=True)
class BulkGroup:
    """Objects from the position `first` on, as a JSON array in zstd: `body`, or `octets` from `offset` on in the blob.

    `result` is JSON in zstd, and None until the group is done."""

    account_id: str
    bulk_email_id: str
    number: int
    first: int
    offset: int
    octets: int
    body: bytes | None = field(default=None, repr=False)
    result: bytes | None = field(default=None, repr=False)


_BULK = select(*columns(BulkEmail, bulk_emails))
_WAITING = and_(bulk_emails.c.state != COMPLETED, bulk_emails.c.state != FAILED)


async def add(connection: AsyncConnection, bulk: BulkEmail, groups: Sequence[BulkGroup]) -> None:
    await connection.execute(insert(bulk_emails).values(values(bulk)))
    await connection.execute(insert(bulk_groups), [values(group) for group in groups])


async def get(connection: AsyncConnection, account_id: str, bulk_id: str) -> BulkEmail | None:
    return await first(connection, BulkEmail, _BULK.where(_one(account_id, bulk_id)))


async def results(connection: AsyncConnection, account_id: str, bulk_id: str) -> list[bytes]:
    """What became of the groups that are done, in their order."""
    statement = select(bulk_groups.c.result).where(
        bulk_groups.c.account_id == account_id,
        bulk_groups.c.bulk_email_id == bulk_id,
        bulk_groups.c.result.is_not(None),
    )
    return list(await connection.scalars(statement.order_by(bulk_groups.c.number)))


async def group(connection: AsyncConnection, bulk: BulkEmail) -> BulkGroup | None:
    """The next one that is to be processed."""
    statement = select(*columns(BulkGroup, bulk_groups))
    return await first(connection, BulkGroup, statement.where(_group(bulk)))


async def waiting(connection: AsyncConnection, now: int) -> bool:
    """Whether there is a batch to claim. `now` is on the steady scale."""
    statement = select(bulk_emails.c.id).where(_WAITING, bulk_emails.c.busy_until <= now)
    return (await connection.execute(statement.limit(1))).first() is not None


async def claim(
    connection: AsyncConnection, worker: str, after: str, now: int, until: int
) -> BulkEmail | None:
    """The oldest free batch of the next account behind `after`, round and round, is `worker`'s until `until`; None when
    all are busy or done. `now` and `until` are on the steady scale."""
    free = (_WAITING, bulk_emails.c.busy_until <= now)
    order = (bulk_emails.c.account_id, bulk_emails.c.id)
    for range_ in (bulk_emails.c.account_id > after, bulk_emails.c.account_id <= after):
        statement = _BULK.where(*free, range_).order_by(*order).limit(1)
        found = await first(connection, BulkEmail, statement.with_for_update(skip_locked=True))
        if found is not None:
            new = {"state": PROCESSING, "worker": worker, "busy_until": until}
            await connection.execute(update(bulk_emails).where(_one(found.account_id, found.id)).values(new))
            return found
    return None


async def advance(
    connection: AsyncConnection, bulk: BulkEmail, worker: str, result: bytes, now: int, **counted: int
) -> bool:
    """The group at which `bulk` stands is done: `result` is kept in place of its body, the counts rise, and the batch is
    free again; or completed, and names no blob any more. False, and nothing changed, when somebody else has taken it. `now` by the wall clock."""
    completed = bulk.done + 1 == bulk.groups
    new: dict[str, Any] = {
        "done": bulk.done + 1,
        "state": COMPLETED if completed else PROCESSING,
        "blob": "" if completed else bulk.blob,
        "worker": "",
        "busy_until": 0,
        "updated_at": now,
        **{name: bulk_emails.c[name] + number for name, number in counted.items()},
    }
    mine = (_one(bulk.account_id, bulk.id), bulk_emails.c.worker == worker, bulk_emails.c.done == bulk.done)
    if not await changed(connection, update(bulk_emails).where(*mine).values(new)):
        return False
    await connection.execute(update(bulk_groups).where(_group(bulk)).values(body=None, result=result))
    return True


async def postpone(connection: AsyncConnection, bulk: BulkEmail, worker: str, until: int) -> None:
    """Leave the batch where it stands; nobody touches it before `until`, on the steady scale."""
    mine = (_one(bulk.account_id, bulk.id), bulk_emails.c.worker == worker)
    await connection.execute(update(bulk_emails).where(*mine).values(worker="", busy_until=until))


async def fail(
    connection: AsyncConnection, bulk: BulkEmail, worker: str, failure: str, result: bytes, now: int
) -> bool:
    """The batch ends where it stands, and names no blob any more; `result` is that of the group at which it stands. False, and nothing changed, when somebody else has
    taken it. `now` by the wall clock."""
    mine = (_one(bulk.account_id, bulk.id), bulk_emails.c.worker == worker, bulk_emails.c.done == bulk.done)
    new = {
        "state": FAILED,
        "failure": failure,
        "blob": "",
        "worker": "",
        "busy_until": 0,
        "updated_at": now,
    }
    if not await changed(connection, update(bulk_emails).where(*mine).values(new)):
        return False
    await connection.execute(update(bulk_groups).where(_group(bulk)).values(result=result))
    return True


async def free_all(connection: AsyncConnection) -> None:
    """SQLite: whoever holds the data directory's lock is alone, so nobody else works on anything."""
    await connection.execute(update(bulk_emails).where(_WAITING).values(worker="", busy_until=0))


async def blobs_named(connection: AsyncConnection, keys: Sequence[str]) -> set[str]:
    """Those of these blob keys that a batch still names."""
    statement = select(bulk_emails.c.blob).where(bulk_emails.c.blob.in_(keys), bulk_emails.c.blob != "")
    return set(await connection.scalars(statement))


async def delete_old(connection: AsyncConnection, before: str, limit: int) -> int:
    """Delete batches that have ended and whose id is smaller, at most `limit`; how many."""
    old = select(bulk_emails.c.account_id, bulk_emails.c.id).where(
        bulk_emails.c.id < before, bulk_emails.c.state.in_([COMPLETED, FAILED])
    )
    keys = [(account_id, bulk_id) for account_id, bulk_id in await connection.execute(old.limit(limit))]
    theirs = among(connection, keys, bulk_groups.c.account_id, bulk_groups.c.bulk_email_id)
    await connection.execute(delete(bulk_groups).where(theirs))
    return await changed(
        connection,
        delete(bulk_emails).where(among(connection, keys, bulk_emails.c.account_id, bulk_emails.c.id)),
    )


def _one(account_id: str, bulk_id: str) -> ColumnElement[bool]:
    return and_(bulk_emails.c.account_id == account_id, bulk_emails.c.id == bulk_id)


def _group(bulk: BulkEmail) -> ColumnElement[bool]:
    return and_(
        bulk_groups.c.account_id == bulk.account_id,
        bulk_groups.c.bulk_email_id == bulk.id,
        bulk_groups.c.number == bulk.done,
    )
