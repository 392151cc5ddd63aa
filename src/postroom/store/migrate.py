"""Brings a database to the newest tables, with Alembic. There is no alembic.ini and no env.py: this is both."""

from __future__ import annotations

from typing import Any

from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.runtime.environment import EnvironmentContext
from alembic.script import ScriptDirectory
from alembic.script.revision import RevisionError
from sqlalchemy import Connection, text

from postroom.errors import ConfigError
from postroom.runtime.clock import Clock
from postroom.runtime.killpoints import reach
from postroom.store import partitions
from postroom.store.database import Database
from postroom.store.schema import metadata

LOCK = 0x506F7374
"""Of PostgreSQL's advisory locks: one node migrates, the others wait for it and find nothing to do."""


async def upgrade(database: Database) -> list[str]:
    """Run every step that is missing, all in one transaction. Returns the revisions applied, oldest first.

    Raises ConfigError when the database belongs to a newer version of Postroom.
    """
    async with database.write() as connection:
        if not database.sqlite:
            await connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
        applied = await connection.run_sync(_upgrade)
        reach("migrate.before_commit")
    reach("migrate.after_commit")
    await partitions.ensure(database, Clock().now_ms())
    return applied


async def current(database: Database) -> str | None:
    """The revision of the database; None when it has no tables yet."""
    async with database.read() as connection:
        return await connection.run_sync(_current)


async def pending(database: Database) -> list[str]:
    """The revisions that `upgrade` would apply. Raises ConfigError like it."""
    return _missing(await current(database))


async def check(database: Database) -> None:
    """Raises ConfigError when the tables are not those of this version."""
    if missing := await pending(database):
        raise ConfigError(
            f"the database lacks the changes {', '.join(missing)}: start `postroom serve` or run `postroom migrate`"
        )


def _current(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _upgrade(connection: Connection) -> list[str]:
    missing = _missing(_current(connection))
    if missing:
        script = _script()

        def steps(revision: Any, _context: Any) -> Any:
            return script._upgrade_revs("head", revision)

        with EnvironmentContext(Config(), script, fn=steps) as environment:
            # SQLite's tables change inside the transaction that is open; Alembic would not rely on it.
            environment.configure(connection=connection, target_metadata=metadata, transactional_ddl=True)
            environment.run_migrations()
    return missing


def _missing(revision: str | None) -> list[str]:
    try:
        steps = list(_script().iterate_revisions("heads", revision or "base"))
    except RevisionError:
        raise ConfigError(
            f"the database has the revision {revision}, which this version of Postroom does not know: "
            "it was used with a newer one"
        ) from None
    return [step.revision for step in reversed(steps)]


def _script() -> ScriptDirectory:
    config = Config()
    config.set_main_option("script_location", "postroom.store:migrations")
    config.set_main_option("path_separator", "os")
    return ScriptDirectory.from_config(config)
