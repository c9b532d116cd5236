"""Rows from Python put into place as sets: temporary tables loaded fast, inserts of what is new.

Postgres' planner must be told of tables just filled; SQLite needs none of it. A server takes
statistics some time after a change; until then it thinks of such tables as empty, and reads them
from end to end for each of many rows.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from contactctl.store.staged import Staged

if TYPE_CHECKING:
    import psycopg


_TIMESTAMPTZ = 1184  # its number in pg_type, the same on every server


@contextmanager
def temporary_tables(connection: sa.Connection, definitions: Mapping[str, str]) -> Iterator[None]:
    """Tables of this transaction alone, by name, with the SQL of their columns."""
    created = [f"CREATE TEMPORARY TABLE {name} ({of})" for name, of in definitions.items()]
    dropped = [f"DROP TABLE {name}" for name in definitions]
    _execute_all(connection, created)
    yield
    _execute_all(connection, dropped)


def _execute_all(connection: sa.Connection, statements: Sequence[str]) -> None:
    """At once where the driver can: Postgres takes longer to answer than to do it."""
    at_once = ["; ".join(statements)] if connection.dialect.name == "postgresql" else statements
    for statement in at_once:
        connection.execute(sa.text(statement))


def fill(connection: sa.Connection, table: str, rows: Sequence[Staged]) -> None:
    """Load rows, with a value for every column, into a temporary table."""
    if not rows:
        return
    if connection.dialect.name == "postgresql":
        _copy_staged(connection, table, rows)
    else:
        marks = ", ".join("?" * len(rows[0]))
        insert = f"INSERT INTO {table} VALUES ({marks})"  # noqa: S608 (our own table names)
        connection.exec_driver_sql(insert, list(rows))


def copy_plain_rows(connection: sa.Connection, into: str, rows: Iterable[Sequence[Any]]) -> None:
    """Load rows into a table and columns, on Postgres; what is no number is text as it writes it,
    an instant without an offset that of UTC."""
    connection.exec_driver_sql("SET LOCAL TIME ZONE 'UTC'")
    _copy(connection, into, rows)


def written_columns(table: sa.Table) -> list[sa.Column[Any]]:
    """The columns that the database does not fill in itself."""
    return [column for column in table.columns if column.computed is None]


def _copy_staged(connection: sa.Connection, table: str, rows: Iterable[Staged]) -> None:
    """Instants of staged rows are text without an offset."""
    with _driver_errors(connection, f"TABLE {table}"):
        columns = _driver(connection).execute(f"TABLE {table} LIMIT 0").description or ()
    instants = [n for n, each in enumerate(columns) if each.type_code == _TIMESTAMPTZ]
    _copy(connection, table, _with_offset(rows, instants) if instants else rows)


def _copy(connection: sa.Connection, target: str, rows: Iterable[Sequence[Any]]) -> None:
    statement = f"COPY {target} FROM STDIN"
    with (
        _driver_errors(connection, statement),
        _driver(connection).cursor() as cursor,
        cursor.copy(statement) as copy,
    ):
        for row in rows:
            copy.write_row(row)


@contextmanager
def _driver_errors(connection: sa.Connection, statement: str) -> Iterator[None]:
    """Raise what the driver raises as SQLAlchemy would."""
    import psycopg  # noqa: PLC0415  (143 ms that SQLite does not need)

    try:
        yield
    except psycopg.Error as error:
        # the end of a COPY that failed fails as well, and says less
        first = error.__context__ if isinstance(error.__context__, psycopg.Error) else error
        if _driver(connection).closed:
            connection.invalidate(error)  # or rolling it back would be the error that is told
        raise sa.exc.DBAPIError(statement, None, first) from error


def _driver(connection: sa.Connection) -> "psycopg.Connection[Any]":
    driver: psycopg.Connection[Any] = connection.connection.driver_connection  # type: ignore[assignment]
    return driver


def _with_offset(rows: Iterable[Staged], instants: Sequence[int]) -> Iterator[Staged]:
    """Rows whose instants say that they are UTC, whatever the session thinks of it."""
    for row in rows:
        values = list(row)
        for at in instants:
            if values[at] is not None:
                values[at] += "+00"
        yield tuple(values)


# Inserts of what is not there yet


def insert_new(
    connection: sa.Connection, table: sa.Table, names: Sequence[str], rows: sa.Select[Any]
) -> int:
    """Insert what a query gives (which has a WHERE), but for rows whose key is there already.

    Returns how many were inserted.
    """
    from sqlalchemy.dialects import postgresql, sqlite  # noqa: PLC0415  (both are 45 ms)

    own = postgresql if connection.dialect.name == "postgresql" else sqlite
    statement = own.insert(table).from_select(names, rows).on_conflict_do_nothing()
    return connection.execute(statement).rowcount


# What Postgres' planner must be told of tables just filled


_NO_JOINS_OF_WHOLE_TABLES = (
    "SELECT set_config('enable_hashjoin', 'off', true), set_config('enable_mergejoin', 'off', true)"
)


def refresh_statistics(connection: sa.Connection, table: str, *columns: str) -> None:
    """Have the columns by which the table is joined looked at now; without any, all of them.

    Ten columns of text take longer than to load them.
    """
    if connection.dialect.name == "postgresql":
        listed = f" ({', '.join(columns)})" if columns else ""
        connection.execute(sa.text(f"ANALYZE {table}{listed}"))


def join_by_index(connection: sa.Connection) -> None:
    """Until the transaction's end, look rows to be joined up one by one, by an index.

    For a batch beside a large table: 20,000 look-ups, where reading a million rows seems cheaper.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(sa.text(_NO_JOINS_OF_WHOLE_TABLES))


def join_each_once(connection: sa.Connection) -> None:
    """Until the transaction's end, keep no rows in memory to be passed over for each other row.

    Where statistics are old or missing, Postgres expects one row, and does so with thousands.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(sa.text("SELECT set_config('enable_material', 'off', true)"))
