"""What somebody is writing and looks at; links that confirm another address.

Revision ID: 0019
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "previews",
        sa.Column("user_id", sa.String(length=16), nullable=False),
        sa.Column("id", sa.String(length=16), nullable=False, comment="in the address of the page"),
        sa.Column("html", sa.LargeBinary(), nullable=False, comment="UTF-8, as it was written"),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("user_id", name="pk_previews"),
        comment="what somebody is writing and looks at: one each, for a minute",
    )
    op.create_index("ix_previews_expires_at", "previews", ["expires_at"])
    if op.get_bind().dialect.name == "postgresql":
        op.alter_column("one_time_links", "purpose", comment="reset, sign_in, sign_up, email")
