"""The steps to the newest tables, with Alembic. There is no alembic.ini and no env.py: this is both."""

from __future__ import annotations

from typing import Any

from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.script import ScriptDirectory
from alembic.script.revision import RevisionError
from sqlalchemy import Connection

from postroom.store import revision
from postroom.store.schema import metadata


def run(connection: Connection) -> list[str]:
    """Run every step that is missing, in the transaction that is open. Returns the revisions applied, oldest first.

    Raises ConfigError when the database belongs to a newer version of Postroom.
    """
    missing = pending(revision.of(connection))
    if missing:
        script = _script()

        def steps(at: Any, _context: Any) -> Any:
            return script._upgrade_revs("head", at)

        with EnvironmentContext(Config(), script, fn=steps) as environment:
            # SQLite's tables change inside the transaction that is open; Alembic would not rely on it.
            environment.configure(connection=connection, target_metadata=metadata, transactional_ddl=True)
            environment.run_migrations()
    return missing


def pending(at: str | None) -> list[str]:
    """The revisions behind this one, oldest first. Raises ConfigError like `run`."""
    try:
        steps = list(_script().iterate_revisions("heads", at or "base"))
    except RevisionError:
        raise revision.newer(at) from None
    return [step.revision for step in reversed(steps)]


def _script() -> ScriptDirectory:
    config = Config()
    config.set_main_option("script_location", "postroom.store:migrations")
    config.set_main_option("path_separator", "os")
    return ScriptDirectory.from_config(config)
