"""When what cron does was last done."""

import sqlalchemy as sa
from alembic import op

from contactctl.store.types import UtcInstant

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    op.create_table(
        "routine",
        sa.Column("work", sa.String(), nullable=False),
        sa.Column("done_at", UtcInstant(), nullable=False),
        sa.PrimaryKeyConstraint("work"),
    )
