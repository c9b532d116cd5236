"""What sources call the contacts, whom providers suppress for us, and how far a run has read."""

import sqlalchemy as sa
from alembic import op

from contactctl.store.types import BigId, Json, UtcInstant

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    op.create_table(
        "external_id",
        sa.Column("contact_id", BigId, nullable=False, autoincrement=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("external_id", sa.String(), nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["contact_id"], ["contact.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("contact_id", "source", "external_id"),
        sqlite_with_rowid=False,
    )
    op.create_index("external_id_of_source", "external_id", ["source", "external_id"])
    op.create_table(
        "pushed_suppression",
        sa.Column("contact_id", BigId, nullable=False, autoincrement=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("pushed_at", UtcInstant(), nullable=False),
        sa.ForeignKeyConstraint(["contact_id"], ["contact.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("contact_id", "source"),
        sqlite_with_rowid=False,
    )
    op.add_column("run", sa.Column("position", Json(), server_default="{}", nullable=False))
