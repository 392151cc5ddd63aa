"""Addresses of other people's domains that an account may send from, because their owners have agreed."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, LargeBinary, String, Table, UniqueConstraint, text

from postroom.store.schema.columns import at, count, flag, metadata, object_id, words

sender_identities = Table(
    "sender_identities",
    metadata,
    object_id("account_id", primary_key=True),
    object_id(primary_key=True),
    Column("domain_id", String(16), nullable=False, comment="signs what is sent from the address"),
    Column("email", String(320), nullable=False, comment="local part as written, domain in A-labels"),
    words("organisation", 253),
    words("name", 191),
    words("reply_to_email", 320),
    words("reply_to_name", 191),
    flag("add_note", default=False),
    words("personal_note", 250),
    count("resends"),
    Column("secret_hash", LargeBinary, unique=True, comment="SHA-256 of what the link holds; null: none"),
    Column("expires_at", BigInteger, nullable=False, comment="of the link"),
    Column("verified_at", BigInteger, comment="null: its owner has not agreed yet"),
    words("problem"),
    Column("checked_at", BigInteger, nullable=False, comment="when its domain's policy was looked up"),
    at("created_at"),
    at("updated_at"),
    UniqueConstraint("account_id", "email"),
    Index(
        "ix_sender_identities_checked_at",
        "checked_at",
        sqlite_where=text("verified_at IS NOT NULL"),
        postgresql_where=text("verified_at IS NOT NULL"),
    ),
)
