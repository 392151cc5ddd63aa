"""Domains that go: deleted by their owner, or lost to another account (X06).

What they have in the queue is cancelled, in slices, and each email gets its event. Until that is done the row stays,
paused, so that nothing of it is sent meanwhile (see `holds`); whoever deletes begins, and `clean_up` goes on wherever
a process ended.
"""

from __future__ import annotations

from dataclasses import replace

from postroom.errors import NotFoundError
from postroom.runtime.clock import Clock
from postroom.store import domain_belongings, interventions
from postroom.store import domains as store
from postroom.store.database import Database
from postroom.store.domains import Domain
from postroom.tenancy import domains, holds
from postroom.types.actor import Actor

EVERY = 5.0
"""Seconds between two looks for what is left to do."""
STRAGGLERS_MS = 60_000
"""So long after a domain is deleted a node may still accept for it, from its cache."""


async def delete(db: Database, domain_id: str, *, by: Actor, retention: float) -> None:
    """With its keys, SMTP users, tokens, webhooks and suppressions; what is queued is cancelled, but for attempts under
    way. `retention`: for how many seconds content is kept then. Raises NotFoundError."""
    now = Clock().now_ms()
    async with db.write() as connection:
        before = await store.lock(connection, domain_id)
        if before is None:
            raise NotFoundError(f"there is no domain {domain_id}")
        await domain_belongings.remove(connection, before.account_id, domain_id)
        gone = replace(before, verified_at=None, send_paused=True, deleted_at=now)
        await store.change(connection, domain_id, verified_at=None, send_paused=True, deleted_at=now)
        await domains.record(connection, by, "deleted", before, None)
    await _cancel(db, gone, retention)


async def clean_up(db: Database, retention: float) -> None:
    """Cancel what deleted and lost domains have in the queue, and forget the deleted ones when nothing is left. Cheap
    while there are none."""
    async with db.read() as connection:
        found = await store.leaving(connection)
    now = Clock().now_ms()
    for domain in found:
        await _cancel(db, domain, retention)
        if now - (domain.deleted_at or domain.failing_since or 0) >= STRAGGLERS_MS:
            await _finish(db, domain)


async def _finish(db: Database, domain: Domain) -> None:
    async with db.write() as connection:
        if await interventions.waits(connection, domain.account_id, domain.id):
            return  # an attempt is under way
        if domain.deleted_at is not None:
            await store.remove(connection, domain.id)
        else:
            await store.change(connection, domain.id, failing_since=None)


async def _cancel(db: Database, domain: Domain, retention: float) -> None:
    async with db.read() as connection:
        if not await interventions.waits(connection, domain.account_id, domain.id):
            return
    reason = "domain_lost" if domain.deleted_at is None else "domain_deleted"
    await holds.in_slices(
        db,
        lambda connection, now, after: interventions.cancel_domain(
            connection,
            domain.account_id,
            domain.id,
            now,
            after,
            reason=reason,
            content_expires_at=now + round(retention * 1000),
        ),
    )
