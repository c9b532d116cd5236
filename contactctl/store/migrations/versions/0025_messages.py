"""Of which mail a response is, so that one that came back later was not delivered."""

import sqlalchemy as sa
from alembic import op

from contactctl.store.types import BigId

revision = "0025"
down_revision = "0024"


def upgrade() -> None:
    for table in ("response", "unmatched_response"):
        op.add_column(
            table, sa.Column("message", BigId, server_default=sa.text("0"), nullable=False)
        )
