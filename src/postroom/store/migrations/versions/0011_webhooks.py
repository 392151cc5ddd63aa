"""Webhooks.

Revision ID: 0011
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    on = sa.text("true")
    op.create_table(
        "webhooks",
        sa.Column("account_id", sa.String(length=16), nullable=False),
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("domain_id", sa.String(length=16), nullable=False),
        sa.Column("url", sa.String(length=191), nullable=False),
        sa.Column("name", sa.String(length=191), server_default=sa.text("''"), nullable=False),
        sa.Column("events", sa.Text(), nullable=False, comment="separated by spaces"),
        sa.Column("enabled", sa.Boolean(), server_default=on, nullable=False),
        sa.Column("editable", sa.Boolean(), server_default=on, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False, comment="of the payload: 1 or 2"),
        sa.Column(
            "secret", sa.LargeBinary(), nullable=False, comment="signs; sealed with the installation's key"
        ),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("account_id", "id", name="pk_webhooks"),
        sa.UniqueConstraint("account_id", "domain_id", "url", name="uq_webhooks_account_id_domain_id_url"),
    )
