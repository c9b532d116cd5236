"""What the store decides for everybody."""

import sqlalchemy as sa
from alembic import op

from contactctl.store.types import Json, UtcInstant

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.create_table(
        "policy",
        sa.Column("number", sa.Integer(), primary_key=True, autoincrement=False, nullable=False),
        sa.Column("document", Json(), server_default="{}", nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("created", UtcInstant(), nullable=False),
    )
