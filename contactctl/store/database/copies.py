"""Copies of a whole store: a backup in one file, or another store that holds exactly the same.

A page is in the target whole or not at all, and pages come in key order; so the last key there
says how far an interrupted copy has come, and nothing else needs to be remembered.

Rows are read in a plain form that is the same on every database, and is what SQLite holds: instants
and dates are text, JSON documents too, booleans are numbers.
"""

import json
import os
import shutil
import sqlite3
import subprocess
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from contactctl.domain.errors import StoreError
from contactctl.domain.run_details import RunKind
from contactctl.store.database.store import SCHEMA_VERSION, UNFINISHED_COPY, Store, schema_version
from contactctl.store.predicates import how_many
from contactctl.store.tables import metadata
from contactctl.store.tables import run as _run
from contactctl.store.temporary import copy_plain_rows, written_columns
from contactctl.store.types import Json, UtcInstant

_PAGE_ROWS = 2_000

Key = tuple[Any, ...]
Advance = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class TableContents:
    """The number of a table's rows, and a digest of them that is the same on every database."""

    table: str
    rows: int
    digest: str


def copied_tables() -> Sequence[sa.Table]:
    """Every table that holds data: the runs, by which a change of the source is noticed, then
    those that others refer to."""
    return sorted(metadata.sorted_tables, key=lambda table: table.name != _run.name)


def count_rows(connection: sa.Connection) -> int:
    """Rows of all tables together."""
    return sum(how_many(connection, table) for table in copied_tables())


def has_no_runs(store: Store) -> bool:
    """Whether nothing was ever done in it: every change of a store, of any version, is a run."""
    with store.reading() as connection:
        return connection.execute(sa.text("SELECT 1 FROM run")).first() is None


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
        if filled := [table.name for table in copied_tables() if how_many(connection, table)]:
            raise StoreError(
                f"{target.identity} is not empty: it has rows in {', '.join(filled)}",
                hint="name an empty database or a new file",
                code="not-empty",
            )
        _stamp(connection, UNFINISHED_COPY)
    return False


def release_target(connection: sa.Connection) -> None:
    """Let commands use a store again that holds all of its copy."""
    _stamp(connection, SCHEMA_VERSION)


def has_same_runs(source: sa.Connection, target: sa.Connection) -> bool:
    """Whether nothing was done in the source since its runs were copied: a copy can go on there."""
    return table_contents(source, _run) == table_contents(target, _run)


def empty(target: Store) -> None:
    """Delete every row of a store that is reserved for a copy."""
    with target.writing() as connection:
        _empty(connection)


def _empty(connection: sa.Connection) -> None:
    for table in reversed(copied_tables()):
        connection.execute(sa.delete(table))


def _is_as_initialised(connection: sa.Connection) -> bool:
    """Whether the run that took the config over as the first policy is all that it holds."""
    counted = {table.name: how_many(connection, table) for table in copied_tables()}
    held = {name: number for name, number in counted.items() if number}
    kinds = connection.execute(sa.text("SELECT kind FROM run LIMIT 2")).scalars().all()
    return held == {"run": 1, "policy": 1} and kinds == [RunKind.POLICY]


def fill_table(source: sa.Connection, target: Store, table: sa.Table, advance: Advance) -> None:
    """Copy the rows of one table that the target does not have yet."""
    with target.reading() as connection:
        last = _last_key(connection, table)
        advance(how_many(connection, table))
    columns = written_columns(table)
    with closing(_read(source, table, columns, after=last)) as rows:
        for page in rows.partitions(_PAGE_ROWS):
            with target.writing() as connection:
                _put(connection, table, page)
            advance(len(page))


def copy_last_number(source: sa.Connection, target: Store, table: sa.Table) -> None:
    """Go on numbering where the source would: the number of a deleted row is never given again."""
    if (column := table.autoincrement_column) is not None:
        number = _last_number(source, table, column)
        with target.writing() as connection:
            _set_last_number(connection, table, column, number)


def table_contents(
    connection: sa.Connection, table: sa.Table, advance: Advance | None = None
) -> TableContents:
    """Read a whole table, in flat memory."""
    digest, count = blake2b(digest_size=16), 0
    documents = [at for at, each in enumerate(table.columns) if isinstance(each.type, Json)]
    with closing(_read(connection, table, list(table.columns))) as rows:
        for page in rows.partitions(_PAGE_ROWS):
            read = _comparable(page, documents) if documents else map(tuple, page)
            digest.update("".join(map(repr, read)).encode("utf-8", "surrogatepass"))
            count += len(page)
            if advance is not None:
                advance(len(page))
    return TableContents(table.name, count, digest.hexdigest())


def _comparable(rows: Sequence[Sequence[Any]], documents: Sequence[int]) -> list[list[Any]]:
    """The rows with their JSON documents (the places) as texts that are equal if they are."""
    found = list(map(list, rows))
    for row in found:
        for at in documents:
            row[at] = _plain_json(row[at])
    return found


def _read(
    connection: sa.Connection,
    table: sa.Table,
    columns: Sequence[sa.Column[Any]],
    *,
    after: Key | None = None,
) -> Any:
    key = _key_order(connection, table)
    plain = _plain_in_sqlite if connection.dialect.name == "sqlite" else _plain_in_postgres
    statement = sa.select(*map(plain, columns)).order_by(*key)
    if after is not None:
        statement = statement.where(sa.tuple_(*key) > sa.tuple_(*after))
    streamed = connection.execution_options(stream_results=True, yield_per=_PAGE_ROWS)
    return streamed.execute(statement)


def _plain_in_sqlite(column: sa.Column[Any]) -> sa.ColumnElement[Any]:
    as_it_is: sa.ColumnElement[Any] = sa.type_coerce(column, sa.types.NullType())
    if not isinstance(column.type, UtcInstant):
        return as_it_is
    # older rows may have no fraction of a second
    return sa.case((sa.func.length(as_it_is) == 19, as_it_is.concat(".000000")), else_=as_it_is)


def _plain_in_postgres(column: sa.Column[Any]) -> sa.ColumnElement[Any]:
    if isinstance(column.type, Json):
        return sa.cast(column, sa.Text)
    if isinstance(column.type, UtcInstant):
        return sa.func.to_char(sa.func.timezone("UTC", column), "YYYY-MM-DD HH24:MI:SS.US")
    if isinstance(column.type, sa.Date):
        return sa.func.to_char(column, "YYYY-MM-DD")
    is_truth = isinstance(column.type, sa.Boolean)
    return sa.cast(column, sa.Integer) if is_truth else sa.type_coerce(column, sa.types.NullType())


def _last_key(connection: sa.Connection, table: sa.Table) -> Key | None:
    key = [column.desc() for column in _key_order(connection, table)]
    row = connection.execute(sa.select(*table.primary_key).order_by(*key).limit(1)).first()
    return None if row is None else tuple(row)


def _key_order(connection: sa.Connection, table: sa.Table) -> list[sa.ColumnElement[Any]]:
    """The primary key in an order that both databases share: text by its code points."""
    if connection.dialect.name == "sqlite":
        return list(table.primary_key)
    return [
        column.collate("C") if column.type.python_type is str else column
        for column in table.primary_key
    ]


def _put(connection: sa.Connection, table: sa.Table, rows: Sequence[Sequence[Any]]) -> None:
    columns = written_columns(table)
    quote = connection.dialect.identifier_preparer.quote
    into = f"{quote(table.name)} ({', '.join(quote(column.name) for column in columns)})"
    if connection.dialect.name == "postgresql":
        copy_plain_rows(connection, into, rows)
        return
    marks = ", ".join("?" * len(columns))
    insert = f"INSERT INTO {into} VALUES ({marks})"  # noqa: S608 (quoted names)
    connection.exec_driver_sql(insert, list(map(tuple, rows)))


def _stamp(connection: sa.Connection, version: str) -> None:
    connection.execute(
        sa.text("UPDATE alembic_version SET version_num = :version"), {"version": version}
    )


def _last_number(connection: sa.Connection, table: sa.Table, column: sa.Column[Any]) -> int:
    if connection.dialect.name == "postgresql":
        sequence = _sequence(connection, table, column)
        state = f"SELECT last_value, is_called FROM {sequence}"  # noqa: S608 (quoted by Postgres)
        last, used = connection.execute(sa.text(state)).one()
        return int(last) if used else 0
    if not _keeps_last_number(table):
        return int(connection.execute(sa.select(sa.func.max(column))).scalar_one() or 0)
    numbers = sa.text("SELECT seq FROM sqlite_sequence WHERE name = :name")
    return int(connection.execute(numbers, {"name": table.name}).scalar() or 0)


def _set_last_number(
    connection: sa.Connection, table: sa.Table, column: sa.Column[Any], number: int
) -> None:
    if connection.dialect.name == "postgresql":
        setval = sa.text("SELECT setval(CAST(:sequence AS regclass), :last, :used)")
        sequence = _sequence(connection, table, column)
        bound = {"sequence": sequence, "last": max(number, 1), "used": number > 0}
        connection.execute(setval, bound)
    elif _keeps_last_number(table):
        named = {"name": table.name, "number": number}
        connection.execute(sa.text("DELETE FROM sqlite_sequence WHERE name = :name"), named)
        connection.execute(sa.text("INSERT INTO sqlite_sequence VALUES (:name, :number)"), named)


def _keeps_last_number(table: sa.Table) -> bool:
    """Whether SQLite remembers the last number, as it does for an AUTOINCREMENT column."""
    return bool(table.dialect_options["sqlite"]["autoincrement"])


def _sequence(connection: sa.Connection, table: sa.Table, column: sa.Column[Any]) -> str:
    """The quoted name of the sequence that numbers a Postgres table's rows."""
    serial = sa.text("SELECT pg_get_serial_sequence(:table, :column)")
    quoted = connection.dialect.identifier_preparer.quote(table.name)
    return str(connection.execute(serial, {"table": quoted, "column": column.name}).scalar_one())


@lru_cache(1 << 12)
def _plain_json(document: str | None) -> str | None:
    """The same text for equal documents: Postgres keeps 1e3 as 1000, and no order of keys."""
    if document is None or document == "{}":
        return document
    return json.dumps(_whole_numbers(json.loads(document)), sort_keys=True)


def _whole_numbers(value: Any) -> Any:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, dict):
        return {key: _whole_numbers(item) for key, item in value.items()}
    return [_whole_numbers(item) for item in value] if isinstance(value, list) else value


# A backup of a whole store in one file, made while others work on it


_PAGES_A_STEP = 2_000
Tell = Callable[[int, int], None]


def back_up_sqlite(store: Store, target: Path, tell: Tell) -> None:
    """SQLite's online backup, checked; `tell` gets the pages copied so far and all of them."""
    # in a transaction that reads: without one it begins again after each commit of somebody else
    with store.reading() as connection, closing(sqlite3.connect(target)) as copy:
        connection.execute(sa.text("SELECT 1 FROM sqlite_master")).first()
        source: sqlite3.Connection = connection.connection.driver_connection  # type: ignore[assignment]
        source.backup(
            copy,
            pages=_PAGES_A_STEP,
            progress=lambda _status, left, total: tell(total - left, total),
        )
        copy.execute("PRAGMA journal_mode = DELETE")  # one file, without a log beside it
        problems = [row[0] for row in copy.execute("PRAGMA integrity_check(1)")]
    if problems != ["ok"]:
        raise StoreError(
            f"the backup of {store.identity} is damaged: {problems[0]}",
            hint="`contactctl db check` looks at the store itself",
        )


def back_up_postgres(store: Store, target: Path) -> None:
    """pg_dump's custom format; StoreError where pg_dump is missing or fails."""
    program = shutil.which("pg_dump")
    if program is None:
        raise StoreError(
            "pg_dump is not installed",
            hint="install Postgres' client programs, or copy the store into a file:"
            " `contactctl db copy --to sqlite:///backup.db`",
            code="no-pg-dump",
        )
    url = store.engine.url
    named = url.set(drivername="postgresql", password=None).render_as_string()
    environment = dict(os.environ)
    if url.password is not None:
        environment["PGPASSWORD"] = str(url.password)  # never on the command line: ps shows it
    done = subprocess.run(
        [
            program,
            "--format=custom",
            "--enable-row-security",  # whoever may read a table may read all of its rows
            f"--lock-wait-timeout={store.waits.locks_ms}",
            f"--file={target}",
            f"--dbname={named}",
            "--no-password",
        ],
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        lines = done.stderr.strip().splitlines() or ["pg_dump failed"]
        raise StoreError(f"{store.identity}: {lines[0]}", hint=lines[-1] if lines[1:] else "")
