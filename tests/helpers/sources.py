"""Another program's database for `contacts sync`: a table of customers, on SQLite or Postgres."""

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from contactctl.domain.sources import DatabaseSource

_COLUMNS = "id, mail, name, updated_at"
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
        for row in rows:
            self.execute("DELETE FROM {t} WHERE id = ?", (row[0],))
            self.execute(f"INSERT INTO {{t}} ({_COLUMNS}) VALUES (?, ?, ?, ?)", row)

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
