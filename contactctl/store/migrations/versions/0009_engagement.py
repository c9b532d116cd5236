"""Who reads what is sent: deliveries counted once each, and by domain and hour; clicks."""

import sqlalchemy as sa
from alembic import op

from contactctl.store.types import BigId, UtcInstant

revision = "0009"
down_revision = "0008"

_LAST_ENGAGED = (
    "CASE WHEN last_clicked > last_opened OR last_opened IS NULL"
    " THEN last_clicked ELSE last_opened END"
)


def upgrade() -> None:
    # as by default; said, since SQLAlchemy warns of servers that can only store such a column
    is_stored = (op.get_bind().dialect.server_version_info or (99,)) < (18,)
    is_stored &= op.get_bind().dialect.name == "postgresql"
    last_engaged = sa.Computed(_LAST_ENGAGED, persisted=True if is_stored else None)
    op.add_column("contact", sa.Column("last_machine_opened", UtcInstant(), nullable=True))
    op.add_column(
        "contact",
        sa.Column("last_engaged", UtcInstant(), last_engaged, nullable=True),
    )
    for name in ("mails_received", "mails_since_engaged"):
        op.add_column(
            "contact", sa.Column(name, sa.Integer(), server_default=sa.text("0"), nullable=False)
        )
    op.create_table(
        "delivery",
        _contact_id(),
        sa.Column("occurred_at", UtcInstant(), nullable=False),
        sa.Column("source_hash", BigId, autoincrement=False, nullable=False),
        sa.Column("mails", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.PrimaryKeyConstraint("contact_id", "occurred_at", "source_hash"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "click",
        _contact_id(),
        sa.Column("occurred_at", UtcInstant(), nullable=False),
        sa.PrimaryKeyConstraint("contact_id", "occurred_at"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "delivery_rate",
        sa.Column("hour", UtcInstant(), nullable=False),
        sa.Column("domain", sa.String(), nullable=False),
        sa.Column("deliveries", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("hour", "domain"),
        sqlite_with_rowid=False,
    )
    op.execute(
        "INSERT INTO click (contact_id, occurred_at)"
        " SELECT id, last_clicked FROM contact WHERE last_clicked IS NOT NULL"
    )


def _contact_id() -> sa.Column[int]:
    return sa.Column(
        "contact_id",
        BigId,
        sa.ForeignKey("contact.id", ondelete="CASCADE"),
        autoincrement=False,
        nullable=False,
    )
