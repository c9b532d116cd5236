"""What all tables share: their base, the first column of a contact's key, and defaults."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Select, Table, text
from sqlmodel import Field, SQLModel

from contactctl.store.types import BigId, Json

# Partial indexes are partial on Postgres as well: the migrations say so. Saying it here too would
# load the Postgres dialect at every start.
NO_ROWID = {"sqlite_with_rowid": False}
ZERO = {"server_default": text("0")}
EMPTY = {"server_default": ""}


def contact_key() -> Any:
    """A key's first column: the contact that the row belongs to, and goes with."""
    return Field(
        sa_type=BigId,
        primary_key=True,
        foreign_key="contact.id",
        ondelete="CASCADE",
        sa_column_kwargs={"autoincrement": False},
    )


def json_column() -> Any:
    return Field(default_factory=dict, sa_type=Json, sa_column_kwargs={"server_default": "{}"})


class StoreTable(SQLModel):
    """What all tables are. Nothing is validated by them, so pydantic need not prepare to."""

    model_config = {"defer_build": True}


def insert_new(
    connection: Connection, table: Table, names: Sequence[str], rows: Select[Any]
) -> int:
    """Insert what a query gives (which has a WHERE), but for rows whose key is there already.

    Returns how many were inserted.
    """
    from sqlalchemy.dialects import postgresql, sqlite  # noqa: PLC0415  (both are 45 ms)

    own = postgresql if connection.dialect.name == "postgresql" else sqlite
    statement = own.insert(table).from_select(names, rows).on_conflict_do_nothing()
    return connection.execute(statement).rowcount
