"""Bulk emails, and their objects in groups."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, String, Table, Text, text

from postroom.store.schema.columns import metadata

bulk_emails = Table(
    "bulk_emails",
    metadata,
    Column("account_id", String(16), primary_key=True),
    Column("id", String(24), primary_key=True),
    Column("token_id", String(16), nullable=False),
    Column("state", String(16), nullable=False, comment="queued, processing, completed, failed"),
    Column("objects", Integer, nullable=False),
    Column("groups", Integer, nullable=False),
    Column(
        "done", Integer, nullable=False, server_default=text("0"), comment="groups; the next one's number"
    ),
    Column("recipients", Integer, nullable=False),
    Column("suppressed", Integer, nullable=False, server_default=text("0"), comment="recipients"),
    Column("invalid", Integer, nullable=False, server_default=text("0"), comment="objects"),
    Column("templates", Text, nullable=False, comment="JSON: id of a template -> its version at accept"),
    Column("blob", String(64), nullable=False, comment="where a large body lies; empty: beside its groups"),
    Column("worker", String(32), nullable=False, server_default=text("''"), comment="who works on it"),
    Column("busy_until", BigInteger, nullable=False, comment="on the steady scale: nobody else touches it"),
    Column("created_at", BigInteger, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
    Column("failure", Text, nullable=False, server_default=text("''"), comment="why it failed, for people"),
    Column(
        "user_id",
        String(16),
        nullable=False,
        server_default=text("''"),
        comment="who sent it by hand; then there is no token_id",
    ),
    Index(
        "ix_bulk_emails_waiting",
        "account_id",
        "id",
        sqlite_where=text("state <> 'completed'"),
        postgresql_where=text("state <> 'completed'"),
    ),
    Index("ix_bulk_emails_id", "id"),
    Index(
        "ix_bulk_emails_blob", "blob", sqlite_where=text("blob <> ''"), postgresql_where=text("blob <> ''")
    ),
)

bulk_groups = Table(
    "bulk_groups",
    metadata,
    Column("account_id", String(16), primary_key=True),
    Column("bulk_email_id", String(24), primary_key=True),
    Column("number", Integer, primary_key=True, comment="from 0"),
    Column("first", Integer, nullable=False, comment="position of its first object"),
    Column("offset", BigInteger, nullable=False, comment="in the blob"),
    Column("octets", Integer, nullable=False, comment="compressed"),
    Column("body", LargeBinary, comment="JSON array in zstd; null: in the blob, or done"),
    Column("result", LargeBinary, comment="JSON in zstd, what became of it; null: not done"),
    comment="neighbouring objects of a bulk email: what is processed in one go",
)
