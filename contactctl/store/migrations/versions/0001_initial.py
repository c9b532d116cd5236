"""The first schema."""

import sqlalchemy as sa
from alembic import op

from contactctl.store.types import BigId, Json, UtcInstant

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "contact",
        sa.Column("id", BigId, nullable=False),
        sa.Column("email", sa.String(), nullable=False),
        sa.Column("email_key", sa.String(), nullable=False),
        sa.Column("email_domain", sa.String(), nullable=False),
        sa.Column("first_name", sa.String(), nullable=True),
        sa.Column("first_name_folded", sa.String(), nullable=True),
        sa.Column("last_name", sa.String(), nullable=True),
        sa.Column("last_name_folded", sa.String(), nullable=True),
        sa.Column("phone", sa.String(), nullable=True),
        sa.Column("phone_folded", sa.String(), nullable=True),
        sa.Column("company", sa.String(), nullable=True),
        sa.Column("company_folded", sa.String(), nullable=True),
        sa.Column("source", sa.String(), nullable=True),
        sa.Column("source_folded", sa.String(), nullable=True),
        sa.Column("status", sa.Text(), server_default="active", nullable=False),
        sa.Column("last_opportunity", sa.Date(), nullable=True),
        sa.Column("last_emailed", UtcInstant(), nullable=True),
        sa.Column("last_opened", UtcInstant(), nullable=True),
        sa.Column("last_clicked", UtcInstant(), nullable=True),
        sa.Column("delivered_at", UtcInstant(), nullable=True),
        sa.Column("reactivated_at", UtcInstant(), nullable=True),
        sa.Column("created", UtcInstant(), nullable=False),
        sa.Column("updated", UtcInstant(), nullable=False),
        sa.Column("revision", sa.Integer(), server_default="0", nullable=False),
        sa.Column("attributes", Json, server_default="{}", nullable=False),
        sa.Column("attributes_folded", Json, server_default="{}", nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("email_key"),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "contact_active_last_opportunity",
        "contact",
        ["last_opportunity"],
        unique=False,
        sqlite_where=sa.text("status = 'active'"),
        postgresql_where=sa.text("status = 'active'"),
    )
    op.create_table(
        "group",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("name_folded", sa.String(), nullable=False),
        sa.Column("created", UtcInstant(), nullable=False),
        sa.Column("settings", Json, server_default="{}", nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("name_folded"),
    )
    op.create_table(
        "plan_item",
        sa.Column("contact_id", BigId, autoincrement=False, nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column(
            "group_id",
            sa.Integer(),
            autoincrement=False,
            server_default=sa.text("0"),
            nullable=False,
        ),
        sa.Column("category", sa.Text(), server_default="", nullable=False),
        sa.Column("action", sa.Text(), server_default="", nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("contact_id", "run_id", "group_id", "category"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "run",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("operator", sa.String(), nullable=False),
        sa.Column("database_identity", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("request", Json, server_default="{}", nullable=False),
        sa.Column("planned", sa.Integer(), nullable=False),
        sa.Column("changed", sa.Integer(), nullable=False),
        sa.Column("skipped", Json, server_default="{}", nullable=False),
        sa.Column("results", Json, server_default="{}", nullable=False),
        sa.Column("cursor", BigId, server_default=sa.text("0"), nullable=False),
        sa.Column("active_before", sa.Integer(), nullable=True),
        sa.Column("active_after", sa.Integer(), nullable=True),
        sa.Column("planned_at", UtcInstant(), nullable=False),
        sa.Column("started_at", UtcInstant(), nullable=True),
        sa.Column("finished_at", UtcInstant(), nullable=True),
        sa.Column("expires_at", UtcInstant(), nullable=True),
        sa.Column("clock_replaced", sa.Boolean(), nullable=False),
        sa.Column("message", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "suppression",
        sa.Column("key_hash", sa.String(), nullable=False),
        sa.Column("created", UtcInstant(), nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("key_hash"),
    )
    op.create_table(
        "unmatched_response",
        sa.Column("email_key", sa.String(), nullable=False),
        sa.Column("source_key", sa.String(), nullable=False),
        sa.Column("category", sa.String(), nullable=False),
        sa.Column("counts", sa.Boolean(), nullable=False),
        sa.Column("not_counted", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("diagnostic", sa.String(), nullable=False),
        sa.Column("rule", sa.String(), nullable=False),
        sa.Column("recipient", sa.String(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("group_folded", sa.String(), nullable=False),
        sa.Column("occurred_at", UtcInstant(), nullable=False),
        sa.Column("recorded_at", UtcInstant(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("email_key", "source_key"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "contact_tag",
        sa.Column("contact_id", BigId, autoincrement=False, nullable=False),
        sa.Column("tag_folded", sa.String(), nullable=False),
        sa.Column("tag", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["contact_id"], ["contact.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("contact_id", "tag_folded"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "deactivation",
        sa.Column("contact_id", BigId, autoincrement=False, nullable=False),
        sa.Column("group_id", sa.Integer(), nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("category", sa.String(), nullable=False),
        sa.Column("origin", sa.String(), nullable=False),
        sa.Column("started_at", UtcInstant(), nullable=False),
        sa.Column("ended_at", UtcInstant(), nullable=True),
        sa.Column("ended_by_run_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["contact_id"], ["contact.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("contact_id", "group_id", "run_id", "category"),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "deactivation_open_threshold",
        "deactivation",
        ["category", "started_at"],
        unique=False,
        sqlite_where=sa.text("ended_at IS NULL AND origin = 'threshold'"),
        postgresql_where=sa.text("ended_at IS NULL AND origin = 'threshold'"),
    )
    op.create_table(
        "membership",
        sa.Column("contact_id", BigId, autoincrement=False, nullable=False),
        sa.Column("group_id", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), server_default="follows", nullable=False),
        sa.Column("added", UtcInstant(), nullable=False),
        sa.Column("reactivated_at", UtcInstant(), nullable=True),
        sa.ForeignKeyConstraint(["contact_id"], ["contact.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["group_id"],
            ["group.id"],
        ),
        sa.PrimaryKeyConstraint("contact_id", "group_id"),
        sqlite_with_rowid=False,
    )
    op.create_index("membership_group", "membership", ["group_id", "contact_id"], unique=False)
    op.create_table(
        "response",
        sa.Column("contact_id", BigId, autoincrement=False, nullable=False),
        sa.Column("source_key", sa.String(), nullable=False),
        sa.Column("category", sa.String(), nullable=False),
        sa.Column("counts", sa.Boolean(), nullable=False),
        sa.Column("not_counted", sa.String(), nullable=False),
        sa.Column("held", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("diagnostic", sa.String(), nullable=False),
        sa.Column("rule", sa.String(), nullable=False),
        sa.Column("recipient", sa.String(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("group_id", sa.Integer(), nullable=False),
        sa.Column("occurred_at", UtcInstant(), nullable=False),
        sa.Column("recorded_at", UtcInstant(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["contact_id"], ["contact.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("contact_id", "source_key"),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "response_held",
        "response",
        ["run_id"],
        unique=False,
        sqlite_where=sa.text("held = 1"),
        postgresql_where=sa.text("held"),
    )
