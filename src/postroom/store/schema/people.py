"""People: who they are, what they may do in which account, how they are signed in, who is invited, links sent to them, what
they look at while they write."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, LargeBinary, String, Table, Text, UniqueConstraint, text

from postroom.store.schema.columns import at, count, flag, metadata, object_id, words

users = Table(
    "users",
    metadata,
    object_id(primary_key=True),
    Column("email", String(320), nullable=False, unique=True),
    words("name", 191),
    words("last_name", 191),
    Column("password_hash", Text, nullable=False, comment="argon2id; empty: cannot sign in with a password"),
    flag("operator", default=False),
    at("created_at"),
    at("updated_at"),
    words("time_zone", 64),
    Column("preferences", Text, nullable=False, server_default=text("'{}'"), comment="JSON; the dashboard's"),
)

second_factors = Table(
    "second_factors",
    metadata,
    object_id("user_id", primary_key=True),
    Column("secret", LargeBinary, nullable=False, comment="of the codes (RFC 6238), sealed"),
    Column("confirmed_at", BigInteger, comment="null: begun only, and not asked for"),
    Column(
        "last_step", BigInteger, nullable=False, server_default=text("0"), comment="of the code used last"
    ),
    count("failures"),
    Column("locked_until", BigInteger, nullable=False, server_default=text("0")),
    at("created_at"),
    comment="failures: wrong codes since the last right one",
)

recovery_codes = Table(
    "recovery_codes",
    metadata,
    object_id("user_id", primary_key=True),
    Column("code_hash", LargeBinary, primary_key=True, comment="HMAC-SHA-256 under the installation's key"),
    comment="one row for each code that was not used yet",
)

one_time_links = Table(
    "one_time_links",
    metadata,
    Column("secret_hash", LargeBinary, primary_key=True, comment="SHA-256 of what the link holds"),
    Column("purpose", String(16), nullable=False, comment="reset, sign_in, sign_up, email"),
    object_id("user_id"),
    Column("email", String(320), nullable=False),
    at("created_at"),
    at("expires_at"),
    Index(None, "purpose", "email"),
    Index(None, "expires_at"),
    comment="user_id is empty where there is no user yet",
)

memberships = Table(
    "memberships",
    metadata,
    object_id("account_id", primary_key=True),
    object_id("user_id", primary_key=True),
    Column("role", String(32), nullable=False),
    words("permissions"),
    Column("domains", Text, comment="ids, separated by spaces; null: all of the account"),
    words("templates"),
    flag("requires_periodic_password_change", default=False),
    at("created_at"),
    Column("updated_at", BigInteger, nullable=False, server_default=text("0")),
    Index(None, "user_id"),
    comment="permissions, domains and templates are those of a Custom User",
)

sessions = Table(
    "sessions",
    metadata,
    object_id(primary_key=True),
    object_id("user_id"),
    Column("account_id", String(16), nullable=False, comment="the current one; empty: the person has none"),
    Column("secret_hash", LargeBinary, nullable=False, unique=True, comment="SHA-256 of the cookie"),
    Column("state", String(16), nullable=False, comment="signed_in; any other opens nothing"),
    words("client", 64),
    words("user_agent", 255),
    at("created_at"),
    at("last_used_at"),
    at("expires_at"),
    Index(None, "user_id"),
    Index(None, "expires_at"),
)

previews = Table(
    "previews",
    metadata,
    object_id("user_id", primary_key=True),
    Column("id", String(16), nullable=False, comment="in the address of the page"),
    Column("html", LargeBinary, nullable=False, comment="UTF-8, as it was written"),
    at("expires_at"),
    Index(None, "expires_at"),
    comment="what somebody is writing and looks at: one each, for a minute",
)

invites = Table(
    "invites",
    metadata,
    object_id("account_id", primary_key=True),
    object_id(primary_key=True),
    Column("email", String(320), nullable=False),
    Column("role", String(32), nullable=False),
    words("permissions"),
    Column("domains", Text, comment="as in memberships"),
    words("templates"),
    flag("requires_periodic_password_change", default=False),
    Column("secret_hash", LargeBinary, nullable=False, unique=True, comment="SHA-256 of what the link holds"),
    at("created_at"),
    at("updated_at"),
    at("expires_at"),
    UniqueConstraint("account_id", "email"),
)
