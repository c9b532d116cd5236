"""Memberships that have ended, and by which run."""

import sqlalchemy as sa
from alembic import op

from contactctl.store.types import BigId, UtcInstant

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "former_membership",
        sa.Column("contact_id", BigId, autoincrement=False, nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("group_id", sa.Integer(), nullable=False),
        sa.Column("group_name", sa.String(), nullable=False),
        sa.Column("added", UtcInstant(), nullable=False),
        sa.Column("ended_at", UtcInstant(), nullable=False),
        sa.ForeignKeyConstraint(["contact_id"], ["contact.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("contact_id", "run_id", "group_id"),
        sqlite_with_rowid=False,
    )
