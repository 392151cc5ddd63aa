"""What personalised messages are rendered with, per recipient.

Revision ID: 0002
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "personalizations",
        sa.Column("account_id", sa.String(length=16), nullable=False),
        sa.Column("email_id", sa.String(length=24), nullable=False),
        sa.Column("message_id", sa.String(length=24), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False, comment="JSON, types.parts.Personalization"),
        sa.PrimaryKeyConstraint("account_id", "email_id", name="pk_personalizations"),
        comment="what differs from recipient to recipient; goes with the content of its message",
    )
    op.create_index("ix_personalizations_message_id", "personalizations", ["account_id", "message_id"])
