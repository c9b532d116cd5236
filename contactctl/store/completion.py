"""Names for shell completion, asked of the database directly: SQLAlchemy alone takes longer to
import than a person waits for a completion. What does not answer in time gives nothing.
"""

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from threading import Thread
from urllib.parse import unquote

_SQLITE = "sqlite:///"  # then an absolute path: the config has normalised it
_WAIT_S = 0.2


def group_names(database: str) -> Sequence[str]:
    """Names of groups; none where the store is missing, busy or slow."""
    return _first_column(database, 'SELECT name FROM "group" ORDER BY name LIMIT 200')


def run_numbers(database: str) -> Sequence[str]:
    """Numbers of the latest runs, the latest first; none where the store cannot be read."""
    return _first_column(database, "SELECT id FROM run ORDER BY id DESC LIMIT 200")


def _first_column(database: str, query: str) -> Sequence[str]:
    ask = _ask_sqlite if database.startswith(_SQLITE) else _ask_postgres
    if ask is _ask_postgres:
        import psycopg  # noqa: F401, PLC0415  (the driver's own time is not the database's)
    answer: list[str] = []
    asking = Thread(target=lambda: answer.extend(ask(database, query)), daemon=True)
    asking.start()
    asking.join(_WAIT_S)
    return list(answer)


def _ask_sqlite(database: str, query: str) -> Sequence[str]:
    """Through a connection that can neither create the file nor write to it."""
    path = Path(unquote(database.removeprefix(_SQLITE)))
    try:
        with closing(
            sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, timeout=_WAIT_S)
        ) as connection:
            return [str(row[0]) for row in connection.execute(query)]
    except sqlite3.Error:
        return []


def _ask_postgres(database: str, query: str) -> Sequence[str]:
    import psycopg  # noqa: PLC0415  (only where the store is on Postgres)

    try:
        with psycopg.connect(database, connect_timeout=2) as connection:
            return [str(row[0]) for row in connection.execute(query.encode())]
    except psycopg.Error:
        return []
