"""Who may do what."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from postroom.store.schema.columns import at, flag, mail_id, metadata, object_id, words

accounts = Table(
    "accounts",
    metadata,
    object_id(primary_key=True),
    words("name", 191),
    Column("state", String(16), nullable=False, comment="unapproved, approved, suspended"),
    words("state_reason"),
    Column("daily_quota", BigInteger, comment="emails per day; null: the installation's default"),
    at("created_at"),
    at("updated_at"),
    words("plan", 50),
    Column("approved_at", BigInteger, comment="also while it is suspended"),
)

domains = Table(
    "domains",
    metadata,
    object_id(primary_key=True),
    object_id("account_id"),
    Column("name", String(253), nullable=False, comment="lower-case A-labels"),
    Column("mode", String(16), nullable=False, comment="live, sandbox"),
    Column("verified_at", BigInteger),
    flag("trusted", default=False),
    Column("return_path_host", String(253), nullable=False, server_default=text("''")),
    Column("return_path_verified_at", BigInteger),
    flag("smtp_enabled", default=True),
    flag("strict_envelope", default=False),
    flag("keep_content", default=False),
    words("check_result"),
    Column("checked_at", BigInteger),
    at("created_at"),
    at("updated_at"),
    flag("send_paused", default=False),
    words("organisation", 253),
    Column(
        "settings",
        Text,
        nullable=False,
        server_default=text("'{}'"),
        comment="JSON, tenancy.domain_settings",
    ),
    Column(
        "pause_reason",
        String(16),
        nullable=False,
        server_default=text("''"),
        comment="empty: its owner; dns: the records are gone; lost: another account has it now",
    ),
    Column("failing_since", BigInteger),
    Column("tracking_verified_at", BigInteger),
    Column("inbound_verified_at", BigInteger),
    Column("deleted_at", BigInteger),
    Index(
        "ix_domains_account_id_name",
        "account_id",
        "name",
        unique=True,
        sqlite_where=text("deleted_at IS NULL"),
        postgresql_where=text("deleted_at IS NULL"),
    ),
    Index("ix_domains_paused", "id", sqlite_where=text("send_paused"), postgresql_where=text("send_paused")),
    Index(
        "ix_domains_verified_name",
        "name",
        unique=True,
        sqlite_where=text("verified_at IS NOT NULL"),
        postgresql_where=text("verified_at IS NOT NULL"),
    ),
    Index(
        "ix_domains_deleted",
        "id",
        sqlite_where=text("deleted_at IS NOT NULL"),
        postgresql_where=text("deleted_at IS NOT NULL"),
    ),
    Index("ix_domains_name", "name"),
    Index("ix_domains_organisation", "organisation"),
)

dkim_keys = Table(
    "dkim_keys",
    metadata,
    object_id(primary_key=True),
    object_id("account_id"),
    object_id("domain_id"),
    Column("selector", String(63), nullable=False),
    Column("algorithm", String(16), nullable=False, comment="rsa, ed25519"),
    Column("private_key", LargeBinary, nullable=False, comment="PKCS 8, sealed with the installation's key"),
    Column("public_key", Text, nullable=False, comment="base64, as it stands in DNS after p="),
    flag("active", default=False),
    at("created_at"),
    UniqueConstraint("domain_id", "selector", "algorithm"),
)

smtp_users = Table(
    "smtp_users",
    metadata,
    object_id(primary_key=True),
    object_id("account_id"),
    object_id("domain_id"),
    words("name", 50),
    Column("username", String(320), nullable=False, unique=True),
    Column("password_hash", LargeBinary, nullable=False, comment="SHA-256 of a random 256-bit secret"),
    Column("scram_salt", LargeBinary, nullable=False, comment="SCRAM-SHA-256 keys cannot be made later"),
    Column("scram_iterations", Integer, nullable=False),
    Column("scram_stored_key", LargeBinary, nullable=False),
    Column("scram_server_key", LargeBinary, nullable=False),
    flag("enabled", default=True),
    flag("refuse_suppressed", default=False),
    Column("stream", String(16), nullable=False, server_default=text("'transactional'")),
    Column(
        "allowed_addresses", Text, nullable=False, server_default=text("''"), comment="networks, one a line"
    ),
    Column("last_used_at", BigInteger),
    at("created_at"),
    at("updated_at"),
    Column(
        "from_domains",
        Text,
        nullable=False,
        server_default=text("''"),
        comment="ids of the domains that From may be under, one a line; empty: all verified ones",
    ),
    Column("hourly_cap", BigInteger, comment="emails an hour; null: no cap"),
    Column("daily_cap", BigInteger, comment="emails a day; null: no cap"),
    Column("expires_at", BigInteger),
    Index(None, "domain_id"),
)

smtp_user_counts = Table(
    "smtp_user_counts",
    metadata,
    object_id("account_id", primary_key=True),
    object_id("smtp_user_id", primary_key=True),
    Column("span", String(4), primary_key=True, comment="hour, day"),
    Column("began_at", BigInteger, primary_key=True),
    Column("used", BigInteger, nullable=False),
    Index(None, "began_at"),
    comment="accepted emails of SMTP users that have a cap",
)

tokens = Table(
    "tokens",
    metadata,
    object_id(primary_key=True),
    object_id("account_id"),
    Column("domain_id", String(16), comment="null: for all domains of the account"),
    words("name", 50),
    Column("secret_hash", LargeBinary, nullable=False, unique=True, comment="SHA-256 of the whole token"),
    Column("preview", String(32), nullable=False, comment="how it begins and ends, for people"),
    Column("scopes", Text, nullable=False, comment="separated by spaces"),
    flag("paused", default=False),
    Column("expires_at", BigInteger),
    Column(
        "allowed_addresses", Text, nullable=False, server_default=text("''"), comment="networks, one a line"
    ),
    Column("last_used_at", BigInteger),
    at("created_at"),
    at("updated_at"),
    Index(None, "account_id", "created_at"),
)

suppressions = Table(
    "suppressions",
    metadata,
    object_id("account_id", primary_key=True),
    mail_id(primary_key=True),
    Column("domain_id", String(16), comment="null: for the whole account"),
    Column(
        "list",
        String(24),
        nullable=False,
        comment="blocklist, hard_bounces, spam_complaints, unsubscribes, on_hold",
    ),
    Column("address", String(320), nullable=False),
    words("reason"),
    at("created_at"),
    flag("pattern", default=False),
    Column("stream", String(16), nullable=False, server_default=text("''"), comment="empty: all mail"),
    Column("expires_at", BigInteger),
    Index(None, "account_id", "address"),
    Index(None, "account_id", "list", "id"),
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

quota_days = Table(
    "quota_days",
    metadata,
    object_id("account_id", primary_key=True),
    Column("day", Integer, primary_key=True, comment="days since 1970, UTC"),
    Column("used", BigInteger, nullable=False),
)

quota_notices = Table(
    "quota_notices",
    metadata,
    object_id("account_id", primary_key=True),
    Column("day", Integer, primary_key=True, comment="days since 1970, UTC"),
    Column("percent", Integer, primary_key=True, comment="80, 100"),
    comment="which notices were sent",
)

request_days = Table(
    "request_days",
    metadata,
    object_id("account_id", primary_key=True),
    Column("day", Integer, primary_key=True, comment="days since 1970, UTC"),
    Column("used", BigInteger, nullable=False),
    comment="API requests; those who count write their sums every few seconds",
)
