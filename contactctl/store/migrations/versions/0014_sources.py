"""What sources call the contacts, and how far a run has read in its source."""

import sqlalchemy as sa
from alembic import op

from contactctl.store.types import BigId, Json

revision = "0014"
down_revision = "0008"


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
    op.add_column("run", sa.Column("position", Json(), server_default="{}", nullable=False))
