"""The addresses that contacts had, and what came with a contact that was merged into another."""

import sqlalchemy as sa
from alembic import op

from contactctl.store.types import BigId, UtcInstant

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    op.create_table(
        "former_address",
        sa.Column("contact_id", BigId, autoincrement=False, nullable=False),
        sa.Column("change_number", BigId, autoincrement=False, nullable=False),
        sa.Column("email", sa.String(), nullable=False),
        sa.Column("email_key", sa.String(), nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("ended_at", UtcInstant(), nullable=False),
        sa.Column("from_contact", BigId, nullable=True),
        sa.ForeignKeyConstraint(["contact_id"], ["contact.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("contact_id", "change_number"),
        sqlite_with_rowid=False,
    )
    op.create_index("former_address_email_key", "former_address", ["email_key"], unique=False)
    op.add_column("deactivation", sa.Column("from_contact", BigId, nullable=True))
