"""What accounts ask the operator for."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, String, Table, Text, text

from postroom.store.schema.columns import at, metadata, object_id, words

OPEN, UNTOLD = text("state = 'submitted'"), text("told_at IS NULL")

account_requests = Table(
    "account_requests",
    metadata,
    object_id(primary_key=True),
    object_id("account_id"),
    Column("kind", String(16), nullable=False, comment="approval, quota"),
    Column("state", String(16), nullable=False, comment="submitted, approved, refused"),
    Column("answers", Text, nullable=False, comment="JSON: question -> answer"),
    words("reason"),
    words("decided_by", 320),
    at("created_at"),
    Column("decided_at", BigInteger),
    Column("told_at", BigInteger, comment="null: who is concerned was not told of its state yet"),
    Index(
        "ix_account_requests_open",
        "account_id",
        "kind",
        unique=True,
        sqlite_where=OPEN,
        postgresql_where=OPEN,
    ),
    Index("ix_account_requests_untold", "id", sqlite_where=UNTOLD, postgresql_where=UNTOLD),
    Index(None, "account_id", "kind", "created_at"),
    Index(None, "state", "created_at"),
)
