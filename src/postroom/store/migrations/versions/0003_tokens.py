"""API tokens, and how many requests an account has made on a day.

Revision ID: 0003
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    tokens()
    request_days()


def tokens() -> None:
    op.create_table(
        "tokens",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("account_id", sa.String(length=16), nullable=False),
        sa.Column(
            "domain_id",
            sa.String(length=16),
            nullable=True,
            comment="null: for all domains of the account",
        ),
        sa.Column("name", sa.String(length=50), server_default=sa.text("''"), nullable=False),
        sa.Column("secret_hash", sa.LargeBinary(), nullable=False, comment="SHA-256 of the whole token"),
        sa.Column(
            "preview",
            sa.String(length=32),
            nullable=False,
            comment="how it begins and ends, for people",
        ),
        sa.Column("scopes", sa.Text(), nullable=False, comment="separated by spaces"),
        sa.Column("paused", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=True),
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
        sa.PrimaryKeyConstraint("id", name="pk_tokens"),
        sa.UniqueConstraint("secret_hash", name="uq_tokens_secret_hash"),
    )
    op.create_index("ix_tokens_account_id_created_at", "tokens", ["account_id", "created_at"])


def request_days() -> None:
    op.create_table(
        "request_days",
        sa.Column("account_id", sa.String(length=16), nullable=False),
        sa.Column("day", sa.Integer(), nullable=False, comment="days since 1970, UTC"),
        sa.Column("used", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("account_id", "day", name="pk_request_days"),
        comment="API requests; those who count write their sums every few seconds",
    )
