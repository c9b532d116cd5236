"""What the store decides for everybody, and what of it was in force for each run."""

import sqlalchemy as sa
from alembic import op

from contactctl.store.types import Json, UtcInstant

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.create_table(
        "policy",
        sa.Column("number", sa.Integer(), primary_key=True, autoincrement=False, nullable=False),
        sa.Column("document", Json(), server_default="{}", nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("created", UtcInstant(), nullable=False),
    )
    op.add_column("run", sa.Column("terms", Json(), server_default="{}", nullable=False))
    op.add_column("run", sa.Column("limit_override", sa.Integer(), nullable=True))
    op.add_column("run", sa.Column("planned_role", sa.String(), server_default="", nullable=False))
    if op.get_bind().dialect.name == "postgresql":
        # after the column is there: who planned what is in the store already is not known
        op.alter_column("run", "planned_role", server_default=sa.text("SESSION_USER"))
