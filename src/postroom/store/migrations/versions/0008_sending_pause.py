"""Sending can be paused per domain; messages keep the settings they were given; a bulk email can fail.

Revision ID: 0008
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    sending_pause()
    op.add_column(
        "api_messages",
        sa.Column(
            "settings",
            sa.Text(),
            nullable=True,
            comment="JSON: an object of booleans, by the names of `settings` in the API",
        ),
    )
    failure()


def sending_pause() -> None:
    op.add_column(
        "domains", sa.Column("send_paused", sa.Boolean(), server_default=sa.text("false"), nullable=False)
    )
    for name, table, columns, condition in (
        ("ix_domains_paused", "domains", ["id"], sa.text("send_paused")),
        ("ix_queue_paused", "queue", ["domain_id", "account_id", "email_id"], sa.text("hold = 'paused'")),
    ):
        op.create_index(name, table, columns, sqlite_where=condition, postgresql_where=condition)


def failure() -> None:
    op.add_column(
        "bulk_emails",
        sa.Column(
            "failure",
            sa.Text(),
            server_default=sa.text("''"),
            nullable=False,
            comment="why it failed, for people",
        ),
    )
    if op.get_context().dialect.name != "sqlite":  # which keeps no comments
        op.alter_column("bulk_emails", "state", comment="queued, processing, completed, failed")
