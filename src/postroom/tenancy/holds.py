"""Holding back and releasing what is queued, in slices: a transaction each, for there may be a million rows, and nobody
else can write meanwhile.

A pause is decided by the column `domains.send_paused`, and a suspension by `accounts.state`, whatever the rows say: what
is claimed or about to be sent meanwhile is held then (`deliver`), and what is held afterwards is released by
`release_resumed`. So neither a node that learns of the change a second later, nor the end of a process between two
slices, leaves anything behind.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from sqlalchemy.ext.asyncio import AsyncConnection

from postroom.runtime.clock import Clock
from postroom.store import interventions, queue
from postroom.store.database import Database
from postroom.types.status import Hold

EVERY = 5.0
"""Seconds between two looks for what was left behind."""

Step = Callable[[AsyncConnection, int, str], Awaitable[str | None]]
"""One slice, given the time and where it begins; where the next one begins, or None."""


async def in_slices(db: Database, step: Step) -> None:
    after: str | None = ""
    while after is not None:
        async with db.write() as connection:
            after = await step(connection, Clock().now_ms(), after)


async def hold_domain(db: Database, account_id: str, domain_id: str) -> None:
    """What is queued, but for attempts under way."""
    await in_slices(
        db, lambda connection, *at: interventions.hold_domain(connection, account_id, domain_id, *at)
    )


async def release_domain(db: Database, account_id: str, domain_id: str) -> None:
    await in_slices(
        db, lambda connection, *at: interventions.release_domain(connection, account_id, domain_id, *at)
    )


async def hold_account(db: Database, account_id: str) -> None:
    """What is queued, but for attempts under way."""
    await in_slices(
        db, lambda connection, *at: interventions.hold_account(connection, account_id, Hold.SUSPENDED, *at)
    )


async def release_account(db: Database, account_id: str) -> None:
    await in_slices(
        db, lambda connection, *at: interventions.release_account(connection, account_id, Hold.SUSPENDED, *at)
    )


async def release_resumed(db: Database) -> None:
    """What was held by somebody who did not know yet that its domain had been resumed, or its account's suspension
    lifted; or is left of a release that was cut off. Cheap while there is nothing to do."""
    async with db.read() as connection:
        domains = await queue.resumed(connection)
        accounts = await queue.unsuspended(connection)
    for account_id, domain_id in domains:
        await release_domain(db, account_id, domain_id)
    for account_id in accounts:
        await release_account(db, account_id)
