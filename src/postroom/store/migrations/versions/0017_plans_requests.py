"""Plans of accounts, what they ask the operator for, notices of their quota.

Revision ID: 0017
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

NONE = sa.text("''")
OPEN, UNTOLD, SUSPENDED = (
    sa.text("state = 'submitted'"),
    sa.text("told_at IS NULL"),
    sa.text("hold = 'suspended'"),
)


def upgrade() -> None:
    op.add_column("accounts", sa.Column("plan", sa.String(length=50), server_default=NONE, nullable=False))
    op.add_column(
        "accounts",
        sa.Column("approved_at", sa.BigInteger(), nullable=True, comment="also while it is suspended"),
    )
    op.execute("UPDATE accounts SET approved_at = updated_at WHERE state <> 'unapproved'")
    op.create_index(
        "ix_queue_suspended",
        "queue",
        ["account_id", "email_id"],
        sqlite_where=SUSPENDED,
        postgresql_where=SUSPENDED,
    )
    _create_requests()
    op.create_table(
        "quota_notices",
        sa.Column("account_id", sa.String(length=16), nullable=False),
        sa.Column("day", sa.Integer(), nullable=False, comment="days since 1970, UTC"),
        sa.Column("percent", sa.Integer(), nullable=False, comment="80, 100"),
        sa.PrimaryKeyConstraint("account_id", "day", "percent", name="pk_quota_notices"),
        comment="which notices were sent",
    )


def _create_requests() -> None:
    op.create_table(
        "account_requests",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("account_id", sa.String(length=16), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False, comment="approval, quota"),
        sa.Column("state", sa.String(length=16), nullable=False, comment="submitted, approved, refused"),
        sa.Column("answers", sa.Text(), nullable=False, comment="JSON: question -> answer"),
        sa.Column("reason", sa.Text(), server_default=NONE, nullable=False),
        sa.Column("decided_by", sa.String(length=320), server_default=NONE, nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("decided_at", sa.BigInteger(), nullable=True),
        sa.Column(
            "told_at",
            sa.BigInteger(),
            nullable=True,
            comment="null: who is concerned was not told of its state yet",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_account_requests"),
    )
    for name, columns, unique, condition in (
        ("ix_account_requests_open", ["account_id", "kind"], True, OPEN),
        ("ix_account_requests_untold", ["id"], False, UNTOLD),
        ("ix_account_requests_account_id_kind_created_at", ["account_id", "kind", "created_at"], False, None),
        ("ix_account_requests_state_created_at", ["state", "created_at"], False, None),
    ):
        op.create_index(
            name,
            "account_requests",
            columns,
            unique=unique,
            sqlite_where=condition,
            postgresql_where=condition,
        )
