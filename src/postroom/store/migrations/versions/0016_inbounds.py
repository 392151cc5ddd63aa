"""Inbound routes. The audit log is found by what one looks for, and can only be added to.

Revision ID: 0016
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    inbounds()
    audit()
    append_only()


def inbounds() -> None:
    op.create_table(
        "inbounds",
        sa.Column("account_id", sa.String(length=16), nullable=False),
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("domain_id", sa.String(length=16), nullable=False),
        sa.Column("name", sa.String(length=191), nullable=False),
        sa.Column("mailbox", sa.String(length=20), nullable=False, comment="its own address, before the @"),
        sa.Column("inbound_domain", sa.String(length=253), nullable=True, comment="whose mail it takes, too"),
        sa.Column("priority", sa.Integer(), nullable=False, comment="0 to 100; the lowest is asked first"),
        sa.Column("enabled", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("catch_filter", sa.Text(), nullable=False, comment="JSON: kind, conditions"),
        sa.Column("catch_type", sa.String(length=8), nullable=False, comment="all or one of them"),
        sa.Column("match_filter", sa.Text(), nullable=False, comment="JSON: kind, conditions"),
        sa.Column("match_type", sa.String(length=8), nullable=False, comment="all or one of them"),
        sa.Column(
            "forwards", sa.Text(), nullable=False, comment="JSON: id, kind, value, secret (sealed, base64)"
        ),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("account_id", "id", name="pk_inbounds"),
    )
    op.create_index("ix_inbounds_mailbox", "inbounds", ["mailbox"], unique=True)
    op.create_index("ix_inbounds_inbound_domain", "inbounds", ["inbound_domain"])
    op.create_index("ix_inbounds_account_id_domain_id", "inbounds", ["account_id", "domain_id"])


def audit() -> None:
    op.drop_index("ix_audit_object_id", "audit")
    for name in ("object_id", "actor_id", "action"):
        op.create_index(f"ix_audit_{name}", "audit", ["account_id", name, "id"])


def append_only() -> None:
    """Whoever tries to change or delete an entry gets an error that is one of integrity on both databases."""
    if op.get_bind().dialect.name == "sqlite":
        for verb in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER audit_no_{verb.lower()} BEFORE {verb} ON audit "
                "BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END"
            )
        return
    op.execute(
        "CREATE FUNCTION audit_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "RAISE EXCEPTION 'the audit log is append-only' USING ERRCODE = 'integrity_constraint_violation'; "
        "END $$"
    )
    op.execute(
        "CREATE TRIGGER audit_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit "
        "FOR EACH STATEMENT EXECUTE FUNCTION audit_is_append_only()"
    )
