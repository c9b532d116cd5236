"""A SQLite file: how it is opened, how transactions begin and wait, and whether it is still there.

SQLite itself waits deaf to signals, so what waits for long waits here.
"""

import os
import sqlite3
from contextlib import suppress
from functools import cached_property, partial
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import sqlalchemy as sa

from contactctl.domain.errors import StoreError
from contactctl.domain.waits import IS_LONG_S, Waits

BEGIN = "contactctl_begin"  # the execution option with the statement that begins a transaction

_CACHE_KIB = 32_768
_EXECUTION_OPTIONS = {"preserve_rowcount": True}
_TRY_AGAIN_MS = 100
_LOCKED = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


class SqliteDatabase:
    """The file that a URL names, or a database in memory."""

    def __init__(self, url: sa.URL, waits: Waits) -> None:
        self.url = url
        self.waits = waits
        self.path = sqlite_path(url)
        self._opened: tuple[int, int] | None = None

    @property
    def identity(self) -> str:
        return str(self.path) if self.path else "sqlite in memory"

    @cached_property
    def is_on_read_only_mount(self) -> bool:
        """Whether nobody can write to the file, so that SQLite needs no lock and no log."""
        return self.path is not None and _is_on_read_only_mount(self.path)

    @cached_property
    def engine(self) -> sa.Engine:
        own: dict[str, Any] = {}
        if self.path is None:
            own = {"poolclass": sa.StaticPool, "connect_args": {"check_same_thread": False}}
        elif self.is_on_read_only_mount:
            own = {"creator": partial(_open_read_only, self.path)}
        url = self.url.set(drivername="sqlite")
        engine = sa.create_engine(url, execution_options=_EXECUTION_OPTIONS, **own)
        sa.event.listen(engine, "connect", self._prepare)
        sa.event.listen(engine, "close", _roll_back)
        sa.event.listen(engine, "begin", self._begin)
        sa.event.listen(engine, "commit", self._require_same_file)
        return engine

    def _prepare(self, connection: Any, _record: object) -> None:
        connection.isolation_level = None  # transactions begin where we say, see _begin
        # what is deleted is overwritten: an erasure then seldom has to rewrite the file
        for pragma in ("foreign_keys = ON", "secure_delete = ON", f"cache_size = -{_CACHE_KIB}"):
            connection.execute(f"PRAGMA {pragma}")
        self._require_same_file()

    def _begin(self, connection: sa.Connection) -> None:
        """Begin, once nobody else holds the file; `exc.OperationalError` when that takes long."""
        driver: Any = connection.connection.driver_connection
        begin = connection.get_execution_options().get(BEGIN, "BEGIN")
        began, is_told = monotonic(), False
        deadline = began + self.waits.locks_ms / 1000
        driver.execute(f"PRAGMA busy_timeout = {_TRY_AGAIN_MS}")
        while True:
            try:
                driver.execute(begin)
                break
            except sqlite3.Error as error:
                is_locked = getattr(error, "sqlite_errorcode", 0) & 0xFF in _LOCKED
                if not is_locked or monotonic() >= deadline:
                    raise sa.exc.OperationalError(begin, None, error) from error
            if not is_told and monotonic() - began > IS_LONG_S:
                self.waits.on_long_wait()
                is_told = True
            sleep(_TRY_AGAIN_MS / 1000)
        driver.execute(f"PRAGMA busy_timeout = {self.waits.locks_ms}")
        self._require_same_file()

    def _require_same_file(self, *_event: object) -> None:
        """StoreError when the path has another file by now: ours is no longer the store."""
        if self.path is None:
            return
        try:
            found = self.path.stat()
        except OSError as error:
            raise _moved(self.path) from error
        file = (found.st_dev, found.st_ino)
        self._opened = self._opened or file
        if file != self._opened:
            raise _moved(self.path)


def sqlite_path(url: sa.URL) -> Path | None:
    """The file of a SQLite URL, absolute; None for a database in memory."""
    if not url.database or url.database == ":memory:":
        return None
    return Path(url.database).absolute()


def create_sqlite_file(path: Path) -> None:
    """An empty file that only its owner can read, before SQLite would make a wider one."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    except OSError as error:
        raise StoreError(f"cannot create {path}: {error.strerror}") from error


def _open_read_only(path: Path) -> sqlite3.Connection:
    log = path.with_name(f"{path.name}-wal")
    # beside a log with changes in it the file alone is not the whole store
    how = "mode=ro" if log.exists() and log.stat().st_size else "mode=ro&immutable=1"
    return sqlite3.connect(f"{path.as_uri()}?{how}", uri=True)


def _moved(path: Path) -> StoreError:
    return StoreError(
        f"{path} was moved, removed or replaced while it was in use; nothing more is written to it",
        hint=f"end every contactctl on it, put the right file in its place, remove {path.name}-wal"
        f" and {path.name}-shm beside it, then `contactctl db check`",
        code="replaced",
    )


def _roll_back(connection: Any, _record: object) -> None:
    """An interrupted statement that somebody still holds would keep its transaction's lock."""
    with suppress(sqlite3.Error):
        connection.rollback()


def _is_on_read_only_mount(path: Path) -> bool:
    if not hasattr(os, "statvfs"):
        return False
    try:
        return bool(os.statvfs(path).f_flag & os.ST_RDONLY)
    except OSError:
        return False
