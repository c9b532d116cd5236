"""Inserts of what is not there yet."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Select, Table


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
