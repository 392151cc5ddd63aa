"""Sessions, invites, and what a Custom User may do.

Revision ID: 0010
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

NONE, OFF = sa.text("''"), sa.text("false")


def upgrade() -> None:
    op.add_column("users", sa.Column("last_name", sa.String(length=191), server_default=NONE, nullable=False))
    _extend_memberships()
    _create_sessions()
    _create_invites()


def _granted(all_domains: str) -> list[sa.Column[object]]:
    return [
        sa.Column("permissions", sa.Text(), server_default=NONE, nullable=False),
        sa.Column("domains", sa.Text(), nullable=True, comment=all_domains),
        sa.Column("templates", sa.Text(), server_default=NONE, nullable=False),
        sa.Column("requires_periodic_password_change", sa.Boolean(), server_default=OFF, nullable=False),
    ]


def _extend_memberships() -> None:
    for column in _granted("ids, separated by spaces; null: all of the account"):
        op.add_column("memberships", column)
    op.add_column(
        "memberships",
        sa.Column("updated_at", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
    )
    op.execute("UPDATE memberships SET updated_at = created_at")
    if op.get_bind().dialect.name != "sqlite":  # which keeps no comments
        op.create_table_comment(
            "memberships", "permissions, domains and templates are those of a Custom User"
        )
    op.create_index("ix_memberships_user_id", "memberships", ["user_id"])


def _create_sessions() -> None:
    op.create_table(
        "sessions",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("user_id", sa.String(length=16), nullable=False),
        sa.Column(
            "account_id",
            sa.String(length=16),
            nullable=False,
            comment="the current one; empty: the person has none",
        ),
        sa.Column("secret_hash", sa.LargeBinary(), nullable=False, comment="SHA-256 of the cookie"),
        sa.Column(
            "state", sa.String(length=16), nullable=False, comment="signed_in; any other opens nothing"
        ),
        sa.Column("client", sa.String(length=64), server_default=NONE, nullable=False),
        sa.Column("user_agent", sa.String(length=255), server_default=NONE, nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("last_used_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_sessions"),
        sa.UniqueConstraint("secret_hash", name="uq_sessions_secret_hash"),
    )
    op.create_index("ix_sessions_user_id", "sessions", ["user_id"])
    op.create_index("ix_sessions_expires_at", "sessions", ["expires_at"])


def _create_invites() -> None:
    op.create_table(
        "invites",
        sa.Column("account_id", sa.String(length=16), nullable=False),
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("email", sa.String(length=320), nullable=False),
        sa.Column("role", sa.String(length=32), nullable=False),
        *_granted("as in memberships"),
        sa.Column("secret_hash", sa.LargeBinary(), nullable=False, comment="SHA-256 of what the link holds"),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("account_id", "id", name="pk_invites"),
        sa.UniqueConstraint("secret_hash", name="uq_invites_secret_hash"),
        sa.UniqueConstraint("account_id", "email", name="uq_invites_account_id_email"),
    )
