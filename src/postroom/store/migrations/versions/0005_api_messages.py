"""What only messages of the API have; their metadata, to be searched; idempotency keys.

Revision ID: 0005
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    api_messages()
    message_metadata()
    idempotency_keys()


def api_messages() -> None:
    op.create_table(
        "api_messages",
        sa.Column("account_id", sa.String(length=16), nullable=False),
        sa.Column("id", sa.String(length=24), nullable=False),
        sa.Column("template_id", sa.String(length=16), nullable=True),
        sa.Column("template_version", sa.String(length=16), nullable=True, comment="template_versions.id"),
        sa.Column(
            "headers", sa.Text(), nullable=True, comment="JSON: the custom ones, a list of {name, value}"
        ),
        sa.Column("metadata", sa.Text(), nullable=True, comment="JSON: an object of strings"),
        sa.Column(
            "send_at",
            sa.BigInteger(),
            nullable=True,
            comment="when a scheduled message was asked to be sent",
        ),
        sa.PrimaryKeyConstraint("account_id", "id", name="pk_api_messages"),
        comment="what only messages of the API have; those without any of it have no row",
    )
    scheduled = sa.text("send_at IS NOT NULL")
    op.create_index(
        "ix_api_messages_send_at",
        "api_messages",
        ["account_id", "send_at"],
        sqlite_where=scheduled,
        postgresql_where=scheduled,
    )


def message_metadata() -> None:
    op.create_table(
        "message_metadata",
        sa.Column("account_id", sa.String(length=16), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("value", sa.String(length=255), nullable=False),
        sa.Column("message_id", sa.String(length=24), nullable=False),
        sa.PrimaryKeyConstraint("account_id", "name", "value", "message_id", name="pk_message_metadata"),
        comment="api_messages.metadata once more, to be searched",
    )
    op.create_index(
        "ix_message_metadata_account_id_message_id", "message_metadata", ["account_id", "message_id"]
    )


def idempotency_keys() -> None:
    op.create_table(
        "idempotency_keys",
        sa.Column("account_id", sa.String(length=16), nullable=False),
        sa.Column("key", sa.String(length=255), nullable=False),
        sa.Column("fingerprint", sa.LargeBinary(), nullable=False, comment="SHA-256 of what was asked"),
        sa.Column("answer", sa.Text(), nullable=False, comment="JSON: what the answer is made of"),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("account_id", "key", name="pk_idempotency_keys"),
    )
    op.create_index("ix_idempotency_keys_expires_at", "idempotency_keys", ["expires_at"])
