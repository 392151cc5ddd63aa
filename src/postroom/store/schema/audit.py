"""Who changed what. Triggers of the database refuse to change or delete an entry."""

from __future__ import annotations

from sqlalchemy import Column, Index, String, Table, Text

from postroom.store.schema.columns import at, mail_id, metadata, words

audit = Table(
    "audit",
    metadata,
    Column("account_id", String(16), primary_key=True, comment="empty: the installation"),
    mail_id(primary_key=True),
    at("at"),
    Column("actor_kind", String(16), nullable=False, comment="user, token, command, system"),
    words("actor_id", 16),
    words("actor_name", 320),
    words("client", 64),
    Column("action", String(64), nullable=False, comment="object.verb, like webhook.updated"),
    words("object_id", 24),
    words("object_name", 320),
    Column("before", Text, comment="JSON: the fields that changed, without secrets; null: there was nothing"),
    Column("after", Text, comment="JSON, likewise; null: there is nothing any more"),
    Index("ix_audit_object_id", "account_id", "object_id", "id"),
    Index("ix_audit_actor_id", "account_id", "actor_id", "id"),
    Index("ix_audit_action", "account_id", "action", "id"),
    comment="append-only",
)
