"""What all models share: their base, the first column of a contact's key, and defaults."""

from typing import Any

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from contactctl.store.types import BigId, Json

# Partial indexes are partial on Postgres as well: the migrations say so.
NO_ROWID = {"sqlite_with_rowid": False}
ZERO = {"server_default": sa.text("0")}
EMPTY = {"server_default": ""}


def contact_key() -> Any:
    """A key's first column: the contact that the row belongs to, and goes with."""
    return given_number(foreign_key="contact.id", ondelete="CASCADE")


def given_number(**arguments: Any) -> Any:
    """A number in a key that the row is given, and no database counts."""
    arguments.setdefault("sa_type", BigId)
    more = {"autoincrement": False, **arguments.pop("sa_column_kwargs", {})}
    return Field(primary_key=True, sa_column_kwargs=more, **arguments)


def mentions_others(*texts: str) -> Any:
    """A column that the database fills in: whether one of these columns may hold an address.

    They are few, and have an index: whoever erases an address reads only their rows.
    """
    together = " || ".join(f"COALESCE(CAST({name} AS TEXT), '')" for name in texts)
    # domain.erasure.SIGNS
    holds = f"REPLACE(REPLACE({together}, '=40', '@'), '%40', '@') LIKE '%@%'"
    return Field(default=None, sa_type=sa.Boolean, sa_column_args=[sa.Computed(holds)])


def mentions_index(table: str) -> sa.Index:
    where = sa.text("mentions_others = 1")
    return sa.Index(f"{table}_mentions_others", "mentions_others", sqlite_where=where)


def json_column() -> Any:
    return Field(default_factory=dict, sa_type=Json, sa_column_kwargs={"server_default": "{}"})


class StoreTable(SQLModel):
    """What all tables are. Nothing is validated by them, so pydantic need not prepare to."""

    model_config = {"defer_build": True}
