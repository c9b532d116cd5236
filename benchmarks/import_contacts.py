"""Import beside the same import written by hand, each in a process of its own, on a new store.

    python benchmarks/import_contacts.py [ROWS ...]        default: 10000 1000000

By hand means: csv.reader + executemany (SQLite) or COPY + upsert (Postgres), the address in lower
case, every column, the same number of rows in a transaction, and no checks at all. To reach: at
most 2x the time, and under 150 MB at any size. Postgres is CONTACTCTL_TEST_POSTGRES, or the one
of the test extra.
"""

import csv
import json
import os
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from pathlib import Path

import psycopg

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from helpers import databases  # noqa: E402
from helpers.postgres_server import PostgresServer  # noqa: E402

BATCH_ROWS = 10_000
SIZES = (10_000, 1_000_000)
HEADER = (
    "email",
    "first_name",
    "last_name",
    "company",
    "last_opportunity",
    "attributes.plan",
    "attributes.orders",
)
COLUMNS = (
    "email, email_key, email_domain, first_name, first_name_folded, last_name, last_name_folded,"
    " company, company_folded, last_opportunity, attributes, attributes_folded,"
    " created, updated, revision"
)
# of the bare table alone: where contactctl has the table of addresses
UNIQUE = "CREATE UNIQUE INDEX IF NOT EXISTS by_key ON contact (email_key)"
UPSERT = (
    " ON CONFLICT (email_key) DO UPDATE SET first_name = excluded.first_name,"
    " first_name_folded = excluded.first_name_folded, last_name = excluded.last_name,"
    " last_name_folded = excluded.last_name_folded, company = excluded.company,"
    " company_folded = excluded.company_folded, last_opportunity = excluded.last_opportunity,"
    " attributes = excluded.attributes, attributes_folded = excluded.attributes_folded,"
    " updated = excluded.updated, revision = contact.revision + 1"
)


def write_contacts(path: Path, rows: int) -> None:
    """Plausible contacts: names repeat, one in ten has no opportunity, plans are few."""
    first, plans = ("Anna", "Bo", "Chloé", "David", "Émile", "Fatima"), ("free", "trial", "Pro")
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(HEADER)
        for number in range(rows):
            shuffled = number * 7919 % 10_000_019  # addresses do not come sorted
            day = date(2018, 1, 1) + timedelta(days=number % 3000)
            writer.writerow(
                (
                    f"Person.{shuffled}@mail{number % 997}.example.com",
                    first[number % 6],
                    f"Surname{number % 50_000}",
                    f"Company {number % 20_000} Ltd",
                    day if number % 10 else "",
                    plans[number % 3],
                    number % 40,
                )
            )


def rows_by_hand(path: Path) -> Iterator[tuple[object, ...]]:
    now = datetime.now(UTC).replace(tzinfo=None).isoformat(" ")
    with path.open(newline="") as file:
        reader = csv.reader(file)
        next(reader)
        for email, first, last, company, day, plan, orders in reader:
            key = email.strip().lower()
            attributes = json.dumps({"plan": plan, "orders": int(orders)})
            yield (
                email,
                key,
                key.split("@")[1],
                first or None,
                first.lower() or None,
                last or None,
                last.lower() or None,
                company or None,
                company.lower() or None,
                day or None,
                attributes,
                json.dumps({"plan": plan.lower()}),
                now,
                now,
                0,
            )


def sqlite_by_hand(url: str, path: Path) -> None:
    connection = sqlite3.connect(url.removeprefix("sqlite:///"))
    connection.execute(UNIQUE)
    marks = ", ".join("?" * len(COLUMNS.split(",")))
    rows = rows_by_hand(path)
    while batch := list(islice(rows, BATCH_ROWS)):
        with connection:
            connection.executemany(
                f"INSERT INTO contact ({COLUMNS}) VALUES ({marks}){UPSERT}", batch
            )
    connection.close()


def postgres_by_hand(url: str, path: Path) -> None:
    rows = rows_by_hand(path)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(UNIQUE)
        connection.execute(
            f"CREATE TEMP TABLE staging AS SELECT {COLUMNS} FROM contact WITH NO DATA"
        )
        while batch := list(islice(rows, BATCH_ROWS)):
            with connection.transaction(), connection.cursor() as cursor:
                cursor.execute("TRUNCATE staging")
                with cursor.copy(f"COPY staging ({COLUMNS}) FROM STDIN") as copy:
                    for row in batch:
                        copy.write_row(row)
                cursor.execute(
                    f"INSERT INTO contact ({COLUMNS}) SELECT {COLUMNS} FROM staging{UPSERT}"
                )


def by_contactctl(url: str, path: Path) -> None:
    from contactctl.operations.importing.load import ImportInput, import_contacts
    from contactctl.operations.importing.options import ImportOptions
    from contactctl.store.database.store import open_store
    from helpers.imports import KeptRejects
    from helpers.sessions import make_session

    store = open_store(url)
    given = ImportInput(path, sys.stdin.buffer, ImportOptions(batch_rows=BATCH_ROWS))
    result = import_contacts(make_session(store), given, KeptRejects())
    assert result.rejected == 0
    store.close()


WAYS = {
    "sqlite by hand": sqlite_by_hand,
    "postgres by hand": postgres_by_hand,
    "sqlite contactctl": by_contactctl,
    "postgres contactctl": by_contactctl,
}


def measure(way: str, url: str, path: Path) -> tuple[float, float]:
    """Seconds and peak megabytes of one import in a new process, start-up included."""
    begin = time.perf_counter()
    process = subprocess.Popen([sys.executable, __file__, "--one", way, url, str(path)])
    _, status, usage = os.wait4(process.pid, 0)
    assert status == 0, way
    return time.perf_counter() - begin, usage.ru_maxrss / 1024


def report(size: int, folder: Path, template: Path, server: str, postgres_template: str) -> None:
    path = folder / f"{size}.csv"
    write_contacts(path, size)
    for database in ("sqlite", "postgres"):
        for round_name in ("new", "again"):
            figures = {}
            for who in ("by hand", "contactctl"):
                target = folder / f"{size}-{who.replace(' ', '-')}"
                target.mkdir(exist_ok=True)
                key = (size, database, who)
                if key not in urls:
                    urls[key] = (
                        databases.copy_sqlite(template, target)
                        if database == "sqlite"
                        else databases.create_database(server, postgres_template)
                    )
                figures[who] = measure(f"{database} {who}", urls[key], path)
            (hand, _), (ours, peak) = figures["by hand"], figures["contactctl"]
            print(
                f"{size:>10,} {database:9} {round_name:6} by hand {hand:7.2f} s   contactctl"
                f" {ours:7.2f} s   ratio {ours / hand:4.2f}   peak {peak:4.0f} MB"
            )


urls: dict[tuple[int, str, str], str] = {}


def main(sizes: list[int]) -> None:
    from contactctl.store.database.migrate import create_store

    server = PostgresServer()
    named = os.environ.get("CONTACTCTL_TEST_POSTGRES")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        try:
            if not named:
                server.start()
            server_url = named or server.url("postgres")
            template = folder / "empty.db"
            create_store(f"sqlite:///{template}").close()
            postgres = databases.create_database(server_url, "template0")
            create_store(postgres).close()
            postgres_template = postgres.partition("?")[0].rsplit("/", 1)[1]
            for size in sizes:
                report(size, folder, template, server_url, postgres_template)
        finally:
            server.stop()


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        WAYS[sys.argv[2]](sys.argv[3], Path(sys.argv[4]))
    else:
        main([int(argument) for argument in sys.argv[1:]] or list(SIZES))
