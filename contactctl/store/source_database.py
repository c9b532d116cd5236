"""Another program's database, read only: one query, in one state of it, row by row."""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from dataclasses import dataclass
from decimal import Decimal
from math import isfinite
from typing import Any

import sqlalchemy as sa

from contactctl.domain.criteria.fields import did_you_mean
from contactctl.domain.errors import BusyError, ConfigError, ContactctlError, StoreError
from contactctl.domain.sources import DatabaseSource, WriteBack
from contactctl.domain.text import show_safely, trim
from contactctl.domain.waits import Waits
from contactctl.store.database.errors import translated_errors
from contactctl.store.database.store import Store, connect, file_is_missing, sqlite_url

_ROWS_AT_A_TIME = 5_000
_KEYS_A_STATEMENT = 500
_CACHE_KIB = 2_048  # rows are read once: a store's own cache would only hold memory


class SourceError(ContactctlError):
    """Another database cannot be reached, or refuses what is asked of it."""

    code = "source"


@dataclass(frozen=True, slots=True)
class Reading:
    """An open transaction on a source, and the names of the query's columns."""

    store: Store
    connection: sa.Connection
    source: DatabaseSource
    columns: Sequence[str]

    def column(self, name: str) -> int:
        """Where a column is that the config names; ConfigError where the query has none."""
        places = {each.casefold(): at for at, each in reversed(list(enumerate(self.columns)))}
        if name.casefold() not in places:
            raise ConfigError(
                f"sources.{self.source.name}: the query has no column '{show_safely(name)}'",
                hint=did_you_mean(name, list(self.columns))
                or f"columns: {', '.join(map(show_safely, self.columns))}",
            )
        return places[name.casefold()]

    def rows(self, since: Any, at_a_time: int) -> Iterator[list[Sequence[Any]]]:
        """All rows, so many at a time; in the cursor's order where there is one, and then only
        those `since` and those without a value, which come first or last, as the database's index
        has them."""
        if not self.source.cursor:
            yield from self._stream(at_a_time, "SELECT *")
            return
        cursor = self._quoted(self.source.cursor)
        order = f"ORDER BY {cursor}"
        if since is None:
            yield from self._stream(at_a_time, "SELECT *", order)
            return
        mark = "?" if self._is_sqlite else "%s"
        newer = f"WHERE {cursor} >= {mark} OR {cursor} IS NULL"
        yield from self._stream(at_a_time, "SELECT *", f"{newer} {order}", (since,))

    def ids(self) -> Iterator[list[str]]:
        """The ids of all rows."""
        for rows in self._stream(_ROWS_AT_A_TIME, f"SELECT {self._quoted(self.source.key)}"):
            yield [id_text(row[0]) for row in rows if row[0] is not None]

    @property
    def _is_sqlite(self) -> bool:
        return self.connection.dialect.name == "sqlite"

    def _quoted(self, name: str) -> str:
        exact = self.columns[self.column(name)]
        return self.connection.dialect.identifier_preparer.quote_identifier(exact)

    def _stream(
        self, at_a_time: int, what: str, rest: str = "", bound: tuple[Any, ...] = ()
    ) -> Iterator[list[Sequence[Any]]]:
        query = _as_table(self.source.query)
        if bound and not self._is_sqlite:
            query = query.replace("%", "%%")
        with self._errors():
            streaming = self.connection.execution_options(
                stream_results=True, max_row_buffer=_ROWS_AT_A_TIME
            )
            result = _execute(streaming, f"{what} FROM {query} {rest}", bound)
        with closing(result):
            partitions = result.partitions(at_a_time)
            while True:
                with self._errors():
                    rows: Any = next(partitions, None)
                if rows is None:
                    return
                yield rows

    def _errors(self) -> AbstractContextManager[None]:
        return _as_source_errors(self.source, self.store)


@contextmanager
def open_source_database(source: DatabaseSource, waits: Waits) -> Iterator[Reading]:
    """A transaction that sees one state of the source and can change nothing. SourceError."""
    with closing(connect(source.url, waits)) as store, ExitStack() as transaction:
        with _as_source_errors(source, store):
            _require_file(source, store)
            connection = transaction.enter_context(store.reading())
            if store.dialect == "sqlite":
                connection.exec_driver_sql("PRAGMA query_only = ON")
                connection.exec_driver_sql(f"PRAGMA cache_size = -{_CACHE_KIB}")
            else:  # or the server plans for the first rows, not for all
                connection.exec_driver_sql("SET LOCAL cursor_tuple_fraction = 1")
                from contactctl.store.database.postgres import read_any_date  # noqa: PLC0415

                read_any_date(connection)
            found = _execute(connection, f"SELECT * FROM {_as_table(source.query)} LIMIT 0")  # noqa: S608
            names = list(found.keys())
            found.close()
        yield Reading(store, connection, source, names)


def write_back(
    source: DatabaseSource, waits: Waits, batches: Iterator[tuple[str, Sequence[str]]]
) -> int:
    """Write (value, ids) into the column where it says something else, in one transaction; returns
    how many rows were changed. SourceError where the role may not."""
    written = 0
    with closing(connect(source.url, waits)) as store, _as_source_errors(source, store):
        _require_file(source, store)
        with store.writing() as connection:
            for value, keys in batches:
                for start in range(0, len(keys), _KEYS_A_STATEMENT):
                    some = keys[start : start + _KEYS_A_STATEMENT]
                    mark = "?" if store.dialect == "sqlite" else "%s"
                    statement = update_statement(
                        source, store.dialect, mark, ", ".join([mark] * len(some))
                    )
                    written += _execute(connection, statement, (value, *some, value)).rowcount
    return written


def update_statement(source: DatabaseSource, dialect: str, value: str, keys: str) -> str:
    """The UPDATE of the status column for some rows, with these texts for its values."""
    back = source.write_back or WriteBack("", "")
    table = ".".join(_identifier(part) for part in back.table.split("."))
    column, key = _identifier(back.column), _identifier(source.key)
    differs = "IS NOT" if dialect == "sqlite" else "IS DISTINCT FROM"
    return (
        f"UPDATE {table} SET {column} = {value}"  # noqa: S608 (names of the config, in quotes)
        f" WHERE {key} IN ({keys}) AND {column} {differs} {value}"
    )


def update_script(
    source: DatabaseSource, batches: Iterator[tuple[str, Sequence[str]]]
) -> Iterator[str]:
    """The same as SQL to be run by somebody who may."""
    dialect = "sqlite" if sqlite_url(source.url) else "postgresql"
    for value, keys in batches:
        for start in range(0, len(keys), _KEYS_A_STATEMENT):
            some = ", ".join(map(_literal, keys[start : start + _KEYS_A_STATEMENT]))
            yield update_statement(source, dialect, _literal(value), some) + ";"


def id_text(value: Any) -> str:
    """An id as text; a whole number that came as a decimal or a float without its zeros."""
    if isinstance(value, str):
        return trim(value)
    if isinstance(value, bytes | memoryview):
        return bytes(value).hex()
    if isinstance(value, float | Decimal) and isfinite(value) and value == int(value):
        return str(int(value))
    return str(value)


def _require_file(source: DatabaseSource, store: Store) -> None:
    if file_is_missing(store):
        raise SourceError(
            f"source {source.name}: there is no file {store.path}", hint="check the url"
        )


def _as_table(query: str) -> str:
    """The query as one table; a second statement, or one that changes something, cannot be one."""
    return f"(\n{query.strip().rstrip(';').rstrip()}\n) AS source_rows"


def _execute(
    connection: sa.Connection, statement: str, bound: tuple[Any, ...] = ()
) -> sa.CursorResult[Any]:
    return connection.exec_driver_sql(statement, bound or None)


@contextmanager
def _as_source_errors(source: DatabaseSource, store: Store) -> Iterator[None]:
    """What goes wrong inside, said of the source and of where it is described."""
    try:
        with translated_errors(store):
            yield
    except (StoreError, BusyError) as error:
        hint = error.hint
        if not hint or "contactctl " in hint:
            hint = f"check the url and the query of sources.{source.name} in the config"
        raise SourceError(f"source {source.name}: {error.message}", hint=hint) from error


def _identifier(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
