from support.databases import sqlite_database, sqlite_template, sqlite_url

__all__ = ["sqlite_database", "sqlite_template", "sqlite_url"]
