"""Whether the provider is known to have been told of a suppression."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    op.add_column(
        "pushed_suppression",
        sa.Column("confirmed", sa.Boolean(), server_default=sa.true(), nullable=False),
    )
