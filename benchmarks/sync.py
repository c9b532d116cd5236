"""`contacts sync` of a table beside the import of the same rows from a CSV file, each into a new
store of the same kind as the source, and in a process of its own; then once more, with 1,000 rows
changed.

    python benchmarks/sync.py [ROWS ...]        default: 10000 1000000
"""

import os
import sqlite3
import subprocess
import sys
import tempfile
import time
from itertools import islice
from pathlib import Path
from typing import Any

import psycopg
from import_contacts import by_contactctl, write_contacts
from made_stores import KINDS, MadeStores, made_stores
from table import HEADER, compare, limit

from contactctl.domain.sources import DatabaseSource
from contactctl.operations.sync import sync_contacts
from contactctl.store.database.store import open_store
from helpers import databases
from helpers.imports import KeptRejects
from helpers.sessions import make_session

SIZES = (10_000, 1_000_000)
CHANGED = 1_000
TARGET = 1.3
TARGET_AGAIN_S = 5.0
_COLUMNS = ("email", "first_name", "last_name", "company", "last_opportunity", "plan", "orders")
_CREATE = (
    "CREATE TABLE customers (id integer PRIMARY KEY, email text, first_name text, last_name text,"
    " company text, last_opportunity {day}, plan text, orders integer,"
    " updated_at {moment})"
)
_DATE = {  # one a second, as the rows have come
    "sqlite": "UPDATE customers SET updated_at = datetime('2026-01-01', '+' || id || ' seconds')",
    "postgres": "UPDATE customers SET updated_at = timestamptz '2026-01-01' + id * interval '1 s'",
}
_CHANGE = (
    "UPDATE customers SET company = 'Another Ltd', updated_at = '2026-06-15 11:00:00'"
    f" WHERE id % (SELECT count(*) / {CHANGED} FROM customers) = 0"
)
_WORDS = {
    "sqlite": {"day": "text", "moment": "text"},
    "postgres": {"day": "date", "moment": "timestamptz"},
}


def fill(url: str, kind: str, path: Path) -> None:
    """The rows of the CSV file as a table of another program's."""
    create = _CREATE.format(**_WORDS[kind])
    index = "CREATE INDEX by_change ON customers (updated_at)"
    columns = ", ".join(_COLUMNS)
    if kind == "sqlite":
        with sqlite3.connect(url.removeprefix("sqlite:///")) as connection, path.open() as file:
            connection.execute(create)
            # line by line: a child's peak is not counted from below its parent's
            rows = (line.rstrip("\n").split(",") for line in islice(file, 1, None))
            insert = f"INSERT INTO customers ({columns}) VALUES (?, ?, ?, ?, nullif(?, ''), ?, ?)"
            connection.executemany(insert, rows)
            connection.execute(_DATE[kind])
            connection.execute(index)
        connection.close()
        return
    with psycopg.connect(url) as connection:
        connection.execute(create.replace("integer PRIMARY", "serial PRIMARY"))
        into = f"COPY customers ({columns}) FROM STDIN (FORMAT csv, HEADER, NULL '')"
        with connection.cursor().copy(into) as copy, path.open() as file:  # type: ignore[arg-type]
            while block := file.read(1 << 20):
                copy.write(block)
        connection.execute(_DATE[kind])
        connection.execute(index)


def change(url: str, kind: str) -> None:
    """Another company for some, later on."""
    if kind == "sqlite":
        with sqlite3.connect(url.removeprefix("sqlite:///")) as connection:
            connection.execute(_CHANGE)
        connection.close()
        return
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("SET TIME ZONE 'UTC'")
        connection.execute(_CHANGE)
        connection.execute("VACUUM (ANALYZE) customers")  # as the server does it after a while


def sync(store_url: str, source_url: str) -> None:
    columns = {"plan": "attributes.plan", "orders": "attributes.orders"}
    query = "SELECT * FROM customers"
    source = DatabaseSource("crm", source_url, query, "id", "updated_at", columns=columns)
    store = open_store(store_url)
    result = sync_contacts(make_session(store), source, KeptRejects())
    assert result.rejected == 0
    print(result.rows, file=sys.stderr)
    store.close()


def seconds_of_one(*args: str) -> tuple[float, float]:
    """Seconds and peak megabytes of one process, start-up included."""
    began = time.perf_counter()
    process = subprocess.Popen([sys.executable, __file__, "--one", *args])
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, args
    return time.perf_counter() - began, usage.ru_maxrss / 1024


def run(stores: MadeStores, kind: str, rows: int, folder: Path) -> None:
    path = folder / f"{rows}.csv"
    if not path.exists():
        write_contacts(path, rows)
    source = f"sqlite:///{folder / f'crm{rows}.db'}"
    with stores.copy(kind, 0) as imported, stores.copy(kind, 0) as synced:
        if kind == "postgres":
            source = databases.create_database(stores.server_url, "template0")
        fill(source, kind, path)
        by_import, _ = seconds_of_one("import", imported, str(path))
        by_sync, memory = seconds_of_one("sync", synced, source)
        compare("contacts sync / import", kind, rows, [by_import], [by_sync], TARGET)
        limit("contacts sync, memory", kind, rows, memory, "MB", 150.0)
        change(source, kind)
        again, _ = seconds_of_one("sync", synced, source)
        limit(f"again, {CHANGED:,} changed", kind, rows, again, "s", TARGET_AGAIN_S)


def main() -> None:
    sizes = [int(size) for size in sys.argv[1:]] or SIZES
    print(HEADER)
    with made_stores() as stores, tempfile.TemporaryDirectory() as folder:
        for rows in sizes:
            for kind in KINDS:
                run(stores, kind, rows, Path(folder))


def one(what: str, url: str, of: Any) -> None:
    if what == "sync":
        sync(url, of)
    else:
        by_contactctl(url, Path(of))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        one(*sys.argv[2:])
    else:
        main()
