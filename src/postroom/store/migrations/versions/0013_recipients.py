"""Recipients; what lists of suppressions and templates are found by.

Revision ID: 0013
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

WITH_TEMPLATE = sa.text("template_id IS NOT NULL")


def upgrade() -> None:
    recipients()
    op.create_index("ix_suppressions_account_id_list_id", "suppressions", ["account_id", "list", "id"])
    op.create_index(
        "ix_api_messages_template_id",
        "api_messages",
        ["account_id", "template_id", "id"],
        sqlite_where=WITH_TEMPLATE,
        postgresql_where=WITH_TEMPLATE,
    )
    op.add_column(
        "templates",
        sa.Column(
            "variables",
            sa.Text(),
            server_default=sa.text("''"),
            nullable=False,
            comment="of the newest version, one a line",
        ),
    )


def recipients() -> None:
    op.create_table(
        "recipients",
        sa.Column("account_id", sa.String(length=16), nullable=False),
        sa.Column("id", sa.String(length=24), nullable=False),
        sa.Column("domain_id", sa.String(length=16), nullable=False),
        sa.Column("email", sa.String(length=320), nullable=False),
        sa.Column(
            "newest",
            sa.Text(),
            server_default=sa.text("''"),
            nullable=False,
            comment="emails.id, separated by spaces",
        ),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False, comment="when it was written to last"),
        sa.Column(
            "deleted_at", sa.BigInteger(), nullable=True, comment="not listed until it is written to again"
        ),
        sa.PrimaryKeyConstraint("account_id", "id", name="pk_recipients"),
        comment="an address, once for each domain that wrote to it; id as store.recipients tells it",
    )
    for name, columns in (
        ("ix_recipients_account_id_email_id", ["account_id", "email", "id"]),
        ("ix_recipients_account_id_domain_id_email", ["account_id", "domain_id", "email"]),
        ("ix_recipients_updated_at", ["updated_at"]),
    ):
        op.create_index(name, "recipients", columns)
    op.create_table(
        "recipient_marks",
        sa.Column("account_id", sa.String(length=16), nullable=False),
        sa.Column("email_id", sa.String(length=24), nullable=False),
        sa.PrimaryKeyConstraint("account_id", name="pk_recipient_marks"),
        comment="the newest email of an account whose recipient was gathered",
    )
