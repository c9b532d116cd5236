"""Whose an address is, in a table of its own, which keeps it apart from all others."""

import re

import sqlalchemy as sa
from alembic import op

from contactctl.store.types import BigId

revision = "0015"
down_revision = "0014"

# by the code points: sorted batches go in side by side, and nothing is compared by a language
_BY_CODE_POINT = sa.String().with_variant(sa.String(collation="C"), "postgresql")
_FILL = (
    "INSERT INTO contact_email (email_key, contact_id) SELECT email_key, id FROM contact"
    # one that is anonymised has no address
    " WHERE email_key LIKE '%@%' ORDER BY {order}"
)
_MADE_BY = "SELECT name, sql FROM sqlite_master WHERE tbl_name = 'contact' AND sql > ''"
_WRITTEN_COLUMNS = "SELECT name FROM pragma_table_xinfo('contact') WHERE hidden = 0"
_UNIQUE = re.compile(r",\s*UNIQUE \(email_key\)")


def upgrade() -> None:
    on_sqlite = op.get_bind().dialect.name == "sqlite"
    op.create_table(
        "contact_email",
        sa.Column("email_key", _BY_CODE_POINT, nullable=False),
        sa.Column("contact_id", BigId, nullable=False),
        *(() if not on_sqlite else (sa.PrimaryKeyConstraint("email_key"),)),
        sqlite_with_rowid=False,
    )
    op.execute(_FILL.format(order="email_key" if on_sqlite else 'email_key COLLATE "C"'))
    if on_sqlite:
        _make_contact_again()
        return
    # an index made of all rows takes a fraction of one that each row goes into
    op.create_primary_key("contact_email_pkey", "contact_email", ["email_key"])
    op.drop_constraint("contact_email_key_key", "contact")
    # the same order: it is joined with the addresses
    op.alter_column("unmatched_response", "email_key", type_=_BY_CODE_POINT)


def _make_contact_again() -> None:
    """SQLite drops no constraint: the same table without it takes the rows over."""
    bind = op.get_bind()
    made = {row.name: row.sql for row in bind.execute(sa.text(_MADE_BY))}
    table, dropped = _UNIQUE.subn("", made.pop("contact"))
    if dropped != 1:
        raise RuntimeError("the table of contacts is not as it was made")
    names = ", ".join(bind.execute(sa.text(_WRITTEN_COLUMNS)).scalars())
    named = re.sub(r'^CREATE TABLE "?contact"?', "CREATE TABLE contact_new", table)
    for statement in (
        named,
        f"INSERT INTO contact_new ({names}) SELECT {names} FROM contact ORDER BY id",  # noqa: S608
        # the number of a deleted contact is never given again
        "DELETE FROM sqlite_sequence WHERE name = 'contact_new'",
        "INSERT INTO sqlite_sequence SELECT 'contact_new', seq FROM sqlite_sequence"
        " WHERE name = 'contact'",
        "DROP TABLE contact",
        "ALTER TABLE contact_new RENAME TO contact",
        *made.values(),
    ):
        bind.exec_driver_sql(statement)
