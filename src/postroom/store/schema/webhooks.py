"""Whom events are told."""

from __future__ import annotations

from sqlalchemy import Column, Integer, LargeBinary, String, Table, Text, UniqueConstraint

from postroom.store.schema.columns import at, flag, metadata, object_id, words

webhooks = Table(
    "webhooks",
    metadata,
    object_id("account_id", primary_key=True),
    object_id(primary_key=True),
    object_id("domain_id"),
    Column("url", String(191), nullable=False),
    words("name", 191),
    Column("events", Text, nullable=False, comment="separated by spaces"),
    flag("enabled", default=True),
    flag("editable", default=True),
    Column("version", Integer, nullable=False, comment="of the payload: 1 or 2"),
    Column("secret", LargeBinary, nullable=False, comment="signs; sealed with the installation's key"),
    at("created_at"),
    at("updated_at"),
    UniqueConstraint("account_id", "domain_id", "url"),
)
