"""The tables. Milliseconds everywhere; ids as the API shows them: 16 characters for configuration, 24 hex for mail."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _object_id(name: str = "id", *, primary_key: bool = False) -> Column[str]:
    return Column(name, String(16), nullable=False, primary_key=primary_key)


def _mail_id(name: str = "id", *, primary_key: bool = False) -> Column[str]:
    return Column(name, String(24), nullable=False, primary_key=primary_key)


def _at(name: str, *, nullable: bool = False) -> Column[int]:
    return Column(name, BigInteger, nullable=nullable)


def _flag(name: str, *, default: bool) -> Column[bool]:
    return Column(name, Boolean, nullable=False, server_default=text("true" if default else "false"))


def _count(name: str) -> Column[int]:
    return Column(name, Integer, nullable=False, server_default=text("0"))


def _words(name: str, length: int | None = None) -> Column[str]:
    return Column(name, String(length) if length else Text, nullable=False, server_default=text("''"))


# -- the installation ---------------------------------------------------------------------------------------------

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
    _words("name", 255),
    _at("started_at"),
    _at("until"),
    comment="one row per start of a process; its number owns queue rows and is the fence; `until` is the heartbeat",
    sqlite_autoincrement=True,
)

# -- who may do what -----------------------------------------------------------------------------------------------

accounts = Table(
    "accounts",
    metadata,
    _object_id(primary_key=True),
    _words("name", 191),
    Column("state", String(16), nullable=False, comment="unapproved, approved, suspended"),
    _words("state_reason"),
    Column("daily_quota", BigInteger, comment="emails per day; null: the installation's default"),
    _at("created_at"),
    _at("updated_at"),
)

users = Table(
    "users",
    metadata,
    _object_id(primary_key=True),
    Column("email", String(320), nullable=False, unique=True),
    _words("name", 191),
    Column("password_hash", Text, nullable=False, comment="argon2id; empty: cannot sign in with a password"),
    _flag("operator", default=False),
    _at("created_at"),
    _at("updated_at"),
)

memberships = Table(
    "memberships",
    metadata,
    _object_id("account_id", primary_key=True),
    _object_id("user_id", primary_key=True),
    Column("role", String(32), nullable=False),
    _at("created_at"),
)

domains = Table(
    "domains",
    metadata,
    _object_id(primary_key=True),
    _object_id("account_id"),
    Column("name", String(253), nullable=False, unique=True, comment="lower-case A-labels"),
    Column("mode", String(16), nullable=False, comment="live, sandbox"),
    Column("verified_at", BigInteger),
    _flag("trusted", default=False),
    Column("return_path_host", String(253), nullable=False, server_default=text("''")),
    Column("return_path_verified_at", BigInteger),
    _flag("smtp_enabled", default=True),
    _flag("strict_envelope", default=False),
    _flag("keep_content", default=False),
    _words("check_result"),
    Column("checked_at", BigInteger),
    _at("created_at"),
    _at("updated_at"),
    Index(None, "account_id", "name"),
)

dkim_keys = Table(
    "dkim_keys",
    metadata,
    _object_id(primary_key=True),
    _object_id("account_id"),
    _object_id("domain_id"),
    Column("selector", String(63), nullable=False),
    Column("algorithm", String(16), nullable=False, comment="rsa, ed25519"),
    Column("private_key", LargeBinary, nullable=False, comment="PKCS 8, sealed with the installation's key"),
    Column("public_key", Text, nullable=False, comment="base64, as it stands in DNS after p="),
    _flag("active", default=False),
    _at("created_at"),
    UniqueConstraint("domain_id", "selector", "algorithm"),
)

smtp_users = Table(
    "smtp_users",
    metadata,
    _object_id(primary_key=True),
    _object_id("account_id"),
    _object_id("domain_id"),
    _words("name", 50),
    Column("username", String(320), nullable=False, unique=True),
    Column("password_hash", LargeBinary, nullable=False, comment="SHA-256 of a random 256-bit secret"),
    Column("scram_salt", LargeBinary, nullable=False, comment="SCRAM-SHA-256 keys cannot be made later"),
    Column("scram_iterations", Integer, nullable=False),
    Column("scram_stored_key", LargeBinary, nullable=False),
    Column("scram_server_key", LargeBinary, nullable=False),
    _flag("enabled", default=True),
    _flag("refuse_suppressed", default=False),
    Column("stream", String(16), nullable=False, server_default=text("'transactional'")),
    Column(
        "allowed_addresses", Text, nullable=False, server_default=text("''"), comment="networks, one a line"
    ),
    Column("last_used_at", BigInteger),
    _at("created_at"),
    _at("updated_at"),
    Index(None, "domain_id"),
)

tokens = Table(
    "tokens",
    metadata,
    _object_id(primary_key=True),
    _object_id("account_id"),
    Column("domain_id", String(16), comment="null: for all domains of the account"),
    _words("name", 50),
    Column("secret_hash", LargeBinary, nullable=False, unique=True, comment="SHA-256 of the whole token"),
    Column("preview", String(32), nullable=False, comment="how it begins and ends, for people"),
    Column("scopes", Text, nullable=False, comment="separated by spaces"),
    _flag("paused", default=False),
    Column("expires_at", BigInteger),
    Column(
        "allowed_addresses", Text, nullable=False, server_default=text("''"), comment="networks, one a line"
    ),
    Column("last_used_at", BigInteger),
    _at("created_at"),
    _at("updated_at"),
    Index(None, "account_id", "created_at"),
)

suppressions = Table(
    "suppressions",
    metadata,
    _object_id("account_id", primary_key=True),
    _mail_id(primary_key=True),
    Column("domain_id", String(16), comment="null: for the whole account"),
    Column(
        "list",
        String(24),
        nullable=False,
        comment="blocklist, hard_bounces, spam_complaints, unsubscribes, on_hold",
    ),
    Column("address", String(320), nullable=False),
    _words("reason"),
    _at("created_at"),
    _flag("pattern", default=False),
    Column("stream", String(16), nullable=False, server_default=text("''"), comment="empty: all mail"),
    Column("expires_at", BigInteger),
    Index(None, "account_id", "address"),
    Index(
        "ix_suppressions_pattern",
        "account_id",
        sqlite_where=text("pattern"),
        postgresql_where=text("pattern"),
    ),
    Index(
        "ix_suppressions_expires_at",
        "expires_at",
        sqlite_where=text("expires_at IS NOT NULL"),
        postgresql_where=text("expires_at IS NOT NULL"),
    ),
    Index(
        "ix_suppressions_whole_account",
        "account_id",
        "list",
        "address",
        unique=True,
        sqlite_where=text("domain_id IS NULL"),
        postgresql_where=text("domain_id IS NULL"),
    ),
    Index(
        "ix_suppressions_one_domain",
        "account_id",
        "list",
        "address",
        "domain_id",
        unique=True,
        sqlite_where=text("domain_id IS NOT NULL"),
        postgresql_where=text("domain_id IS NOT NULL"),
    ),
)

templates = Table(
    "templates",
    metadata,
    _object_id("account_id", primary_key=True),
    _object_id(primary_key=True),
    Column("domain_id", String(16), comment="null: for all domains of the account"),
    Column("version_id", String(16), nullable=False, comment="the newest"),
    _words("name", 50),
    Column("type", String(8), nullable=False, comment="how it was made: dd, rt, gh, api"),
    Column("categories", Text, nullable=False, server_default=text("''"), comment="one a line"),
    _at("created_at"),
    _at("updated_at"),
)

template_versions = Table(
    "template_versions",
    metadata,
    _object_id("account_id", primary_key=True),
    _object_id(primary_key=True),
    _object_id("template_id"),
    Column("number", Integer, nullable=False, comment="counted from 1"),
    Column("content", LargeBinary, nullable=False, comment="types.template, JSON in zstd"),
    _at("created_at"),
    UniqueConstraint("account_id", "template_id", "number"),
    comment="what a template was at a time; never changes",
)

quota_days = Table(
    "quota_days",
    metadata,
    _object_id("account_id", primary_key=True),
    Column("day", Integer, primary_key=True, comment="days since 1970, UTC"),
    Column("used", BigInteger, nullable=False),
)

request_days = Table(
    "request_days",
    metadata,
    _object_id("account_id", primary_key=True),
    Column("day", Integer, primary_key=True, comment="days since 1970, UTC"),
    Column("used", BigInteger, nullable=False),
    comment="API requests; those who count write their sums every few seconds",
)

# -- mail ----------------------------------------------------------------------------------------------------------

contents = Table(
    "contents",
    metadata,
    _object_id("account_id", primary_key=True),
    _mail_id(primary_key=True),
    Column("data", LargeBinary, nullable=False, comment="header and body, zstd"),
    comment="small content, beside its row and committed with it",
)

messages = Table(
    "messages",
    metadata,
    _object_id("account_id", primary_key=True),
    _mail_id(primary_key=True),
    _object_id("domain_id"),
    _object_id("credential_id"),
    Column("edge", String(8), nullable=False, comment="smtp, api, inbound"),
    _words("sender", 320),
    _words("header_from", 320),
    _words("subject", 255),
    _words("message_id", 998),
    Column("signing_domain", String(253), nullable=False),
    Column("stream", String(16), nullable=False),
    Column("tags", Text, nullable=False, server_default=text("''"), comment="one a line"),
    Column("size", BigInteger, nullable=False),
    Column("header_size", Integer, nullable=False),
    _flag("eight_bit", default=False),
    _flag("utf8", default=False),
    Column("dsn_ret", String(4), nullable=False, server_default=text("''")),
    Column("dsn_envid", String(100), nullable=False, server_default=text("''")),
    Column("blob", String(64), nullable=False, server_default=text("''"), comment="key of large content"),
    Column("received_at", BigInteger, nullable=False),
    Column("content_expires_at", BigInteger, comment="set when the last recipient is final"),
    _flag("content_gone", default=False),
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
    _object_id("account_id", primary_key=True),
    _mail_id("email_id", primary_key=True),
    _mail_id("message_id"),
    Column("data", LargeBinary, nullable=False, comment="JSON, types.parts.Personalization"),
    Index("ix_personalizations_message_id", "account_id", "message_id"),
    comment="what differs from recipient to recipient; goes with the content of its message",
)

api_messages = Table(
    "api_messages",
    metadata,
    _object_id("account_id", primary_key=True),
    _mail_id(primary_key=True),
    Column("template_id", String(16)),
    Column("template_version", String(16), comment="template_versions.id"),
    Column("headers", Text, comment="JSON: the custom ones, a list of {name, value}"),
    Column("metadata", Text, comment="JSON: an object of strings"),
    Column("send_at", BigInteger, comment="when a scheduled message was asked to be sent"),
    Index(
        "ix_api_messages_send_at",
        "account_id",
        "send_at",
        sqlite_where=text("send_at IS NOT NULL"),
        postgresql_where=text("send_at IS NOT NULL"),
    ),
    comment="what only messages of the API have; those without any of it have no row",
)

message_metadata = Table(
    "message_metadata",
    metadata,
    _object_id("account_id", primary_key=True),
    Column("name", String(64), primary_key=True),
    Column("value", String(255), primary_key=True),
    _mail_id("message_id", primary_key=True),
    Index(None, "account_id", "message_id"),
    comment="api_messages.metadata once more, to be searched",
)

idempotency_keys = Table(
    "idempotency_keys",
    metadata,
    _object_id("account_id", primary_key=True),
    Column("key", String(255), primary_key=True),
    Column("fingerprint", LargeBinary, nullable=False, comment="SHA-256 of what was asked"),
    Column("answer", Text, nullable=False, comment="JSON: what the answer is made of"),
    Column("expires_at", BigInteger, nullable=False, index=True),
)

emails = Table(
    "emails",
    metadata,
    _object_id("account_id", primary_key=True),
    _mail_id(primary_key=True),
    _mail_id("message_id"),
    Column("recipient", String(320), nullable=False),
    Column("status", String(16), nullable=False),
    _count("attempts"),
    _flag("possible_duplicate", default=False),
    _flag("sent", default=False),
    _words("reply"),
    Column("dsn_notify", String(32), nullable=False, server_default=text("''")),
    Column("dsn_orcpt", String(500), nullable=False, server_default=text("''")),
    _at("created_at"),
    Column("final_at", BigInteger),
    Index("ix_emails_message_id", "account_id", "message_id"),
)

queue = Table(
    "queue",
    metadata,
    _object_id("account_id", primary_key=True),
    _mail_id("email_id", primary_key=True),
    _mail_id("message_id"),
    _object_id("domain_id"),
    Column("site", String(253), nullable=False, comment="the recipient's domain"),
    Column("lane", SmallInteger, nullable=False, comment="0: single transactional mail, 1: the rest"),
    Column("owner", Integer, nullable=False, comment="incarnation of the node that holds it; 0: nobody"),
    Column("due_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    _count("attempts"),
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
    comment="one row per recipient that is not final; the row goes when the email becomes final",
)

attempts = Table(
    "attempts",
    metadata,
    _object_id("account_id", primary_key=True),
    _mail_id("email_id", primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("at", BigInteger, primary_key=True),
    Column("result", String(16), nullable=False),
    Column("duration", Integer, nullable=False, comment="milliseconds"),
    _words("host", 253),
    _words("address", 64),
    _words("tls", 200),
    Column("code", Integer, nullable=False),
    Column("enhanced", String(16), nullable=False),
    _words("reply"),
    Column("transcript", LargeBinary, nullable=False, comment="deliver.transcript, at most 8 KB"),
    postgresql_partition_by="RANGE (at)",
)

events = Table(
    "events",
    metadata,
    _object_id("account_id", primary_key=True),
    _mail_id(primary_key=True),
    Column("at", BigInteger, primary_key=True),
    _mail_id("email_id"),
    _mail_id("message_id"),
    Column("type", String(32), nullable=False),
    Column("detail", Text, nullable=False, comment="JSON"),
    Index("ix_events_email_id", "account_id", "email_id"),
    comment="append-only",
    postgresql_partition_by="RANGE (at)",
)

inbox = Table(
    "inbox",
    metadata,
    _object_id("account_id", primary_key=True),
    _mail_id("email_id", primary_key=True),
    _mail_id("message_id"),
    _object_id("domain_id"),
    Column("recipient", String(320), nullable=False),
    _at("received_at"),
    Index("ix_inbox_domain_id", "account_id", "domain_id", "received_at"),
    comment="what sandbox domains sent; the content is that of the message",
)

refusals = Table(
    "refusals",
    metadata,
    _mail_id(primary_key=True),
    Column("account_id", String(16), nullable=False, server_default=text("''"), comment="empty before login"),
    Column("hour", Integer, nullable=False, comment="hours since 1970"),
    Column("rule", String(48), nullable=False),
    _words("credential", 320),
    _words("client", 64),
    _words("sender", 320),
    _words("header_from", 320),
    _words("recipients"),
    _words("reply"),
    Column("count", Integer, nullable=False),
    _at("first_at"),
    _at("last_at"),
    UniqueConstraint("account_id", "hour", "rule", "credential", "client", "header_from"),
    Index("ix_refusals_last_at", "last_at"),
)
