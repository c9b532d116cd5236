"""`db copy` of a large store, SQLite to Postgres and back, killed on the way.

One million contacts with two million memberships and two million responses unless told otherwise.
The copy is killed with -9 ten times, at moments spread over its course, and goes on each time; at
the end the store that came back equals the one that went, table by table, by checksum, and no
process needed more memory for it than for a small store.

    python benchmarks/copy_store.py [CONTACTS]
"""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from made_stores import made_stores
from sqlalchemy import text
from table import HEADER, limit

from contactctl.store.database.copying import copied_tables, table_contents
from contactctl.store.database.store import open_store

KILLS = 10
MOST_MB = 150.0
_RESPONSES = """
    INSERT INTO response (contact_id, source_key, category, counts, recipient, occurred_at,
        recorded_at, run_id, status, diagnostic)
    SELECT id, 'r' || :n || '-' || id, 'transient', {true}, email, created, created, 1, '4.2.2',
        'mailbox full ' || id FROM contact"""
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


def copy(source: str, target: str, kills: int, seconds: float) -> tuple[float, float]:
    """Copy, killed so often within about `seconds`; returns the seconds that it took in all, and
    the most memory that the last process needed, in MB."""
    began, killed = time.perf_counter(), 0
    while True:
        process = subprocess.Popen(command(source, target), stdout=subprocess.DEVNULL)
        try:
            wait = seconds / max(kills, 1) if killed < kills else None
            process.wait(wait)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            killed += 1
            continue
        assert process.returncode == 0, process.returncode
        print(f"  {killed} kills", flush=True)
        return time.perf_counter() - began, peak_mb()


def peak_mb() -> float:
    """The most memory of any process that has ended so far."""
    import resource

    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024


def contents(url: str) -> dict[str, tuple[int, str]]:
    """Rows and checksum of each table, but for the runs: a copy notes itself there."""
    store = open_store(url)
    with store.reading() as connection:
        found = [table_contents(connection, each) for each in copied_tables() if each.name != "run"]
    store.close()
    return {each.table: (each.rows, each.digest) for each in found}


def main() -> None:
    contacts = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    with made_stores() as stores, tempfile.TemporaryDirectory() as folder:
        source, there = stores.of("sqlite", contacts), stores.of("postgres", 0)
        fill(source)
        back = f"sqlite:///{Path(folder) / 'back.db'}"
        print(HEADER)
        estimate = contacts / 25_000
        for what, kind, kills, (from_, into) in (
            ("db copy, SQLite to Postgres", "postgres", KILLS, (source, there)),
            ("db copy, Postgres to SQLite", "sqlite", KILLS, (there, back)),
        ):
            seconds, memory = copy(from_, into, kills, estimate)
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
