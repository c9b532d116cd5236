"""Whether a contact may mention others: worked out when asked, and not kept in its row.

Postgres 18, like 16 and 17, reads the expression of a stored column anew for each row that an
UPDATE of other columns changes, which takes longer than the change itself.
"""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"

_TEXTS = (
    *("first_name_folded", "last_name_folded", "phone_folded", "company_folded"),
    *("source_folded", "attributes_folded"),
)
_TOGETHER = " || ".join(f"COALESCE(CAST({name} AS TEXT), '')" for name in _TEXTS)
_HOLDS = f"REPLACE(REPLACE({_TOGETHER}, '=40', '@'), '%40', '@') LIKE '%@%'"


def upgrade() -> None:
    dialect = op.get_bind().dialect
    # SQLite stores none; servers before 18 can only store them
    if dialect.name == "sqlite" or (dialect.server_version_info or (99,)) < (18,):
        return
    op.drop_index("contact_mentions_others", "contact")
    op.drop_column("contact", "mentions_others")
    # SQLAlchemy 2.0 writes no virtual columns for Postgres
    virtual = f"mentions_others boolean GENERATED ALWAYS AS ({_HOLDS}) VIRTUAL"
    op.execute(f"ALTER TABLE contact ADD COLUMN {virtual}")
    # no index can be on such a column, but one of what it says is used for it
    op.create_index("contact_mentions_others", "contact", ["id"], postgresql_where=sa.text(_HOLDS))
