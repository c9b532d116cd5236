"""Temporary tables: rows from Python loaded fast, to be put into place as sets."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Row, Table, exc, text

from contactctl.store.staged import Staged
from contactctl.store.types import Json


@contextmanager
def temporary_tables(connection: Connection, definitions: Mapping[str, str]) -> Iterator[None]:
    """Tables of this transaction alone, by name, with the SQL of their columns."""
    for table, definition in definitions.items():
        connection.execute(text(f"CREATE TEMPORARY TABLE {table} ({definition})"))
    yield
    for table in definitions:
        connection.execute(text(f"DROP TABLE {table}"))


def fill(connection: Connection, table: str, rows: Sequence[Staged]) -> None:
    """Load rows, with a value for every column, into a temporary table."""
    if not rows:
        return
    if connection.dialect.name == "postgresql":
        _copy(connection, table, rows)
    else:
        marks = ", ".join("?" * len(rows[0]))
        insert = f"INSERT INTO {table} VALUES ({marks})"  # noqa: S608 (our own table names)
        connection.exec_driver_sql(insert, list(rows))


def copy_rows(connection: Connection, table: Table, rows: Iterable[Row[Any]]) -> None:
    """Load rows, with a value for every column, into a Postgres table."""
    from psycopg.types.json import Jsonb  # noqa: PLC0415

    documents = [
        index for index, column in enumerate(table.columns) if isinstance(column.type, Json)
    ]
    name = connection.dialect.identifier_preparer.quote(table.name)
    columns = ", ".join(column.name for column in table.columns)
    wrapped = (
        [Jsonb(value) if index in documents else value for index, value in enumerate(row)]
        if documents
        else row
        for row in rows
    )
    _copy(connection, f"{name} ({columns})", wrapped)


def _copy(connection: Connection, table: str, rows: Iterable[Sequence[Any]]) -> None:
    import psycopg  # noqa: PLC0415  (143 ms that SQLite does not need)

    driver: psycopg.Connection[Any] = connection.connection.driver_connection  # type: ignore[assignment]
    try:
        with driver.cursor() as cursor, cursor.copy(f"COPY {table} FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)
    except psycopg.Error as error:
        raise exc.DBAPIError(f"COPY {table}", None, error) from error
