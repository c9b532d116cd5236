"""The rights that each role needs on Postgres, as SQL to be run by the database's owner."""

from dataclasses import dataclass

from sqlalchemy.dialects import postgresql
from sqlmodel import SQLModel

import contactctl.store.tables  # noqa: F401  (registers the tables)

# what an operator's daily work deletes: plans, memberships, tags, responses that found a contact,
# and counts that are made anew
_OPERATOR_DELETES = (
    "plan_item",
    "membership",
    "contact_tag",
    "unmatched_response",
    "response_rate",
    "unjudged_hour",
)


@dataclass(frozen=True, slots=True)
class Roles:
    """The names of the database's roles: who may look, who may work, who may erase as well."""

    viewer: str
    operator: str
    admin: str


def grant_statements(database: str, schema: str, roles: Roles) -> list[str]:
    """GRANT statements for the three roles, which must exist."""
    dialect = postgresql.dialect()  # type: ignore[no-untyped-call]
    quoted = dialect.identifier_preparer.quote
    tables = [quoted(table.name) for table in SQLModel.metadata.sorted_tables]
    every = ", ".join([*tables, "alembic_version"])
    changed = ", ".join(tables)
    deleted = ", ".join(quoted(name) for name in _OPERATOR_DELETES)
    viewer, operator, admin = (quoted(n) for n in (roles.viewer, roles.operator, roles.admin))
    workers = f"{operator}, {admin}"
    return [
        f"GRANT CONNECT ON DATABASE {quoted(database)} TO {viewer}, {workers};",
        f"GRANT TEMPORARY ON DATABASE {quoted(database)} TO {workers};",
        f"GRANT USAGE ON SCHEMA {quoted(schema)} TO {viewer}, {workers};",
        f"GRANT SELECT ON {every} TO {viewer}, {workers};",
        f"GRANT INSERT, UPDATE ON {changed} TO {workers};",
        f"GRANT DELETE ON {deleted} TO {operator};",
        f"GRANT DELETE ON {changed} TO {admin};",
        f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA {quoted(schema)} TO {workers};",
        _may_analyze("plan_item", workers),
    ]


def _may_analyze(table: str, roles: str) -> str:
    """Large plans are worked off faster with fresh statistics; before 17 only owners take them."""
    grant = f"GRANT MAINTAIN ON {table} TO {roles}"
    return (
        "DO $$ BEGIN IF current_setting('server_version_num')::int >= 170000"
        f" THEN {grant}; END IF; END $$;"
    )
