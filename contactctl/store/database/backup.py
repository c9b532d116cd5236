"""A backup of a whole store in one file, made while others work on it."""

import os
import shutil
import sqlite3
import subprocess
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from contactctl.domain.errors import StoreError
from contactctl.store.database.errors import translated_errors
from contactctl.store.database.store import Store

_PAGES_A_STEP = 2_000
Tell = Callable[[int, int], None]


def back_up_sqlite(store: Store, target: Path, tell: Tell) -> None:
    """SQLite's online backup, checked; `tell` gets the pages copied so far and all of them."""
    with (
        translated_errors(store),
        store.engine.connect() as connection,
        closing(sqlite3.connect(target)) as copy,
    ):
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
