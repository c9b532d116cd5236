"""Ingest of provider events from a file, twice, each time in a process of its own.

    python benchmarks/ingest.py [EVENTS ...]        default: 100000 1000000

Once half of the events are bounces, which is as much work as there can be: every fifth event then
deactivates a contact. Once one in twenty is, as on a bad day. The others are deliveries. One of
each seven is to an address that no contact has; the second time everything is known. To reach:
20,000 events a second into SQLite and Postgres, flat memory under 150 MB (of both processes
together), and nothing recorded twice. The sources are compiled before, as pip leaves them: to do
that at every start takes both processes a second or two. Postgres is CONTACTCTL_TEST_POSTGRES, or
the one of the test extra.
"""

import itertools
import json
import os
import re
import select
import subprocess
import sys
import sysconfig
import tempfile
import time
from compileall import compile_dir
from pathlib import Path

from sqlalchemy import text

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from ingest_read import sendgrid_events  # noqa: E402

from helpers import databases  # noqa: E402
from helpers.contacts import own_addresses  # noqa: E402
from helpers.postgres_server import PostgresServer  # noqa: E402

SIZES = (100_000, 1_000_000)
ONE_BOUNCE_IN = (2, 20)
CONFIG = """
thresholds:
  invalid-address: {count: 1}
  transient: {count: 5, within: 30 days}
  blocked: {count: 5, within: 30 days}
incident_guard: {more_than: 10000000}
limits: {max_contacts: 100000000, max_percent: 100}
"""
CONTACTS = """
    WITH RECURSIVE numbers(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM numbers WHERE n + 1 < :count)
    INSERT INTO contact (email, email_key, email_domain, status, created, updated)
    SELECT 'contact' || n || '@example.org', 'contact' || n || '@example.org', 'example.org',
        'active', '2026-01-01 00:00:00.000000', '2026-01-01 00:00:00.000000'
    FROM numbers WHERE n % 7 <> 6"""


def write_events(path: Path, count: int, one_bounce_in: int) -> None:
    with path.open("w") as file:
        for event in sendgrid_events(count, one_bounce_in=one_bounce_in):
            file.write(json.dumps(event) + "\n")


def prepare(url: str, count: int) -> None:
    from contactctl.store.database.store import open_store

    store = open_store(url)
    statement = CONTACTS
    if store.dialect == "postgresql":
        statement = statement.replace("'2026-01-01 00:00:00.000000'", "TIMESTAMP '2026-01-01'")
    with store.writing() as connection:
        connection.execute(text(statement), {"count": count})
        own_addresses(connection)
    if store.dialect == "postgresql":  # as the server does it by itself after a while
        with store.writing() as connection:
            connection.execute(text("ANALYZE contact, contact_email"))
    store.close()


def measure(url: str, events: Path, config: Path) -> tuple[float, float, dict[str, object]]:
    """Seconds and peak megabytes of one command, start-up included, and what it reports."""
    command = ["responses", "ingest", str(events), "--json", "--quiet", "--config", str(config)]
    environment = {**os.environ, "CONTACTCTL_DATABASE_URL": url, "PYTHONPATH": str(ROOT)}
    begin = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "contactctl", *command], stdout=subprocess.PIPE, env=environment
    )
    assert process.stdout is not None
    peak = 0.0
    while not select.select([process.stdout], [], [], 0.2)[0]:
        peak = max(peak, megabytes_of_family(process.pid))
    output = process.stdout.read()
    assert process.wait() == 0, output
    return time.perf_counter() - begin, peak, json.loads(output)["data"]


def megabytes_of_family(pid: int) -> float:
    """The peaks so far of a process and of the one that reads for it, added (Linux)."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return sum(megabytes_of(each) for each in (str(pid), *children))


def megabytes_of(pid: str) -> float:
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:  # it has just ended
        return 0.0
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    return int(found[1]) / 1024 if found else 0.0


def report(size: int, one_bounce_in: int, name: str, url: str, folder: Path) -> None:
    events, config = folder / "events.jsonl", folder / "contactctl.yaml"
    if not events.exists():
        write_events(events, size, one_bounce_in)
    config.write_text(CONFIG)
    prepare(url, size)
    for round_name in ("new", "again"):
        seconds, peak, data = measure(url, events, config)
        assert data["recorded"] == (size // one_bounce_in if round_name == "new" else 0), data
        print(
            f"{size:>10,} 1 in {one_bounce_in:<3} {name:9} {round_name:6}"
            f" {seconds:7.2f} s {size / seconds:>8,.0f} events/s   peak {peak:4.0f} MB"
            f"   recorded {data['recorded']:,}   unmatched {data['unmatched']:,}"
            f"   deactivated {data['deactivated']:,}",
            flush=True,
        )


def main(sizes: list[int]) -> None:
    from contactctl.store.database.migrate import create_store

    for folder_of_sources in (str(ROOT / "contactctl"), sysconfig.get_path("purelib")):
        compile_dir(folder_of_sources, quiet=2)
    server = PostgresServer()
    named = os.environ.get("CONTACTCTL_TEST_POSTGRES")
    try:
        if not named:
            server.start()
        server_url = named or server.url("postgres")
        for size, one_bounce_in in itertools.product(sizes, ONE_BOUNCE_IN):
            with tempfile.TemporaryDirectory() as name:
                folder = Path(name)
                sqlite = f"sqlite:///{folder / 'contacts.db'}"
                create_store(sqlite).close()
                report(size, one_bounce_in, "sqlite", sqlite, folder)
                postgres = databases.create_database(server_url, "template0")
                create_store(postgres).close()
                report(size, one_bounce_in, "postgres", postgres, folder)
                databases.drop_database(server_url, postgres)
    finally:
        if not named:
            server.stop()


if __name__ == "__main__":
    main([int(size) for size in sys.argv[1:]] or list(SIZES))
