"""Whom accounts have written to, gathered from their emails after these were accepted."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, String, Table, Text, text

from postroom.store.schema.columns import at, mail_id, metadata, object_id

recipients = Table(
    "recipients",
    metadata,
    object_id("account_id", primary_key=True),
    mail_id(primary_key=True),
    object_id("domain_id"),
    Column("email", String(320), nullable=False),
    Column(
        "newest", Text, nullable=False, server_default=text("''"), comment="emails.id, separated by spaces"
    ),
    at("created_at"),
    Column("updated_at", BigInteger, nullable=False, comment="when it was written to last"),
    Column("deleted_at", BigInteger, comment="not listed until it is written to again"),
    Index(None, "account_id", "email", "id"),
    Index(None, "account_id", "domain_id", "email"),
    Index(None, "updated_at"),
    comment="an address, once for each domain that wrote to it; id as store.recipients tells it",
)

recipient_marks = Table(
    "recipient_marks",
    metadata,
    object_id("account_id", primary_key=True),
    mail_id("email_id"),
    comment="the newest email of an account whose recipient was gathered",
)
