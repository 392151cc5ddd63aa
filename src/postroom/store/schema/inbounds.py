"""Where inbound mail goes."""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, String, Table, Text

from postroom.store.schema.columns import at, flag, metadata, object_id

inbounds = Table(
    "inbounds",
    metadata,
    object_id("account_id", primary_key=True),
    object_id(primary_key=True),
    object_id("domain_id"),
    Column("name", String(191), nullable=False),
    Column("mailbox", String(20), nullable=False, comment="its own address, before the @"),
    Column("inbound_domain", String(253), comment="whose mail it takes, too"),
    Column("priority", Integer, nullable=False, comment="0 to 100; the lowest is asked first"),
    flag("enabled", default=True),
    Column("catch_filter", Text, nullable=False, comment="JSON: kind, conditions"),
    Column("catch_type", String(8), nullable=False, comment="all or one of them"),
    Column("match_filter", Text, nullable=False, comment="JSON: kind, conditions"),
    Column("match_type", String(8), nullable=False, comment="all or one of them"),
    Column("forwards", Text, nullable=False, comment="JSON: id, kind, value, secret (sealed, base64)"),
    at("created_at"),
    at("updated_at"),
    Index("ix_inbounds_mailbox", "mailbox", unique=True),
    Index("ix_inbounds_inbound_domain", "inbound_domain"),
    Index("ix_inbounds_account_id_domain_id", "account_id", "domain_id"),
)
