"""The second step of signing in, links that are good once, and what people prefer.

Revision ID: 0018
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

NONE, ZERO = sa.text("''"), sa.text("0")


def upgrade() -> None:
    op.add_column("users", sa.Column("time_zone", sa.String(length=64), server_default=NONE, nullable=False))
    op.add_column(
        "users",
        sa.Column(
            "preferences",
            sa.Text(),
            server_default=sa.text("'{}'"),
            nullable=False,
            comment="JSON; the dashboard's",
        ),
    )
    _create_second_factors()
    _create_one_time_links()


def _create_second_factors() -> None:
    op.create_table(
        "second_factors",
        sa.Column("user_id", sa.String(length=16), nullable=False),
        sa.Column("secret", sa.LargeBinary(), nullable=False, comment="of the codes (RFC 6238), sealed"),
        sa.Column(
            "confirmed_at", sa.BigInteger(), nullable=True, comment="null: begun only, and not asked for"
        ),
        sa.Column(
            "last_step", sa.BigInteger(), server_default=ZERO, nullable=False, comment="of the code used last"
        ),
        sa.Column("failures", sa.Integer(), server_default=ZERO, nullable=False),
        sa.Column("locked_until", sa.BigInteger(), server_default=ZERO, nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("user_id", name="pk_second_factors"),
        comment="failures: wrong codes since the last right one",
    )
    op.create_table(
        "recovery_codes",
        sa.Column("user_id", sa.String(length=16), nullable=False),
        sa.Column(
            "code_hash",
            sa.LargeBinary(),
            nullable=False,
            comment="HMAC-SHA-256 under the installation's key",
        ),
        sa.PrimaryKeyConstraint("user_id", "code_hash", name="pk_recovery_codes"),
        comment="one row for each code that was not used yet",
    )


def _create_one_time_links() -> None:
    op.create_table(
        "one_time_links",
        sa.Column("secret_hash", sa.LargeBinary(), nullable=False, comment="SHA-256 of what the link holds"),
        sa.Column("purpose", sa.String(length=16), nullable=False, comment="reset, sign_in, sign_up"),
        sa.Column("user_id", sa.String(length=16), nullable=False),
        sa.Column("email", sa.String(length=320), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("secret_hash", name="pk_one_time_links"),
        comment="user_id is empty where there is no user yet",
    )
    op.create_index("ix_one_time_links_purpose_email", "one_time_links", ["purpose", "email"])
    op.create_index("ix_one_time_links_expires_at", "one_time_links", ["expires_at"])
