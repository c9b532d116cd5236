"""Deactivations without a foreign key, which locked each contact's row once more."""

import sqlalchemy as sa
from alembic import op

from contactctl.store.types import BigId, UtcInstant

revision = "0014"
down_revision = "0013"

_IS_OPEN_THRESHOLD = "ended_at IS NULL AND origin = 'threshold'"


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.drop_constraint("deactivation_contact_id_fkey", "deactivation")
        return
    # SQLite takes no constraint away from a table
    op.rename_table("deactivation", "deactivation_before")
    op.create_table(
        "deactivation",
        sa.Column("contact_id", BigId, autoincrement=False, nullable=False),
        sa.Column("group_id", sa.Integer(), nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("category", sa.String(), nullable=False),
        sa.Column("origin", sa.String(), nullable=False),
        sa.Column("started_at", UtcInstant(), nullable=False),
        sa.Column("ended_at", UtcInstant(), nullable=True),
        sa.Column("ended_by_run_id", sa.Integer(), nullable=True),
        sa.Column("taken_back", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("from_contact", BigId, nullable=True),
        sa.PrimaryKeyConstraint("contact_id", "group_id", "run_id", "category"),
        sqlite_with_rowid=False,
    )
    op.execute("INSERT INTO deactivation SELECT * FROM deactivation_before")
    op.drop_table("deactivation_before")
    op.create_index(
        "deactivation_open_threshold",
        "deactivation",
        ["category", "started_at"],
        unique=False,
        sqlite_where=sa.text(_IS_OPEN_THRESHOLD),
    )
