"""Does a commit survive a power cut? Settings of the database that would break the promise (Q08)."""

from __future__ import annotations

from postroom.errors import ConfigError
from postroom.store.database import Database

_SQLITE = {"journal_mode": "wal", "synchronous": "2"}
_POSTGRESQL = {"fsync": "on", "full_page_writes": "on", "synchronous_commit": "on"}
_UNLOGGED = """
SELECT relname FROM pg_class WHERE relnamespace = current_schema()::regnamespace AND relkind = 'r'
    AND relpersistence = 'u' ORDER BY relname"""


def wanted(database: Database) -> dict[str, str]:
    """The settings that matter, with the values they must have."""
    return _SQLITE if database.sqlite else _POSTGRESQL


async def found(database: Database) -> dict[str, str]:
    """The same settings as they are on a connection that writes."""
    query = "PRAGMA {}" if database.sqlite else "SHOW {}"
    async with database.write() as connection:
        return {
            setting: str((await connection.exec_driver_sql(query.format(setting))).scalar())
            for setting in wanted(database)
        }


async def weakness(database: Database) -> str:
    """Like "fsync is off"; "" when a commit is a commit."""
    values = await found(database)
    wrong = [
        f"{setting} is {values[setting]}"
        for setting, value in wanted(database).items()
        if values[setting] != value
    ]
    wrong += [f"table {name} is unlogged" for name in await _unlogged(database)]
    return "; ".join(wrong)


async def _unlogged(database: Database) -> list[str]:
    """Tables that a crash of the server empties."""
    if database.sqlite:
        return []
    async with database.read() as connection:
        return list((await connection.exec_driver_sql(_UNLOGGED)).scalars())


async def check(database: Database) -> None:
    """Raises ConfigError when a power cut could take back what was acknowledged."""
    if wrong := await weakness(database):
        raise ConfigError(
            f"the database may lose what it has committed: {wrong}. Accepted means kept, so mend that."
        )
