"""Bursts of responses: rates by hour, incidents, and what an incident has taken back."""

import sqlalchemy as sa
from alembic import op

from contactctl.store.types import UtcInstant

revision = "0005"
down_revision = "0004"

_RESPONSES = ("response", "unmatched_response")
# what came before is not judged any more, but it says what is usual
_FILL = """
    INSERT INTO response_rate (hour, category, domain, host, rule, responses, released)
    SELECT {hour}, category, domain, '', rule, count(*), 0 FROM (
        SELECT r.occurred_at, r.category, c.email_domain AS domain, r.rule
        FROM response r JOIN contact c ON c.id = r.contact_id
        WHERE r.counts AND r.channel = 'email' AND NOT r.held
        UNION ALL
        SELECT occurred_at, category, {domain}, rule FROM unmatched_response
        WHERE counts AND channel = 'email' AND NOT held) AS every
    GROUP BY 1, 2, 3, 5"""


def upgrade() -> None:
    for table in _RESPONSES:
        op.add_column(table, sa.Column("host", sa.String(), server_default="", nullable=False))
        op.add_column(table, sa.Column("incident_id", sa.Integer(), nullable=True))
        op.create_index(f"{table}_occurred", table, ["occurred_at"], unique=False)
    op.add_column(
        "deactivation",
        sa.Column("taken_back", sa.Boolean(), server_default=sa.false(), nullable=False),
    )
    op.create_table(
        "incident",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("shared_by", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("category", sa.String(), nullable=False),
        sa.Column("first_hour", UtcInstant(), nullable=False),
        sa.Column("last_hour", UtcInstant(), nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "response_rate",
        sa.Column("hour", UtcInstant(), nullable=False),
        sa.Column("category", sa.String(), nullable=False),
        sa.Column("domain", sa.String(), nullable=False),
        sa.Column("host", sa.String(), nullable=False),
        sa.Column("rule", sa.String(), nullable=False),
        sa.Column("responses", sa.Integer(), nullable=False),
        sa.Column("released", sa.Integer(), nullable=False),
        sa.Column("incident_id", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("hour", "category", "domain", "host", "rule"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "unjudged_hour",
        sa.Column("hour", UtcInstant(), nullable=False),
        sa.PrimaryKeyConstraint("hour"),
        sqlite_with_rowid=False,
    )
    if op.get_bind().dialect.name == "sqlite":
        hour = r"substr(occurred_at, 1, 13) || '\:00\:00.000000'"
        domain = "substr(email_key, instr(email_key, '@') + 1)"
    else:
        hour = "date_trunc('hour', occurred_at, 'UTC')"
        domain = "split_part(email_key, '@', 2)"
    op.execute(_FILL.format(hour=hour, domain=domain))
