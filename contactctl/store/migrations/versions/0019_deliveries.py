"""Deliveries without a foreign key, which took a quarter of an ingest's time on Postgres."""

from alembic import op

revision = "0019"
down_revision = "0017"

# SQLite drops no constraint: a table made anew takes its place
_ANEW = (
    """CREATE TABLE delivery_new (
        contact_id INTEGER NOT NULL, occurred_at DATETIME NOT NULL, source_hash INTEGER NOT NULL,
        mails INTEGER DEFAULT 1 NOT NULL,
        PRIMARY KEY (contact_id, occurred_at, source_hash)
    ) WITHOUT ROWID""",
    """INSERT INTO delivery_new (contact_id, occurred_at, source_hash, mails)
        SELECT contact_id, occurred_at, source_hash, mails FROM delivery ORDER BY 1, 2, 3""",
    "DROP TABLE delivery",
    "ALTER TABLE delivery_new RENAME TO delivery",
)


def upgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        for statement in _ANEW:
            op.execute(statement)
    else:
        op.drop_constraint("delivery_contact_id_fkey", "delivery", type_="foreignkey")
