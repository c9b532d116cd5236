"""Held responses of addresses that no contact has yet."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.add_column(
        "unmatched_response",
        sa.Column("held", sa.Boolean(), server_default=sa.false(), nullable=False),
    )
    op.create_index(
        "unmatched_response_held",
        "unmatched_response",
        ["run_id"],
        unique=False,
        sqlite_where=sa.text("held = 1"),
        postgresql_where=sa.text("held"),
    )
