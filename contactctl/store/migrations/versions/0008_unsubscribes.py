"""What people wish, quickly found among the responses."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

_IS_WISH = sa.text("category IN ('unsubscribed', 'resubscribed')")


def upgrade() -> None:
    for table in ("response", "unmatched_response"):
        op.create_index(
            f"{table}_wish",
            table,
            ["occurred_at"],
            unique=False,
            sqlite_where=_IS_WISH,
            postgresql_where=_IS_WISH,
        )
