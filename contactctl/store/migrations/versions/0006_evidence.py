"""Which evidence decided a response's category, and whether it failed behind an alias."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    for table in ("response", "unmatched_response"):
        op.add_column(
            table, sa.Column("evidence", sa.String(), server_default=sa.text("''"), nullable=False)
        )
        op.add_column(
            table, sa.Column("through", sa.Boolean(), server_default=sa.false(), nullable=False)
        )
