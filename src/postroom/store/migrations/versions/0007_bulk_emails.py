"""Bulk emails, and their objects in groups.

Revision ID: 0007
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    bulk_emails()
    bulk_groups()


def bulk_emails() -> None:
    zero, none = sa.text("0"), sa.text("''")
    op.create_table(
        "bulk_emails",
        sa.Column("account_id", sa.String(length=16), nullable=False),
        sa.Column("id", sa.String(length=24), nullable=False),
        sa.Column("token_id", sa.String(length=16), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False, comment="queued, processing, completed"),
        sa.Column("objects", sa.Integer(), nullable=False),
        sa.Column("groups", sa.Integer(), nullable=False),
        sa.Column(
            "done", sa.Integer(), server_default=zero, nullable=False, comment="groups; the next one's number"
        ),
        sa.Column("recipients", sa.Integer(), nullable=False),
        sa.Column("suppressed", sa.Integer(), server_default=zero, nullable=False, comment="recipients"),
        sa.Column("invalid", sa.Integer(), server_default=zero, nullable=False, comment="objects"),
        sa.Column(
            "templates", sa.Text(), nullable=False, comment="JSON: id of a template -> its version at accept"
        ),
        sa.Column(
            "blob",
            sa.String(length=64),
            nullable=False,
            comment="where a large body lies; empty: beside its groups",
        ),
        sa.Column(
            "worker", sa.String(length=32), server_default=none, nullable=False, comment="who works on it"
        ),
        sa.Column(
            "busy_until",
            sa.BigInteger(),
            nullable=False,
            comment="on the steady scale: nobody else touches it",
        ),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("account_id", "id", name="pk_bulk_emails"),
    )
    op.create_index("ix_bulk_emails_id", "bulk_emails", ["id"])
    for name, columns, condition in (
        ("ix_bulk_emails_waiting", ["account_id", "id"], sa.text("state <> 'completed'")),
        ("ix_bulk_emails_blob", ["blob"], sa.text("blob <> ''")),
    ):
        op.create_index(name, "bulk_emails", columns, sqlite_where=condition, postgresql_where=condition)


def bulk_groups() -> None:
    op.create_table(
        "bulk_groups",
        sa.Column("account_id", sa.String(length=16), nullable=False),
        sa.Column("bulk_email_id", sa.String(length=24), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False, comment="from 0"),
        sa.Column("first", sa.Integer(), nullable=False, comment="position of its first object"),
        sa.Column("offset", sa.BigInteger(), nullable=False, comment="in the blob"),
        sa.Column("octets", sa.Integer(), nullable=False, comment="compressed"),
        sa.Column(
            "body",
            sa.LargeBinary(),
            nullable=True,
            comment="JSON array in zstd; null: in the blob, or done",
        ),
        sa.Column(
            "result",
            sa.LargeBinary(),
            nullable=True,
            comment="JSON in zstd, what became of it; null: not done",
        ),
        sa.PrimaryKeyConstraint("account_id", "bulk_email_id", "number", name="pk_bulk_groups"),
        comment="neighbouring objects of a bulk email: what is processed in one go",
    )
