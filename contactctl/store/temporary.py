"""Temporary tables: rows from Python loaded fast, to be put into place as sets."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, exc, text

from contactctl.store.staged import Staged

_TIMESTAMPTZ = 1184  # its number in pg_type, the same on every server


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


def _copy(connection: Connection, table: str, rows: Iterable[Staged]) -> None:
    import psycopg  # noqa: PLC0415  (143 ms that SQLite does not need)

    driver: psycopg.Connection[Any] = connection.connection.driver_connection  # type: ignore[assignment]
    try:
        with driver.cursor() as cursor:
            cursor.execute(f"TABLE {table} LIMIT 0")
            columns = cursor.description or ()
            instants = [n for n, each in enumerate(columns) if each.type_code == _TIMESTAMPTZ]
            with cursor.copy(f"COPY {table} FROM STDIN") as copy:
                for row in _with_offset(rows, instants) if instants else rows:
                    copy.write_row(row)
    except psycopg.Error as error:
        # the end of a COPY that failed fails as well, and says less
        first = error.__context__ if isinstance(error.__context__, psycopg.Error) else error
        if driver.closed:
            connection.invalidate(error)  # or rolling it back would be the error that is told
        raise exc.DBAPIError(f"COPY {table}", None, first) from error


def _with_offset(rows: Iterable[Staged], instants: Sequence[int]) -> Iterator[Staged]:
    """Rows whose instants say that they are UTC, whatever the session thinks of it."""
    for row in rows:
        values = list(row)
        for at in instants:
            if values[at] is not None:
                values[at] += "+00"
        yield tuple(values)
