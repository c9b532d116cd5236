"""Of which mail a response is, so that one that came back later was not delivered."""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"


def upgrade() -> None:
    for table in ("response", "unmatched_response"):
        op.add_column(
            table, sa.Column("message", sa.BigInteger(), server_default="0", nullable=False)
        )
