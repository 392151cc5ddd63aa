"""What customers set for their domains, and what becomes of domains whose records are gone.

A name may be added by several accounts as long as only one has verified it.

Revision ID: 0012
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from publicsuffixlist import PublicSuffixList

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

PAUSED = sa.text("send_paused")
VERIFIED = sa.text("verified_at IS NOT NULL")
THERE = sa.text("deleted_at IS NULL")
DELETED = sa.text("deleted_at IS NOT NULL")


def upgrade() -> None:
    op.drop_index("ix_domains_paused", "domains")
    with op.batch_alter_table("domains") as table:  # SQLite can drop a constraint only with the table
        table.drop_constraint("uq_domains_name", type_="unique")
        for column in columns():
            table.add_column(column)
    op.drop_index("ix_domains_account_id_name", "domains")
    for name, columns_of, unique, condition in (
        ("ix_domains_account_id_name", ["account_id", "name"], True, THERE),
        ("ix_domains_paused", ["id"], False, PAUSED),
        ("ix_domains_verified_name", ["name"], True, VERIFIED),
        ("ix_domains_deleted", ["id"], False, DELETED),
        ("ix_domains_name", ["name"], False, None),
        ("ix_domains_organisation", ["organisation"], False, None),
    ):
        op.create_index(
            name, "domains", columns_of, unique=unique, sqlite_where=condition, postgresql_where=condition
        )
    name_organisations()


def columns() -> list[sa.Column[object]]:
    empty = sa.text("''")
    return [
        sa.Column("organisation", sa.String(length=253), server_default=empty, nullable=False),
        sa.Column(
            "settings",
            sa.Text(),
            server_default=sa.text("'{}'"),
            nullable=False,
            comment="JSON, tenancy.domain_settings",
        ),
        sa.Column(
            "pause_reason",
            sa.String(length=16),
            server_default=empty,
            nullable=False,
            comment="empty: its owner; dns: the records are gone; lost: another account has it now",
        ),
        sa.Column("failing_since", sa.BigInteger(), nullable=True),
        sa.Column("tracking_verified_at", sa.BigInteger(), nullable=True),
        sa.Column("inbound_verified_at", sa.BigInteger(), nullable=True),
        sa.Column("deleted_at", sa.BigInteger(), nullable=True),
    ]


def name_organisations() -> None:
    suffixes = PublicSuffixList()
    domains = sa.table("domains", sa.column("id"), sa.column("name"), sa.column("organisation"))
    connection = op.get_bind()
    for domain_id, name in connection.execute(sa.select(domains.c.id, domains.c.name)).all():
        organisation = suffixes.privatesuffix(name) or name
        connection.execute(
            domains.update().where(domains.c.id == domain_id).values(organisation=organisation)
        )
