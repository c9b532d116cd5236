"""Who applied a plan, and who went on with an interrupted run."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.add_column("run", sa.Column("applied_by", sa.String(), nullable=True))
    op.add_column("run", sa.Column("resumed_by", sa.String(), nullable=True))
