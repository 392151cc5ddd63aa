"""The first tables.

On PostgreSQL attempts and events are partitioned by day (`store.partitions` makes the days), the content of messages
is not compressed again, and the queue, whose rows change all the time, is vacuumed early and leaves room in its pages.

Revision ID: 0001
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    installation()
    nodes()
    accounts()
    users()
    memberships()
    domains()
    dkim_keys()
    smtp_users()
    suppressions()
    quota_days()
    contents()
    messages()
    emails()
    queue()
    attempts()
    events()
    inbox()
    refusals()
    op.execute("INSERT INTO installation (name, value) VALUES ('version', '0')")
    if op.get_context().dialect.name == "postgresql":
        postgresql()


def postgresql() -> None:
    for table in ("attempts", "events"):
        op.execute(f"CREATE TABLE {table}_default PARTITION OF {table} DEFAULT")
    op.execute("ALTER TABLE contents ALTER COLUMN data SET STORAGE EXTERNAL")
    op.execute(
        "ALTER TABLE queue SET (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02, "
        "autovacuum_vacuum_threshold = 1000, autovacuum_analyze_scale_factor = 0.05)"
    )
    op.execute("ALTER TABLE quota_days SET (fillfactor = 50)")


def installation() -> None:
    op.create_table(
        "installation",
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_installation"),
        comment="facts about this installation; `version` rises with every change of configuration objects",
    )


def nodes() -> None:
    op.create_table(
        "nodes",
        sa.Column("incarnation", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("name", sa.String(length=255), server_default=sa.text("''"), nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("incarnation", name="pk_nodes"),
        comment="one row per start of a process; its number owns queue rows and is the fence; `until` is the heartbeat",
        sqlite_autoincrement=True,
    )


def accounts() -> None:
    op.create_table(
        "accounts",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("name", sa.String(length=191), server_default=sa.text("''"), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False, comment="unapproved, approved, suspended"),
        sa.Column("state_reason", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column(
            "daily_quota",
            sa.BigInteger(),
            nullable=True,
            comment="emails per day; null: the installation's default",
        ),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_accounts"),
    )


def users() -> None:
    op.create_table(
        "users",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("email", sa.String(length=320), nullable=False),
        sa.Column("name", sa.String(length=191), server_default=sa.text("''"), nullable=False),
        sa.Column(
            "password_hash",
            sa.Text(),
            nullable=False,
            comment="argon2id; empty: cannot sign in with a password",
        ),
        sa.Column("operator", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_users"),
        sa.UniqueConstraint("email", name="uq_users_email"),
    )


def memberships() -> None:
    op.create_table(
        "memberships",
        sa.Column("account_id", sa.String(length=16), nullable=False),
        sa.Column("user_id", sa.String(length=16), nullable=False),
        sa.Column("role", sa.String(length=32), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("account_id", "user_id", name="pk_memberships"),
    )


def domains() -> None:
    op.create_table(
        "domains",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("account_id", sa.String(length=16), nullable=False),
        sa.Column("name", sa.String(length=253), nullable=False, comment="lower-case A-labels"),
        sa.Column("mode", sa.String(length=16), nullable=False, comment="live, sandbox"),
        sa.Column("verified_at", sa.BigInteger(), nullable=True),
        sa.Column("trusted", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("return_path_host", sa.String(length=253), server_default=sa.text("''"), nullable=False),
        sa.Column("return_path_verified_at", sa.BigInteger(), nullable=True),
        sa.Column("smtp_enabled", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("strict_envelope", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("keep_content", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("check_result", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("checked_at", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_domains"),
        sa.UniqueConstraint("name", name="uq_domains_name"),
    )
    op.create_index("ix_domains_account_id_name", "domains", ["account_id", "name"])


def dkim_keys() -> None:
    op.create_table(
        "dkim_keys",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("account_id", sa.String(length=16), nullable=False),
        sa.Column("domain_id", sa.String(length=16), nullable=False),
        sa.Column("selector", sa.String(length=63), nullable=False),
        sa.Column("algorithm", sa.String(length=16), nullable=False, comment="rsa, ed25519"),
        sa.Column(
            "private_key",
            sa.LargeBinary(),
            nullable=False,
            comment="PKCS 8, sealed with the installation's key",
        ),
        sa.Column("public_key", sa.Text(), nullable=False, comment="base64, as it stands in DNS after p="),
        sa.Column("active", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_dkim_keys"),
        sa.UniqueConstraint(
            "domain_id", "selector", "algorithm", name="uq_dkim_keys_domain_id_selector_algorithm"
        ),
    )


def smtp_users() -> None:
    op.create_table(
        "smtp_users",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("account_id", sa.String(length=16), nullable=False),
        sa.Column("domain_id", sa.String(length=16), nullable=False),
        sa.Column("name", sa.String(length=50), server_default=sa.text("''"), nullable=False),
        sa.Column("username", sa.String(length=320), nullable=False),
        sa.Column(
            "password_hash", sa.LargeBinary(), nullable=False, comment="SHA-256 of a random 256-bit secret"
        ),
        sa.Column(
            "scram_salt", sa.LargeBinary(), nullable=False, comment="SCRAM-SHA-256 keys cannot be made later"
        ),
        sa.Column("scram_iterations", sa.Integer(), nullable=False),
        sa.Column("scram_stored_key", sa.LargeBinary(), nullable=False),
        sa.Column("scram_server_key", sa.LargeBinary(), nullable=False),
        sa.Column("enabled", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("refuse_suppressed", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("stream", sa.String(length=16), server_default=sa.text("'transactional'"), nullable=False),
        sa.Column(
            "allowed_addresses",
            sa.Text(),
            server_default=sa.text("''"),
            nullable=False,
            comment="networks, one a line",
        ),
        sa.Column("last_used_at", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_smtp_users"),
        sa.UniqueConstraint("username", name="uq_smtp_users_username"),
    )
    op.create_index("ix_smtp_users_domain_id", "smtp_users", ["domain_id"])


def suppressions() -> None:
    op.create_table(
        "suppressions",
        sa.Column("account_id", sa.String(length=16), nullable=False),
        sa.Column("id", sa.String(length=24), nullable=False),
        sa.Column("domain_id", sa.String(length=16), nullable=True, comment="null: for the whole account"),
        sa.Column(
            "list",
            sa.String(length=24),
            nullable=False,
            comment="blocklist, hard_bounces, spam_complaints, unsubscribes, on_hold",
        ),
        sa.Column("address", sa.String(length=320), nullable=False),
        sa.Column("reason", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("account_id", "id", name="pk_suppressions"),
    )
    op.create_index("ix_suppressions_account_id_address", "suppressions", ["account_id", "address"])


def quota_days() -> None:
    op.create_table(
        "quota_days",
        sa.Column("account_id", sa.String(length=16), nullable=False),
        sa.Column("day", sa.Integer(), nullable=False, comment="days since 1970, UTC"),
        sa.Column("used", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("account_id", "day", name="pk_quota_days"),
    )


def contents() -> None:
    op.create_table(
        "contents",
        sa.Column("account_id", sa.String(length=16), nullable=False),
        sa.Column("id", sa.String(length=24), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False, comment="header and body, zstd"),
        sa.PrimaryKeyConstraint("account_id", "id", name="pk_contents"),
        comment="small content, beside its row and committed with it",
    )


def messages() -> None:
    op.create_table(
        "messages",
        sa.Column("account_id", sa.String(length=16), nullable=False),
        sa.Column("id", sa.String(length=24), nullable=False),
        sa.Column("domain_id", sa.String(length=16), nullable=False),
        sa.Column("credential_id", sa.String(length=16), nullable=False),
        sa.Column("edge", sa.String(length=8), nullable=False, comment="smtp, api, inbound"),
        sa.Column("sender", sa.String(length=320), server_default=sa.text("''"), nullable=False),
        sa.Column("header_from", sa.String(length=320), server_default=sa.text("''"), nullable=False),
        sa.Column("subject", sa.String(length=255), server_default=sa.text("''"), nullable=False),
        sa.Column("message_id", sa.String(length=998), server_default=sa.text("''"), nullable=False),
        sa.Column("signing_domain", sa.String(length=253), nullable=False),
        sa.Column("stream", sa.String(length=16), nullable=False),
        sa.Column("tags", sa.Text(), server_default=sa.text("''"), nullable=False, comment="one a line"),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("header_size", sa.Integer(), nullable=False),
        sa.Column("eight_bit", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("utf8", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("dsn_ret", sa.String(length=4), server_default=sa.text("''"), nullable=False),
        sa.Column("dsn_envid", sa.String(length=100), server_default=sa.text("''"), nullable=False),
        sa.Column(
            "blob",
            sa.String(length=64),
            server_default=sa.text("''"),
            nullable=False,
            comment="key of large content",
        ),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.Column(
            "content_expires_at",
            sa.BigInteger(),
            nullable=True,
            comment="set when the last recipient is final",
        ),
        sa.Column("content_gone", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.PrimaryKeyConstraint("account_id", "id", name="pk_messages"),
    )
    op.create_index(
        "ix_messages_content_expires_at",
        "messages",
        ["content_expires_at"],
        sqlite_where=sa.text("content_expires_at IS NOT NULL"),
        postgresql_where=sa.text("content_expires_at IS NOT NULL"),
    )
    op.create_index(
        "ix_messages_blob",
        "messages",
        ["blob"],
        sqlite_where=sa.text("blob <> ''"),
        postgresql_where=sa.text("blob <> ''"),
    )


def emails() -> None:
    op.create_table(
        "emails",
        sa.Column("account_id", sa.String(length=16), nullable=False),
        sa.Column("id", sa.String(length=24), nullable=False),
        sa.Column("message_id", sa.String(length=24), nullable=False),
        sa.Column("recipient", sa.String(length=320), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("possible_duplicate", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("sent", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("reply", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("dsn_notify", sa.String(length=32), server_default=sa.text("''"), nullable=False),
        sa.Column("dsn_orcpt", sa.String(length=500), server_default=sa.text("''"), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("final_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("account_id", "id", name="pk_emails"),
    )
    op.create_index("ix_emails_message_id", "emails", ["account_id", "message_id"])


def queue() -> None:
    op.create_table(
        "queue",
        sa.Column("account_id", sa.String(length=16), nullable=False),
        sa.Column("email_id", sa.String(length=24), nullable=False),
        sa.Column("message_id", sa.String(length=24), nullable=False),
        sa.Column("domain_id", sa.String(length=16), nullable=False),
        sa.Column("site", sa.String(length=253), nullable=False, comment="the recipient's domain"),
        sa.Column(
            "lane", sa.SmallInteger(), nullable=False, comment="0: single transactional mail, 1: the rest"
        ),
        sa.Column(
            "owner", sa.Integer(), nullable=False, comment="incarnation of the node that holds it; 0: nobody"
        ),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column(
            "mark",
            sa.Integer(),
            server_default=sa.text("0"),
            nullable=False,
            comment="the attempt under way, or 0",
        ),
        sa.Column(
            "unfinished",
            sa.Integer(),
            server_default=sa.text("0"),
            nullable=False,
            comment="attempts with a lost outcome",
        ),
        sa.Column(
            "hold",
            sa.String(length=16),
            server_default=sa.text("''"),
            nullable=False,
            comment="why it waits for somebody",
        ),
        sa.PrimaryKeyConstraint("account_id", "email_id", name="pk_queue"),
        comment="one row per recipient that is not final; the row goes when the email becomes final",
    )
    op.create_index("ix_queue_claim", "queue", ["owner", "account_id", "due_at"])
    op.create_index("ix_queue_message_id", "queue", ["account_id", "message_id"])


def attempts() -> None:
    op.create_table(
        "attempts",
        sa.Column("account_id", sa.String(length=16), nullable=False),
        sa.Column("email_id", sa.String(length=24), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("result", sa.String(length=16), nullable=False),
        sa.Column("duration", sa.Integer(), nullable=False, comment="milliseconds"),
        sa.Column("host", sa.String(length=253), server_default=sa.text("''"), nullable=False),
        sa.Column("address", sa.String(length=64), server_default=sa.text("''"), nullable=False),
        sa.Column("tls", sa.String(length=200), server_default=sa.text("''"), nullable=False),
        sa.Column("code", sa.Integer(), nullable=False),
        sa.Column("enhanced", sa.String(length=16), nullable=False),
        sa.Column("reply", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("transcript", sa.LargeBinary(), nullable=False, comment="deliver.transcript, at most 8 KB"),
        sa.PrimaryKeyConstraint("account_id", "email_id", "number", "at", name="pk_attempts"),
        postgresql_partition_by="RANGE (at)",
    )


def events() -> None:
    op.create_table(
        "events",
        sa.Column("account_id", sa.String(length=16), nullable=False),
        sa.Column("id", sa.String(length=24), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("email_id", sa.String(length=24), nullable=False),
        sa.Column("message_id", sa.String(length=24), nullable=False),
        sa.Column("type", sa.String(length=32), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False, comment="JSON"),
        sa.PrimaryKeyConstraint("account_id", "id", "at", name="pk_events"),
        comment="append-only",
        postgresql_partition_by="RANGE (at)",
    )
    op.create_index("ix_events_email_id", "events", ["account_id", "email_id"])


def inbox() -> None:
    op.create_table(
        "inbox",
        sa.Column("account_id", sa.String(length=16), nullable=False),
        sa.Column("email_id", sa.String(length=24), nullable=False),
        sa.Column("message_id", sa.String(length=24), nullable=False),
        sa.Column("domain_id", sa.String(length=16), nullable=False),
        sa.Column("recipient", sa.String(length=320), nullable=False),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("account_id", "email_id", name="pk_inbox"),
        comment="what sandbox domains sent; the content is that of the message",
    )
    op.create_index("ix_inbox_domain_id", "inbox", ["account_id", "domain_id", "received_at"])


def refusals() -> None:
    op.create_table(
        "refusals",
        sa.Column("id", sa.String(length=24), nullable=False),
        sa.Column(
            "account_id",
            sa.String(length=16),
            server_default=sa.text("''"),
            nullable=False,
            comment="empty before login",
        ),
        sa.Column("hour", sa.Integer(), nullable=False, comment="hours since 1970"),
        sa.Column("rule", sa.String(length=48), nullable=False),
        sa.Column("credential", sa.String(length=320), server_default=sa.text("''"), nullable=False),
        sa.Column("client", sa.String(length=64), server_default=sa.text("''"), nullable=False),
        sa.Column("sender", sa.String(length=320), server_default=sa.text("''"), nullable=False),
        sa.Column("header_from", sa.String(length=320), server_default=sa.text("''"), nullable=False),
        sa.Column("recipients", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("reply", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("first_at", sa.BigInteger(), nullable=False),
        sa.Column("last_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_refusals"),
        sa.UniqueConstraint(
            "account_id",
            "hour",
            "rule",
            "credential",
            "client",
            "header_from",
            name="uq_refusals_account_id_hour_rule_credential_client_header_from",
        ),
    )
    op.create_index("ix_refusals_last_at", "refusals", ["last_at"])
