"""`db copy` of a large store, SQLite to Postgres and back, killed on the way.

One million contacts with two million memberships and two million responses unless told otherwise.
The copy is killed with -9 ten times, at moments spread over its course, and goes on each time; at
the end the store that came back equals the one that went, table by table, by checksum, and no
process needed more memory for it than for a small store.

    python benchmarks/copy_store.py [CONTACTS ...]
"""

import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from made_stores import made_stores
from sqlalchemy import text
from table import HEADER, limit

from contactctl.domain.errors import ExitCode, StoreError
from contactctl.store.database.copies import copied_tables, table_contents
from contactctl.store.database.store import connect, file_is_missing, open_store

KILLS = 10
MOST_MB = 150.0
LARGE = {"contact": "id", "membership": "contact_id", "response": "contact_id"}
_RESPONSES = """
    INSERT INTO response (contact_id, source_key, category, counts, not_counted, recipient, channel,
        group_id, occurred_at, recorded_at, source, rule, run_id, status, diagnostic)
    SELECT id, 'r' || CAST(:n AS text) || '-' || id, 'transient', {true}, '', email, 'email', 0,
        created, created, 'made', '', 1, '4.2.2', 'mailbox full ' || id FROM contact"""
_MEMBERSHIPS = """
    INSERT INTO membership (contact_id, group_id, added)
    SELECT c.id, g.id, c.created FROM contact c JOIN "group" g ON g.id <= 2
    WHERE true ON CONFLICT DO NOTHING"""


def fill(url: str) -> None:
    """Two responses for each contact, and two memberships."""
    store = open_store(url)
    with store.writing() as connection:
        connection.execute(text(_MEMBERSHIPS))
        for number in (1, 2):
            statement = _RESPONSES.format(true="1" if store.dialect == "sqlite" else "true")
            connection.execute(text(statement), {"n": number})
    store.close()


def command(source: str, target: str) -> list[str]:
    program = [sys.executable, "-m", "contactctl", "db", "copy", "--to", target]
    return [*program, "--database", source, "--quiet", "--json"]


def copy(source: str, target: str) -> tuple[float, float]:
    """Copy, killed each time when a further part of the rows has arrived; returns the seconds that
    it took in all, and the most memory that the last process needed, in MB."""
    whole, began, killed = arrived(source), time.perf_counter(), 0
    while True:
        process = subprocess.Popen(command(source, target), stdout=subprocess.DEVNULL)
        while True:
            pid, status, usage = os.wait4(process.pid, os.WNOHANG)
            if pid:
                process.returncode = os.waitstatus_to_exitcode(status)
                break
            if killed < KILLS and arrived(target) > whole * (killed + 1) / (KILLS + 1):
                os.kill(process.pid, signal.SIGKILL)
            time.sleep(0.5)
        if os.waitstatus_to_exitcode(status) == 0:
            print(f"  {killed} kills", flush=True)
            return time.perf_counter() - began, usage.ru_maxrss / 1024
        # the server may take a moment to notice that the one before it was killed
        assert os.waitstatus_to_exitcode(status) in (-signal.SIGKILL, ExitCode.BUSY)
        killed += os.waitstatus_to_exitcode(status) == -signal.SIGKILL


def arrived(url: str) -> int:
    """How far the large tables have come, by their last keys: to count rows again and again would
    take longer than to copy them. 0 where there is no schema yet."""
    database = connect(url)
    try:
        if file_is_missing(database):
            return 0
        with database.reading() as connection:
            last = (text(f"SELECT max({key}) FROM {name}") for name, key in LARGE.items())
            return sum(connection.execute(each).scalar_one() or 0 for each in last)
    except StoreError:
        return 0
    finally:
        database.close()


def contents(url: str) -> dict[str, tuple[int, str]]:
    """Rows and checksum of each table, but for the runs: a copy notes itself there."""
    store = open_store(url)
    with store.reading() as connection:
        found = [table_contents(connection, each) for each in copied_tables() if each.name != "run"]
    store.close()
    return {each.table: (each.rows, each.digest) for each in found}


def main() -> None:
    print(HEADER)
    for contacts in [int(size) for size in sys.argv[1:]] or [1_000_000]:
        run(contacts)


def run(contacts: int) -> None:
    with made_stores() as stores, tempfile.TemporaryDirectory() as folder:
        source, there = stores.of("sqlite", contacts), stores.of("postgres", 0)
        fill(source)
        back = f"sqlite:///{Path(folder) / 'back.db'}"
        for what, kind, from_, into in (
            ("db copy, SQLite to Postgres", "postgres", source, there),
            ("db copy, Postgres to SQLite", "sqlite", there, back),
        ):
            seconds, memory = copy(from_, into)
            print(f"{what}: {seconds:.0f} s in all", flush=True)
            limit(f"{what}, memory", kind, contacts, memory, "MB", MOST_MB)
        went, came = contents(source), contents(back)
        for table, (rows, _) in went.items():
            if rows:
                print(f"  {table}: {rows:,} rows")
        assert went == came, [name for name in went if went[name] != came[name]]
        print("equal by checksum")


if __name__ == "__main__":
    os.nice(5)
    main()
