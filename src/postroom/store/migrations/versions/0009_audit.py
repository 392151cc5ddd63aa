"""Who changed what.

Revision ID: 0009
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    none = sa.text("''")
    op.create_table(
        "audit",
        sa.Column("account_id", sa.String(length=16), nullable=False, comment="empty: the installation"),
        sa.Column("id", sa.String(length=24), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("actor_kind", sa.String(length=16), nullable=False, comment="user, token, command, system"),
        sa.Column("actor_id", sa.String(length=16), server_default=none, nullable=False),
        sa.Column("actor_name", sa.String(length=320), server_default=none, nullable=False),
        sa.Column("client", sa.String(length=64), server_default=none, nullable=False),
        sa.Column(
            "action", sa.String(length=64), nullable=False, comment="object.verb, like webhook.updated"
        ),
        sa.Column("object_id", sa.String(length=24), server_default=none, nullable=False),
        sa.Column("object_name", sa.String(length=320), server_default=none, nullable=False),
        sa.Column(
            "before",
            sa.Text(),
            nullable=True,
            comment="JSON: the fields that changed, without secrets; null: there was nothing",
        ),
        sa.Column(
            "after", sa.Text(), nullable=True, comment="JSON, likewise; null: there is nothing any more"
        ),
        sa.PrimaryKeyConstraint("account_id", "id", name="pk_audit"),
        comment="append-only",
    )
    op.create_index("ix_audit_object_id", "audit", ["account_id", "object_id"])
