"""What makes many small stores fast: compiled SQL that all share, and no waiting for the disk.

Each command line and each store opens an engine of its own, and SQLAlchemy keeps what it compiles
by engine: half of the suite's time would go into compiling the same statements again.
"""

import sqlite3
from typing import Any

from sqlalchemy import Connection, Engine, event

_MOST_STATEMENTS = 3000  # drawn criteria are all different, and never asked for again


class SharedCache(dict[Any, Any]):
    """Compiled statements by kind of database; SQLAlchemy asks by dialect, one for each engine."""

    def get(self, key: Any, default: Any = None) -> Any:
        return super().get(_by_kind(key), default)

    def __setitem__(self, key: Any, compiled: Any) -> None:
        if len(self) == _MOST_STATEMENTS:
            self.clear()
        super().__setitem__(_by_kind(key), compiled)


def share_compiled_statements() -> None:
    """From now on, for every engine of this process."""
    cache = SharedCache()

    @event.listens_for(Engine, "engine_connect")
    def use_it(connection: Connection) -> None:
        connection.execution_options(compiled_cache=cache)


def leave_writing_to_the_system() -> None:
    """From now on no SQLite file waits for its disk: tests kill processes, and cut no power."""

    @event.listens_for(Engine, "connect")
    def do_not_wait(connection: Any, _record: object) -> None:
        if isinstance(connection, sqlite3.Connection):
            connection.execute("PRAGMA synchronous = OFF")


def _by_kind(key: tuple[Any, ...]) -> tuple[Any, ...]:
    dialect, *rest = key
    return (type(dialect), dialect.server_version_info, *rest)
