"""Making one store hold exactly what another holds: in key order, a page a transaction.

A page is in the target whole or not at all, and pages come in key order; so the last key there
says how far an interrupted copy has come, and nothing else needs to be remembered.
"""

import json
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Row,
    Table,
    delete,
    func,
    insert,
    select,
    text,
)
from sqlalchemy import tuple_ as row_value

from contactctl.domain.errors import StoreError
from contactctl.domain.run_details import RunKind
from contactctl.store.database.store import SCHEMA_VERSION, UNFINISHED_COPY, Store, schema_version
from contactctl.store.tables import metadata
from contactctl.store.temporary import copy_rows, written_columns
from contactctl.store.types import Json

_PAGE_ROWS = 20_000

Key = tuple[Any, ...]
Advance = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class TableContents:
    """The number of a table's rows, and a digest of them that is the same on every database."""

    table: str
    rows: int
    digest: str


def copied_tables() -> Sequence[Table]:
    """Every table that holds data, those that others refer to first."""
    return metadata.sorted_tables


def count_rows(connection: Connection) -> int:
    """Rows of all tables together."""
    return sum(_count(connection, table) for table in copied_tables())


def has_no_runs(store: Store) -> bool:
    """Whether nothing was ever done in it: every change of a store, of any version, is a run."""
    with store.reading() as connection:
        return connection.execute(text("SELECT 1 FROM run")).first() is None


def claim_target(target: Store) -> bool:
    """Reserve a store for a copy; whether an earlier copy into it was interrupted.

    StoreError when it holds anything else than an empty schema of this version; the policy that
    `init` has put into it gives way to the source's.
    """
    version = schema_version(target)
    if version == UNFINISHED_COPY:
        return True
    if version != SCHEMA_VERSION:
        raise StoreError(
            f"{target.identity} has schema {version}, this program needs {SCHEMA_VERSION}",
            hint="name an empty database",
            code="schema",
        )
    with target.writing() as connection:
        if _is_as_initialised(connection):
            _empty(connection)
        if filled := [table.name for table in copied_tables() if _count(connection, table)]:
            raise StoreError(
                f"{target.identity} is not empty: it has rows in {', '.join(filled)}",
                hint="name an empty database or a new file",
                code="not-empty",
            )
        _stamp(connection, UNFINISHED_COPY)
    return False


def release_target(connection: Connection) -> None:
    """Let commands use a store again that holds all of its copy."""
    _stamp(connection, SCHEMA_VERSION)


def holds_a_beginning_of(source: Connection, target: Connection) -> bool:
    """Whether every row of the target stands in the source as it is: a copy can go on there."""
    return all(
        table_contents(source, table, upto=_last_key(target, table))
        == table_contents(target, table)
        for table in copied_tables()
        if _last_key(target, table) is not None
    )


def empty(target: Store) -> None:
    """Delete every row of a store that is reserved for a copy."""
    with target.writing() as connection:
        _empty(connection)


def _empty(connection: Connection) -> None:
    for table in reversed(copied_tables()):
        connection.execute(delete(table))


def _is_as_initialised(connection: Connection) -> bool:
    """Whether the run that took the config over as the first policy is all that it holds."""
    counted = {table.name: _count(connection, table) for table in copied_tables()}
    held = {name: number for name, number in counted.items() if number}
    kinds = connection.execute(text("SELECT kind FROM run LIMIT 2")).scalars().all()
    return held == {"run": 1, "policy": 1} and kinds == [RunKind.POLICY]


def fill_table(source: Connection, target: Store, table: Table, advance: Advance) -> None:
    """Copy the rows of one table that the target does not have yet."""
    with target.reading() as connection:
        last = _last_key(connection, table)
        advance(_count(connection, table))
    with closing(_read(source, table, after=last)) as rows:
        for page in rows.partitions(_PAGE_ROWS):
            with target.writing() as connection:
                _put(connection, table, page)
            advance(len(page))


def copy_last_number(source: Connection, target: Store, table: Table) -> None:
    """Go on numbering where the source would: the number of a deleted row is never given again."""
    if (column := table.autoincrement_column) is not None:
        number = _last_number(source, table, column)
        with target.writing() as connection:
            _set_last_number(connection, table, column, number)


def table_contents(
    connection: Connection, table: Table, *, upto: Key | None = None, advance: Advance | None = None
) -> TableContents:
    """Read a whole table, or its rows up to a key, in flat memory."""
    digest, count = blake2b(digest_size=16), 0
    plain = [_PLAIN_FORM.get(_kind(column), _as_it_is) for column in table.columns]
    with closing(_read(connection, table, upto=upto)) as rows:
        for page in rows.partitions(_PAGE_ROWS):
            for row in page:
                values = [form(value) for form, value in zip(plain, row, strict=True)]
                digest.update(repr(values).encode("utf-8", "surrogatepass"))
            count += len(page)
            if advance is not None:
                advance(len(page))
    return TableContents(table.name, count, digest.hexdigest())


def _read(
    connection: Connection, table: Table, *, after: Key | None = None, upto: Key | None = None
) -> Any:
    key = _key_order(connection, table)
    statement = select(table).order_by(*key)
    if after is not None:
        statement = statement.where(row_value(*key) > row_value(*after))
    if upto is not None:
        statement = statement.where(row_value(*key) <= row_value(*upto))
    streamed = connection.execution_options(stream_results=True, yield_per=_PAGE_ROWS)
    return streamed.execute(statement)


def _last_key(connection: Connection, table: Table) -> Key | None:
    key = [column.desc() for column in _key_order(connection, table)]
    row = connection.execute(select(*table.primary_key).order_by(*key).limit(1)).first()
    return None if row is None else tuple(row)


def _key_order(connection: Connection, table: Table) -> list[ColumnElement[Any]]:
    """The primary key in an order that both databases share: text by its code points."""
    if connection.dialect.name == "sqlite":
        return list(table.primary_key)
    return [
        column.collate("C") if column.type.python_type is str else column
        for column in table.primary_key
    ]


def _put(connection: Connection, table: Table, rows: Sequence[Row[Any]]) -> None:
    if connection.dialect.name == "postgresql":
        copy_rows(connection, table, rows)
    else:
        names = [column.name for column in written_columns(table)]
        written = [{name: row._mapping[name] for name in names} for row in rows]
        connection.execute(insert(table), written)


def _count(connection: Connection, table: Table) -> int:
    return int(connection.execute(select(func.count()).select_from(table)).scalar_one())


def _stamp(connection: Connection, version: str) -> None:
    connection.execute(
        text("UPDATE alembic_version SET version_num = :version"), {"version": version}
    )


def _last_number(connection: Connection, table: Table, column: Column[Any]) -> int:
    if connection.dialect.name == "postgresql":
        sequence = _sequence(connection, table, column)
        state = f"SELECT last_value, is_called FROM {sequence}"  # noqa: S608 (quoted by Postgres)
        last, used = connection.execute(text(state)).one()
        return int(last) if used else 0
    if not _keeps_last_number(table):
        return int(connection.execute(select(func.max(column))).scalar_one() or 0)
    numbers = text("SELECT seq FROM sqlite_sequence WHERE name = :name")
    return int(connection.execute(numbers, {"name": table.name}).scalar() or 0)


def _set_last_number(
    connection: Connection, table: Table, column: Column[Any], number: int
) -> None:
    if connection.dialect.name == "postgresql":
        setval = text("SELECT setval(CAST(:sequence AS regclass), :last, :used)")
        sequence = _sequence(connection, table, column)
        bound = {"sequence": sequence, "last": max(number, 1), "used": number > 0}
        connection.execute(setval, bound)
    elif _keeps_last_number(table):
        named = {"name": table.name, "number": number}
        connection.execute(text("DELETE FROM sqlite_sequence WHERE name = :name"), named)
        connection.execute(text("INSERT INTO sqlite_sequence VALUES (:name, :number)"), named)


def _keeps_last_number(table: Table) -> bool:
    """Whether SQLite remembers the last number, as it does for an AUTOINCREMENT column."""
    return bool(table.dialect_options["sqlite"]["autoincrement"])


def _sequence(connection: Connection, table: Table, column: Column[Any]) -> str:
    """The quoted name of the sequence that numbers a Postgres table's rows."""
    serial = text("SELECT pg_get_serial_sequence(:table, :column)")
    quoted = connection.dialect.identifier_preparer.quote(table.name)
    return str(connection.execute(serial, {"table": quoted, "column": column.name}).scalar_one())


def _kind(column: Any) -> type:
    return Json if isinstance(column.type, Json) else column.type.python_type


def _as_it_is(value: Any) -> Any:
    return value


def _plain_json(value: Any) -> str:
    """The same text for equal documents: Postgres keeps 1e3 as 1000, and no order of keys."""
    return json.dumps(_whole_numbers(value), sort_keys=True) if value else repr(value)


def _whole_numbers(value: Any) -> Any:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, dict):
        return {key: _whole_numbers(item) for key, item in value.items()}
    return [_whole_numbers(item) for item in value] if isinstance(value, list) else value


def _plain_instant(value: datetime | None) -> float | None:
    return None if value is None else value.astimezone(UTC).timestamp()


_PLAIN_FORM: dict[type, Callable[[Any], Any]] = {Json: _plain_json, datetime: _plain_instant}
