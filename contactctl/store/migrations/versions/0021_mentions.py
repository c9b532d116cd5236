"""Which rows may hold the address of somebody else: all that an erasure has to read."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"

# each with the texts to look at
_FILLED_IN = {
    "contact": (
        *("first_name_folded", "last_name_folded", "phone_folded", "company_folded"),
        *("source_folded", "attributes_folded"),
    ),
    "contact_tag": ("tag_folded",),
    "external_id": ("external_id",),
    "former_membership": ("group_name",),
}
_SIGNS = "REPLACE(REPLACE({}, '=40', '@'), '%40', '@') LIKE '%@%'"

# whose address a response is about, and how that is known to be one that is spelled in one way
_OWN = {
    "response": "SELECT email_key AS own FROM contact WHERE contact.id = response.contact_id",
    "unmatched_response": "SELECT email_key AS own",
}
_IS_PLAIN = {
    "sqlite": "own GLOB '[a-z0-9]*@[a-z0-9]*.*' AND own NOT GLOB '*[^a-z0-9._@-]*'"
    " AND own NOT GLOB '*@*@*'",
    "postgresql": "own ~ '^[a-z0-9][a-z0-9._-]*@[a-z0-9-]+([.][a-z0-9-]+)+$'",
}
_TEXTS = ("diagnostic", "source_key", "status", "rule", "evidence", "host", "source")
_OWN_ALONE = """
    UPDATE {table} SET mentions_others = {no} WHERE EXISTS (
        SELECT 1 FROM ({own}) AS about WHERE lower(recipient) = own AND {is_plain}
        AND NOT {others})"""


def upgrade() -> None:
    dialect = op.get_bind().dialect.name
    for table, texts in _FILLED_IN.items():
        together = " || ".join(f"COALESCE(CAST({name} AS TEXT), '')" for name in texts)
        # SQLite adds no stored one; Postgres has no index on any other
        holds = sa.Computed(_SIGNS.format(together), persisted=dialect != "sqlite")
        op.add_column(table, sa.Column("mentions_others", sa.Boolean(), holds))
        _index(table, dialect)
    together = " || ' ' || ".join(_TEXTS)
    others = _SIGNS.format(f"REPLACE(lower({together}), '<' || own || '>', '')")
    for table, own in _OWN.items():
        assumed: sa.Column[bool] = sa.Column(
            "mentions_others", sa.Boolean(), server_default=sa.true(), nullable=False
        )
        op.add_column(table, assumed)
        no = "0" if dialect == "sqlite" else "false"
        op.execute(
            sa.text(
                _OWN_ALONE.format(
                    table=table, no=no, own=own, is_plain=_IS_PLAIN[dialect], others=others
                )
            )
        )
        _index(table, dialect)


def _index(table: str, dialect: str) -> None:
    which = sa.text("mentions_others = 1" if dialect == "sqlite" else "mentions_others")
    op.create_index(
        f"{table}_mentions_others",
        table,
        ["mentions_others"],
        sqlite_where=which,
        postgresql_where=which,
    )
