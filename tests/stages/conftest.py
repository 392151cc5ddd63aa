from support.databases import (
    database,
    database_url,
    migrated_postgres_url,
    sqlite_database,
    sqlite_template,
    sqlite_url,
)

__all__ = [
    "database",
    "database_url",
    "migrated_postgres_url",
    "sqlite_database",
    "sqlite_template",
    "sqlite_url",
]
