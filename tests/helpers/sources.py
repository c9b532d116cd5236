"""Another program's database for `contacts sync`: a table of customers, on SQLite or Postgres."""

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import psycopg

from contactctl.domain.sources import DatabaseSource
from contactctl.store.source_database import Reading

_COLUMNS = "id, mail, name, updated_at"
_PAGE = 4096  # of an SQLite file; the first says what is where
_CREATE = (
    "CREATE TABLE {table} (id integer PRIMARY KEY, mail text, name text,"
    " updated_at {moment}, mail_status text)"
)


@dataclass
class Crm:
    """The table, and what changes it. `{t}` in SQL is its name."""

    url: str
    table: str

    def source(self, **values: Any) -> DatabaseSource:
        """It as a source with a cursor."""
        usual: dict[str, Any] = {
            "query": f"SELECT {_COLUMNS} FROM {self.table}",
            "key": "id",
            "cursor": "updated_at",
            "columns": {"mail": "email", "name": "first_name"},
        }
        return DatabaseSource("crm", self.url, **usual | values)

    def put(self, *rows: tuple[int, str | None, str, str]) -> None:
        """Insert (id, mail, name, updated_at), or put them in place of those of that id."""
        of_ids = ", ".join("?" * len(rows))
        self.execute(f"DELETE FROM {{t}} WHERE id IN ({of_ids})", [row[0] for row in rows])
        values = ", ".join(["(?, ?, ?, ?)"] * len(rows))
        self.execute(f"INSERT INTO {{t}} ({_COLUMNS}) VALUES {values}", list(chain(*rows)))

    def execute(self, statement: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        statement = statement.replace("{t}", self.table)
        if self.url.startswith("sqlite"):
            path = self.url.removeprefix("sqlite:///")
            with closing(sqlite3.connect(path)) as connection, connection:
                return connection.execute(statement, values).fetchall()
        with psycopg.connect(self.url, autocommit=True) as connection:
            result = connection.execute(statement.replace("?", "%s"), values)  # type: ignore[arg-type]
            return result.fetchall() if result.description else []


def make_crm(store_url: str, folder: Path) -> Crm:
    """An empty table, in a database of the same kind as the store."""
    if store_url.startswith("sqlite"):
        crm = Crm(f"sqlite:///{folder}/crm.db", "customers")
        crm.execute(_CREATE.format(table="{t}", moment="text"))
        return crm
    crm = Crm(store_url, "crm.customers")
    crm.execute("DROP SCHEMA IF EXISTS crm CASCADE")
    crm.execute("CREATE SCHEMA crm")
    crm.execute(_CREATE.format(table="{t}", moment="timestamptz"))
    return crm


def break_off(reading: Reading, harm: str) -> None:
    """Have a source break off while its rows are read: its server ends the connection, or the
    file is cut off or overwritten."""
    path = reading.store.path
    if path is None:
        pid = reading.connection.connection.dbapi_connection.info.backend_pid  # type: ignore[union-attr]
        with psycopg.connect(reading.source.url, autocommit=True) as connection:
            connection.execute("SELECT pg_terminate_backend(%s, 10000)", (pid,))
        return
    with path.open("r+b") as file:
        if harm == "cut":
            file.truncate(_PAGE)
        else:
            file.seek(_PAGE)
            file.write(b"junk" * (path.stat().st_size // 4))
