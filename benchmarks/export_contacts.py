"""Export beside the same export written by hand, each in a process of its own.

    python benchmarks/export_contacts.py [CONTACTS ...]        default: 10000 1000000

By hand means: SELECT of the same columns through a server-side cursor, csv.writer, no checks.
Printed: seconds, start-up included, and peak memory, which must not grow with the store. Postgres
is CONTACTCTL_TEST_POSTGRES, or the one of the test extra.
"""

import csv
import os
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psycopg

sys.path.insert(0, str(Path(__file__).resolve().parent))

import import_contacts

from helpers import databases
from helpers.postgres_server import PostgresServer

SIZES = (10_000, 1_000_000)
SELECT = (
    "SELECT email, first_name, last_name, phone, company, source, last_opportunity,"
    " last_emailed, last_opened, last_clicked, attributes FROM contact ORDER BY id"
)
CONFIG = "attributes: {plan: text, orders: number}\n"


def sqlite_by_hand(url: str) -> None:
    connection = sqlite3.connect(url.removeprefix("sqlite:///"))
    csv.writer(sys.stdout).writerows(connection.execute(SELECT))


def postgres_by_hand(url: str) -> None:
    with psycopg.connect(url) as connection, connection.cursor("export") as cursor:
        cursor.itersize = 2000
        csv.writer(sys.stdout).writerows(cursor.execute(SELECT))


def measure(command: list[str], folder: Path) -> tuple[float, float]:
    """Seconds and peak megabytes of one process whose output nobody reads."""
    begin = time.perf_counter()
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    assert status == 0, command
    return time.perf_counter() - begin, usage.ru_maxrss / 1024


def report(database: str, url: str, size: int, folder: Path) -> None:
    contacts = folder / f"{size}.csv"
    if not contacts.exists():
        import_contacts.write_contacts(contacts, size)
    # in a process of its own: a child's peak counts what its parent held when it was started
    fill = [import_contacts.__file__, "--one", f"{database} contactctl", url, str(contacts)]
    subprocess.run([sys.executable, *fill], check=True)
    hand, _ = measure([sys.executable, __file__, "--one", database, url], folder)
    export = [sys.executable, "-m", "contactctl", "contacts", "export", "--database", url]
    ours, peak = measure(export, folder)
    print(
        f"{size:>10,} {database:9} by hand {hand:6.2f} s   contactctl {ours:6.2f} s"
        f"   {size / ours:>8,.0f} contacts/s   peak {peak:4.0f} MB"
    )


def main(sizes: list[int]) -> None:
    from contactctl.store.database.migrate import create_store

    named = os.environ.get("CONTACTCTL_TEST_POSTGRES")
    server = PostgresServer()
    os.environ["PYTHONPATH"] = str(Path(__file__).resolve().parent.parent)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "contactctl.yaml").write_text(CONFIG)
        try:
            if not named:
                server.start()
            for size in sizes:
                postgres = databases.create_database(named or server.url("postgres"), "template0")
                for database, url in (
                    ("sqlite", f"sqlite:///{folder / str(size)}.db"),
                    ("postgres", postgres),
                ):
                    create_store(url).close()
                    report(database, url, size, folder)
        finally:
            if not named:
                server.stop()


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        {"sqlite": sqlite_by_hand, "postgres": postgres_by_hand}[sys.argv[2]](sys.argv[3])
    else:
        main([int(argument) for argument in sys.argv[1:]] or list(SIZES))
