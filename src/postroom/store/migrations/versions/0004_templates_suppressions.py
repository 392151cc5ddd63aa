"""Stored templates with their versions; suppressions for one domain, for one stream, for a time, by pattern.

Revision ID: 0004
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    templates()
    template_versions()
    suppressions()


def templates() -> None:
    op.create_table(
        "templates",
        sa.Column("account_id", sa.String(length=16), nullable=False),
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column(
            "domain_id", sa.String(length=16), nullable=True, comment="null: for all domains of the account"
        ),
        sa.Column("version_id", sa.String(length=16), nullable=False, comment="the newest"),
        sa.Column("name", sa.String(length=50), server_default=sa.text("''"), nullable=False),
        sa.Column("type", sa.String(length=8), nullable=False, comment="how it was made: dd, rt, gh, api"),
        sa.Column(
            "categories", sa.Text(), server_default=sa.text("''"), nullable=False, comment="one a line"
        ),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("account_id", "id", name="pk_templates"),
    )


def template_versions() -> None:
    op.create_table(
        "template_versions",
        sa.Column("account_id", sa.String(length=16), nullable=False),
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("template_id", sa.String(length=16), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False, comment="counted from 1"),
        sa.Column("content", sa.LargeBinary(), nullable=False, comment="types.template, JSON in zstd"),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("account_id", "id", name="pk_template_versions"),
        sa.UniqueConstraint(
            "account_id",
            "template_id",
            "number",
            name="uq_template_versions_account_id_template_id_number",
        ),
        comment="what a template was at a time; never changes",
    )
    if op.get_context().dialect.name == "postgresql":
        op.execute("ALTER TABLE template_versions ALTER COLUMN content SET STORAGE EXTERNAL")


def suppressions() -> None:
    for column in (
        sa.Column("pattern", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column(
            "stream",
            sa.String(length=16),
            server_default=sa.text("''"),
            nullable=False,
            comment="empty: all mail",
        ),
        sa.Column("expires_at", sa.BigInteger(), nullable=True),
    ):
        op.add_column("suppressions", column)
    op.execute("UPDATE suppressions SET stream = 'broadcast' WHERE list = 'unsubscribes'")
    _index("pattern", ["account_id"], "pattern", unique=False)
    _index("expires_at", ["expires_at"], "expires_at IS NOT NULL", unique=False)
    _index("whole_account", ["account_id", "list", "address"], "domain_id IS NULL", unique=True)
    _index("one_domain", ["account_id", "list", "address", "domain_id"], "domain_id IS NOT NULL", unique=True)


def _index(name: str, columns: list[str], where: str, *, unique: bool) -> None:
    condition = sa.text(where)
    op.create_index(
        f"ix_suppressions_{name}",
        "suppressions",
        columns,
        unique=unique,
        sqlite_where=condition,
        postgresql_where=condition,
    )
