"""The installation itself."""

from __future__ import annotations

from sqlalchemy import Column, Integer, String, Table, Text

from postroom.store.schema.columns import at, metadata, words

installation = Table(
    "installation",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("value", Text, nullable=False),
    comment="facts about this installation; `version` rises with every change of configuration objects",
)

nodes = Table(
    "nodes",
    metadata,
    Column("incarnation", Integer, primary_key=True, autoincrement=True),
    words("name", 255),
    at("started_at"),
    at("until"),
    comment="one row per start of a process; its number owns queue rows and is the fence; `until` is the heartbeat",
    sqlite_autoincrement=True,
)
