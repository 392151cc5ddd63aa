"""Brings a database to the newest tables."""

from __future__ import annotations

from importlib import import_module

from sqlalchemy import text

from postroom.runtime.clock import Clock
from postroom.runtime.killpoints import reach
from postroom.store import partitions, revision
from postroom.store.database import Database

LOCK = 0x506F7374
"""Of PostgreSQL's advisory locks: one node migrates, the others wait for it and find nothing to do."""


async def upgrade(database: Database) -> list[str]:
    """Run every step that is missing, all in one transaction. Returns the revisions applied, oldest first.

    Raises ConfigError when the database belongs to a newer version of Postroom.
    """
    applied = [] if await revision.current(database) == revision.NEWEST else await _upgrade(database)
    await partitions.ensure(database, Clock().now_ms())
    return applied


async def _upgrade(database: Database) -> list[str]:
    # Alembic comes with a lot, and nearly every start finds nothing to do.
    steps = import_module("postroom.store.steps")
    async with database.write() as connection:
        if not database.sqlite:
            await connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
        applied: list[str] = await connection.run_sync(steps.run)
        reach("migrate.before_commit")
    reach("migrate.after_commit")
    return applied
