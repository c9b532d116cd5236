"""Plans in the order of runs, so that what asks for one does not read the others."""

import sqlalchemy as sa
from alembic import op

from contactctl.store.types import BigId

revision = "0023"
down_revision = "0022"

_KEY = ("run_id", "contact_id", "group_id", "category")


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.drop_constraint("plan_item_pkey", "plan_item")
        op.create_primary_key("plan_item_pkey", "plan_item", list(_KEY))
        return
    # SQLite changes no key of a table
    op.rename_table("plan_item", "plan_item_before")
    zero, empty = sa.text("0"), ""
    op.create_table(
        "plan_item",
        sa.Column("run_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("contact_id", BigId, autoincrement=False, nullable=False),
        sa.Column("group_id", sa.Integer(), server_default=zero, nullable=False),
        sa.Column("category", sa.Text(), server_default=empty, nullable=False),
        sa.Column("action", sa.Text(), server_default=empty, nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint(*_KEY),
        sqlite_with_rowid=False,
    )
    columns = ", ".join((*_KEY, "action", "revision"))
    op.execute(
        f"INSERT INTO plan_item ({columns}) SELECT {columns} FROM plan_item_before"  # noqa: S608
        " ORDER BY run_id"
    )
    op.drop_table("plan_item_before")
