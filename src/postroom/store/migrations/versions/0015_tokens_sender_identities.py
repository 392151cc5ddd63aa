"""Sender identities; and what kind of credential a message, or a bulk email, came with.

Revision ID: 0015
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

EMPTY = sa.text("''")
VERIFIED = sa.text("verified_at IS NOT NULL")


def upgrade() -> None:
    op.add_column(
        "messages",
        sa.Column(
            "credential_kind",
            sa.String(length=16),
            server_default=EMPTY,
            nullable=False,
            comment="smtp_user, token, user, system; empty: from before it was noted",
        ),
    )
    op.add_column(
        "bulk_emails",
        sa.Column(
            "user_id",
            sa.String(length=16),
            server_default=EMPTY,
            nullable=False,
            comment="who sent it by hand; then there is no token_id",
        ),
    )
    op.execute(
        "UPDATE bulk_emails SET user_id = token_id, token_id = '' WHERE token_id IN (SELECT id FROM users)"
    )
    sender_identities()


def sender_identities() -> None:
    op.create_table(
        "sender_identities",
        sa.Column("account_id", sa.String(length=16), nullable=False),
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column(
            "domain_id",
            sa.String(length=16),
            nullable=False,
            comment="signs what is sent from the address",
        ),
        sa.Column(
            "email",
            sa.String(length=320),
            nullable=False,
            comment="local part as written, domain in A-labels",
        ),
        sa.Column("organisation", sa.String(length=253), server_default=EMPTY, nullable=False),
        sa.Column("name", sa.String(length=191), server_default=EMPTY, nullable=False),
        sa.Column("reply_to_email", sa.String(length=320), server_default=EMPTY, nullable=False),
        sa.Column("reply_to_name", sa.String(length=191), server_default=EMPTY, nullable=False),
        sa.Column("add_note", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("personal_note", sa.String(length=250), server_default=EMPTY, nullable=False),
        sa.Column("resends", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column(
            "secret_hash",
            sa.LargeBinary(),
            nullable=True,
            comment="SHA-256 of what the link holds; null: none",
        ),
        sa.Column("expires_at", sa.BigInteger(), nullable=False, comment="of the link"),
        sa.Column(
            "verified_at", sa.BigInteger(), nullable=True, comment="null: its owner has not agreed yet"
        ),
        sa.Column("problem", sa.Text(), server_default=EMPTY, nullable=False),
        sa.Column(
            "checked_at",
            sa.BigInteger(),
            nullable=False,
            comment="when its domain's policy was looked up",
        ),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("account_id", "id", name="pk_sender_identities"),
        sa.UniqueConstraint("account_id", "email", name="uq_sender_identities_account_id_email"),
        sa.UniqueConstraint("secret_hash", name="uq_sender_identities_secret_hash"),
    )
    op.create_index(
        "ix_sender_identities_checked_at",
        "sender_identities",
        ["checked_at"],
        sqlite_where=VERIFIED,
        postgresql_where=VERIFIED,
    )
