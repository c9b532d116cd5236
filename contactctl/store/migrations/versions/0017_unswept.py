"""Which contacts a sweep of thresholds has yet to look at; by which rules it has looked at all."""

import sqlalchemy as sa
from alembic import op

from contactctl.store.types import BigId

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    op.create_table(
        "unswept",
        sa.Column("contact_id", BigId, autoincrement=False, nullable=False),
        sa.Column("is_begun", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.ForeignKeyConstraint(["contact_id"], ["contact.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("contact_id"),
        sqlite_with_rowid=False,
    )
    op.add_column("routine", sa.Column("state", sa.String(), server_default="", nullable=False))
