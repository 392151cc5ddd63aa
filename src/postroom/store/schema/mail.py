"""Mail: what was accepted, what waits, what happened."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from postroom.store.schema.columns import at, count, flag, mail_id, metadata, object_id, words

contents = Table(
    "contents",
    metadata,
    object_id("account_id", primary_key=True),
    mail_id(primary_key=True),
    Column("data", LargeBinary, nullable=False, comment="header and body, zstd"),
    comment="small content, beside its row and committed with it",
)

messages = Table(
    "messages",
    metadata,
    object_id("account_id", primary_key=True),
    mail_id(primary_key=True),
    object_id("domain_id"),
    object_id("credential_id"),
    Column("edge", String(8), nullable=False, comment="smtp, api, inbound"),
    words("sender", 320),
    words("header_from", 320),
    words("subject", 255),
    words("message_id", 998),
    Column("signing_domain", String(253), nullable=False),
    Column("stream", String(16), nullable=False),
    Column("tags", Text, nullable=False, server_default=text("''"), comment="one a line"),
    Column("size", BigInteger, nullable=False),
    Column("header_size", Integer, nullable=False),
    flag("eight_bit", default=False),
    flag("utf8", default=False),
    Column("dsn_ret", String(4), nullable=False, server_default=text("''")),
    Column("dsn_envid", String(100), nullable=False, server_default=text("''")),
    Column("blob", String(64), nullable=False, server_default=text("''"), comment="key of large content"),
    Column("received_at", BigInteger, nullable=False),
    Column("content_expires_at", BigInteger, comment="set when the last recipient is final"),
    flag("content_gone", default=False),
    flag("precedence_bulk", default=False),
    Column(
        "credential_kind",
        String(16),
        nullable=False,
        server_default=text("''"),
        comment="smtp_user, token, user, system; empty: from before it was noted",
    ),
    Index("ix_messages_blob", "blob", sqlite_where=text("blob <> ''"), postgresql_where=text("blob <> ''")),
    Index(
        "ix_messages_content_expires_at",
        "content_expires_at",
        sqlite_where=text("content_expires_at IS NOT NULL"),
        postgresql_where=text("content_expires_at IS NOT NULL"),
    ),
)

personalizations = Table(
    "personalizations",
    metadata,
    object_id("account_id", primary_key=True),
    mail_id("email_id", primary_key=True),
    mail_id("message_id"),
    Column("data", LargeBinary, nullable=False, comment="JSON, types.parts.Personalization"),
    Index("ix_personalizations_message_id", "account_id", "message_id"),
    comment="what differs from recipient to recipient; goes with the content of its message",
)

api_messages = Table(
    "api_messages",
    metadata,
    object_id("account_id", primary_key=True),
    mail_id(primary_key=True),
    Column("template_id", String(16)),
    Column("template_version", String(16), comment="template_versions.id"),
    Column("headers", Text, comment="JSON: the custom ones, a list of {name, value}"),
    Column("metadata", Text, comment="JSON: an object of strings"),
    Column("send_at", BigInteger, comment="when a scheduled message was asked to be sent"),
    Column("settings", Text, comment="JSON: an object of booleans, by the names of `settings` in the API"),
    Index(
        "ix_api_messages_send_at",
        "account_id",
        "send_at",
        sqlite_where=text("send_at IS NOT NULL"),
        postgresql_where=text("send_at IS NOT NULL"),
    ),
    Index(
        "ix_api_messages_template_id",
        "account_id",
        "template_id",
        "id",
        sqlite_where=text("template_id IS NOT NULL"),
        postgresql_where=text("template_id IS NOT NULL"),
    ),
    comment="what only messages of the API have; those without any of it have no row",
)

message_metadata = Table(
    "message_metadata",
    metadata,
    object_id("account_id", primary_key=True),
    Column("name", String(64), primary_key=True),
    Column("value", String(255), primary_key=True),
    mail_id("message_id", primary_key=True),
    Index(None, "account_id", "message_id"),
    comment="api_messages.metadata once more, to be searched",
)

idempotency_keys = Table(
    "idempotency_keys",
    metadata,
    object_id("account_id", primary_key=True),
    Column("key", String(255), primary_key=True),
    Column("fingerprint", LargeBinary, nullable=False, comment="SHA-256 of what was asked"),
    Column("answer", Text, nullable=False, comment="JSON: what the answer is made of"),
    Column("expires_at", BigInteger, nullable=False, index=True),
)

emails = Table(
    "emails",
    metadata,
    object_id("account_id", primary_key=True),
    mail_id(primary_key=True),
    mail_id("message_id"),
    Column("recipient", String(320), nullable=False),
    Column("status", String(16), nullable=False),
    count("attempts"),
    flag("possible_duplicate", default=False),
    flag("sent", default=False),
    words("reply"),
    Column("dsn_notify", String(32), nullable=False, server_default=text("''")),
    Column("dsn_orcpt", String(500), nullable=False, server_default=text("''")),
    at("created_at"),
    Column("final_at", BigInteger),
    Index("ix_emails_message_id", "account_id", "message_id"),
)

queue = Table(
    "queue",
    metadata,
    object_id("account_id", primary_key=True),
    mail_id("email_id", primary_key=True),
    mail_id("message_id"),
    object_id("domain_id"),
    Column("site", String(253), nullable=False, comment="the recipient's domain"),
    Column("lane", SmallInteger, nullable=False, comment="0: single transactional mail, 1: the rest"),
    Column("owner", Integer, nullable=False, comment="incarnation of the node that holds it; 0: nobody"),
    Column("due_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    count("attempts"),
    Column("mark", Integer, nullable=False, server_default=text("0"), comment="the attempt under way, or 0"),
    Column(
        "unfinished",
        Integer,
        nullable=False,
        server_default=text("0"),
        comment="attempts with a lost outcome",
    ),
    Column(
        "hold", String(16), nullable=False, server_default=text("''"), comment="why it waits for somebody"
    ),
    Index("ix_queue_claim", "owner", "account_id", "due_at"),
    Index("ix_queue_message_id", "account_id", "message_id"),
    Index(
        "ix_queue_paused",
        "domain_id",
        "account_id",
        "email_id",
        sqlite_where=text("hold = 'paused'"),
        postgresql_where=text("hold = 'paused'"),
    ),
    Index(
        "ix_queue_suspended",
        "account_id",
        "email_id",
        sqlite_where=text("hold = 'suspended'"),
        postgresql_where=text("hold = 'suspended'"),
    ),
    comment="one row per recipient that is not final; the row goes when the email becomes final",
)

attempts = Table(
    "attempts",
    metadata,
    object_id("account_id", primary_key=True),
    mail_id("email_id", primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("at", BigInteger, primary_key=True),
    Column("result", String(16), nullable=False),
    Column("duration", Integer, nullable=False, comment="milliseconds"),
    words("host", 253),
    words("address", 64),
    words("tls", 200),
    Column("code", Integer, nullable=False),
    Column("enhanced", String(16), nullable=False),
    words("reply"),
    Column("transcript", LargeBinary, nullable=False, comment="deliver.transcript, at most 8 KB"),
    postgresql_partition_by="RANGE (at)",
)

events = Table(
    "events",
    metadata,
    object_id("account_id", primary_key=True),
    mail_id(primary_key=True),
    Column("at", BigInteger, primary_key=True),
    mail_id("email_id"),
    mail_id("message_id"),
    Column("type", String(32), nullable=False),
    Column("detail", Text, nullable=False, comment="JSON"),
    Index("ix_events_email_id", "account_id", "email_id"),
    comment="append-only",
    postgresql_partition_by="RANGE (at)",
)

inbox = Table(
    "inbox",
    metadata,
    object_id("account_id", primary_key=True),
    mail_id("email_id", primary_key=True),
    mail_id("message_id"),
    object_id("domain_id"),
    Column("recipient", String(320), nullable=False),
    at("received_at"),
    Index("ix_inbox_domain_id", "account_id", "domain_id", "received_at"),
    comment="what sandbox domains sent; the content is that of the message",
)

refusals = Table(
    "refusals",
    metadata,
    mail_id(primary_key=True),
    Column("account_id", String(16), nullable=False, server_default=text("''"), comment="empty before login"),
    Column("hour", Integer, nullable=False, comment="hours since 1970"),
    Column("rule", String(48), nullable=False),
    words("credential", 320),
    words("client", 64),
    words("sender", 320),
    words("header_from", 320),
    words("recipients"),
    words("reply"),
    Column("count", Integer, nullable=False),
    at("first_at"),
    at("last_at"),
    UniqueConstraint("account_id", "hour", "rule", "credential", "client", "header_from"),
    Index("ix_refusals_last_at", "last_at"),
)
