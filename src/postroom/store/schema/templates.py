"""Stored templates."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Integer, LargeBinary, String, Table, Text, UniqueConstraint, text

from postroom.store.schema.columns import metadata

templates = Table(
    "templates",
    metadata,
    Column("account_id", String(16), primary_key=True),
    Column("id", String(16), primary_key=True),
    Column("domain_id", String(16), comment="null: for all domains of the account"),
    Column("version_id", String(16), nullable=False, comment="the newest"),
    Column("name", String(50), nullable=False, server_default=text("''")),
    Column("type", String(8), nullable=False, comment="how it was made: dd, rt, gh, api"),
    Column("categories", Text, nullable=False, server_default=text("''"), comment="one a line"),
    Column(
        "variables",
        Text,
        nullable=False,
        server_default=text("''"),
        comment="of the newest version, one a line",
    ),
    Column("created_at", BigInteger, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
)

template_versions = Table(
    "template_versions",
    metadata,
    Column("account_id", String(16), primary_key=True),
    Column("id", String(16), primary_key=True),
    Column("template_id", String(16), nullable=False),
    Column("number", Integer, nullable=False, comment="counted from 1"),
    Column("content", LargeBinary, nullable=False, comment="types.template, JSON in zstd"),
    Column("created_at", BigInteger, nullable=False),
    UniqueConstraint("account_id", "template_id", "number"),
    comment="what a template was at a time; never changes",
)
