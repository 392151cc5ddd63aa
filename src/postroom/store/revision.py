"""Which version the tables of a database are of, and whether this program is made for it."""

from __future__ import annotations

from sqlalchemy import Connection, inspect, text

from postroom.errors import ConfigError
from postroom.store.database import Database

NEWEST = "0019"
"""The last step in `migrations`."""


async def current(database: Database) -> str | None:
    """The revision of the database; None when it has no tables yet."""
    async with database.read() as connection:
        return await connection.run_sync(of)


async def check(database: Database) -> None:
    """Raises ConfigError when the tables are not those of this version."""
    revision = await current(database)
    if revision == NEWEST:
        return
    if revision is not None and revision > NEWEST:
        raise newer(revision)
    there = f"is at revision {revision}" if revision else "has no tables yet"
    raise ConfigError(
        f"the database {there}, and this version of Postroom needs {NEWEST}: "
        "start `postroom serve` or run `postroom migrate`"
    )


def newer(revision: str | None) -> ConfigError:
    return ConfigError(
        f"the database has the revision {revision}, which this version of Postroom does not know: "
        "it was used with a newer one"
    )


def of(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return found
