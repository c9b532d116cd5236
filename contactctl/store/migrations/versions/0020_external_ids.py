"""Ids of sources without a foreign key, which took more time on Postgres than the ids."""

from alembic import op

revision = "0020"
down_revision = "0019"

# SQLite drops no constraint: a table made anew takes its place
_ANEW = (
    """CREATE TABLE external_id_new (
        contact_id INTEGER NOT NULL, source VARCHAR NOT NULL, external_id VARCHAR NOT NULL,
        run_id INTEGER NOT NULL,
        PRIMARY KEY (contact_id, source, external_id)
    ) WITHOUT ROWID""",
    """INSERT INTO external_id_new (contact_id, source, external_id, run_id)
        SELECT contact_id, source, external_id, run_id FROM external_id ORDER BY 1, 2, 3""",
    "DROP TABLE external_id",
    "ALTER TABLE external_id_new RENAME TO external_id",
    "CREATE INDEX external_id_of_source ON external_id (source, external_id)",
)


def upgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        for statement in _ANEW:
            op.execute(statement)
    else:
        op.drop_constraint("external_id_contact_id_fkey", "external_id", type_="foreignkey")
