"""The audit log: appended to in the transaction of the change itself. `tenancy.audit` fills it.

Entries are never changed and never deleted: triggers of the database refuse both.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from postroom.runtime import ids
from postroom.store.query import columns, every, values
from postroom.store.schema import audit


@dataclass(frozen=True, slots=True)
class Entry:
    """`before` and `after` are JSON objects of the fields that differ, None where there is no object."""

    account_id: str
    id: str
    at: int
    actor_kind: str
    actor_id: str
    actor_name: str
    client: str
    action: str
    object_id: str
    object_name: str
    before: str | None
    after: str | None


async def add(connection: AsyncConnection, entry: Entry) -> None:
    await connection.execute(insert(audit).values(values(entry)))


async def count(
    connection: AsyncConnection,
    account_id: str,
    actions: Collection[str],
    *,
    since: str,
    name: str | None = None,
) -> int:
    """How often that happened; `since` is an id of mail data (`ids.earliest`), `name` the object's."""
    mine = (audit.c.account_id == account_id, audit.c.id >= since, audit.c.action.in_(sorted(actions)))
    statement = select(func.count()).select_from(audit).where(*mine)
    if name is not None:
        statement = statement.where(audit.c.object_name == name)
    return int(await connection.scalar(statement) or 0)


async def page(
    connection: AsyncConnection,
    account_id: str,
    *,
    object_id: str | None = None,
    actor_id: str | None = None,
    actor_kind: str | None = None,
    action: str | None = None,
    since: int | None = None,
    until: int | None = None,
    older_than: str | None = None,
    offset: int = 0,
    limit: int,
) -> list[Entry]:
    """The newest first. `action` may end in a dot: all verbs of that object. `since` <= at < `until` (milliseconds)."""
    statement = select(*columns(Entry, audit)).where(audit.c.account_id == account_id)
    equal = ((audit.c.object_id, object_id), (audit.c.actor_id, actor_id), (audit.c.actor_kind, actor_kind))
    for column, wanted in equal:
        if wanted is not None:
            statement = statement.where(column == wanted)
    if action is not None:
        whole = (
            audit.c.action.startswith(action, autoescape=True)
            if action.endswith(".")
            else audit.c.action == action
        )
        statement = statement.where(whole)
    if since is not None:  # an id begins with the time of its entry, and every index ends with the id
        statement = statement.where(audit.c.id >= ids.earliest(since))
    if until is not None:
        statement = statement.where(audit.c.id < ids.earliest(until))
    if older_than is not None:
        statement = statement.where(audit.c.id < older_than)
    return await every(connection, Entry, statement.order_by(audit.c.id.desc()).offset(offset).limit(limit))
