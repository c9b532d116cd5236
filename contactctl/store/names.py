"""Names for shell completion, asked of SQLite directly: SQLAlchemy alone takes longer to import
than a person waits for a completion. Postgres is not asked."""

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

_SQLITE = "sqlite:///"  # then an absolute path: the config has normalised it
_WAIT_S = 0.1
_MOST = 200


def group_names(database: str) -> Sequence[str]:
    """Names of groups; none where the store is missing, busy, or no SQLite file."""
    return _first_column(database, 'SELECT name FROM "group" ORDER BY name LIMIT ?')


def run_numbers(database: str) -> Sequence[str]:
    """Numbers of the latest runs, the latest first; none where the store cannot be read."""
    return _first_column(database, "SELECT id FROM run ORDER BY id DESC LIMIT ?")


def _first_column(database: str, query: str) -> Sequence[str]:
    if not database.startswith(_SQLITE):
        return []
    try:
        with closing(_read_only(Path(database.removeprefix(_SQLITE)))) as connection:
            return [str(row[0]) for row in connection.execute(query, (_MOST,))]
    except sqlite3.Error:
        return []


def _read_only(path: Path) -> sqlite3.Connection:
    """A connection that can neither create the file nor write to it."""
    return sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, timeout=_WAIT_S)
