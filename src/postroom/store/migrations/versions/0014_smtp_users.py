"""What an SMTP user may do, and how much; `Precedence: bulk` for mail that came by SMTP.

Revision ID: 0014
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    smtp_users()
    smtp_user_counts()
    op.add_column(
        "messages",
        sa.Column("precedence_bulk", sa.Boolean(), server_default=sa.text("false"), nullable=False),
    )


def smtp_users() -> None:
    op.add_column(
        "smtp_users",
        sa.Column(
            "from_domains",
            sa.Text(),
            server_default=sa.text("''"),
            nullable=False,
            comment="ids of the domains that From may be under, one a line; empty: all verified ones",
        ),
    )
    for name, comment in (
        ("hourly_cap", "emails an hour; null: no cap"),
        ("daily_cap", "emails a day; null: no cap"),
    ):
        op.add_column("smtp_users", sa.Column(name, sa.BigInteger(), nullable=True, comment=comment))
    op.add_column("smtp_users", sa.Column("expires_at", sa.BigInteger(), nullable=True))


def smtp_user_counts() -> None:
    op.create_table(
        "smtp_user_counts",
        sa.Column("account_id", sa.String(length=16), nullable=False),
        sa.Column("smtp_user_id", sa.String(length=16), nullable=False),
        sa.Column("span", sa.String(length=4), nullable=False, comment="hour, day"),
        sa.Column("began_at", sa.BigInteger(), nullable=False),
        sa.Column("used", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("account_id", "smtp_user_id", "span", "began_at", name="pk_smtp_user_counts"),
        comment="accepted emails of SMTP users that have a cap",
    )
    op.create_index("ix_smtp_user_counts_began_at", "smtp_user_counts", ["began_at"])
