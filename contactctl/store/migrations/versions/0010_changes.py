"""What followers are told, from how everything is now on."""

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

from contactctl.store.types import BigId, UtcInstant

revision = "0010"
down_revision = "0009"

# how everything is now, told of all contacts that there are (store.models.Change)
_BEGIN = """
    INSERT INTO change (run_id, kind, contact_id, last_contact_id, at)
    SELECT 0, '{kind}', 1, max(id), :now FROM contact HAVING max(id) IS NOT NULL"""
_BEGUN_WITH = ("added", "joined", "deactivated", "unsubscribed")


def upgrade() -> None:
    op.create_table(
        "change",
        sa.Column("number", BigId, nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("contact_id", BigId, nullable=False),
        sa.Column("last_contact_id", BigId, nullable=True),
        sa.Column("group_id", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("state", sa.Text(), server_default="", nullable=False),
        sa.Column("into_id", BigId, nullable=True),
        sa.Column("at", UtcInstant(), nullable=False),
        sa.PrimaryKeyConstraint("number"),
        sqlite_autoincrement=True,
    )
    op.create_index("change_run", "change", ["run_id"], unique=False)
    now = sa.bindparam("now", datetime.now(UTC), type_=UtcInstant())
    for kind in _BEGUN_WITH:
        op.execute(sa.text(_BEGIN.format(kind=kind)).bindparams(now))
