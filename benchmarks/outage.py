"""A provider's outage replayed: 110,000 contacts get one mail each within a day, in 288 ingests.

    python benchmarks/outage.py [--part N] [sqlite] [postgres]      default: both, whole

8,000 contacts of one provider, which are well, answer 5.1.1; 550 others are gone. `--part 10` takes
a tenth of each. To reach: at most 100 of the 8,000 deactivated at any time and none in the end, all
of them held in one incident, all of the 550 deactivated. Exits with 1 where that is missed.
Postgres is CONTACTCTL_TEST_POSTGRES, or the one of the test extra.
"""

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from contactctl.store.database.migrate import create_store  # noqa: E402
from helpers import databases  # noqa: E402
from helpers.outage import deactivated_of, replay  # noqa: E402
from helpers.postgres_server import PostgresServer  # noqa: E402

CONTACTS, FALSE, INGESTS = 110_000, 8_000, 288


def report(name: str, url: str, part: int) -> bool:
    """Replay it, and say how it ended; whether that is as it should be."""
    store = create_store(url)
    begin = time.perf_counter()
    outage = replay(store, contacts=CONTACTS // part, false=FALSE // part, ingests=INGESTS // part)
    seconds = time.perf_counter() - begin
    inactive = deactivated_of(store)
    held = [incident.held for incident in outage.incidents]
    store.close()
    falsely, rightly = len(inactive & outage.wrong), len(inactive & outage.gone)
    print(
        f"{name:9} {CONTACTS // part:>8,} contacts {INGESTS // part:>4} ingests {seconds:7.1f} s"
        f"   falsely deactivated {falsely:,} of {len(outage.wrong):,} (at most {outage.most:,})"
        f"   rightly {rightly:,} of {len(outage.gone):,}   held {held}",
        flush=True,
    )
    return outage.most <= 100 and inactive == outage.gone and held == [len(outage.wrong)]


def main() -> int:
    options = argparse.ArgumentParser(description="Replay a provider's outage.")
    options.add_argument("--part", type=int, default=1, metavar="N", help="an Nth of everything")
    options.add_argument("databases", nargs="*", default=["sqlite", "postgres"])
    given = options.parse_args()
    is_right = True
    if "sqlite" in given.databases:
        with tempfile.TemporaryDirectory() as folder:
            is_right &= report("sqlite", f"sqlite:///{Path(folder) / 'contacts.db'}", given.part)
    if "postgres" in given.databases:
        server = PostgresServer()
        named = os.environ.get("CONTACTCTL_TEST_POSTGRES")
        try:
            if not named:
                server.start()
            server_url = named or server.url("postgres")
            postgres = databases.create_database(server_url, "template0")
            is_right &= report("postgres", postgres, given.part)
            databases.drop_database(server_url, postgres)
        finally:
            if not named:
                server.stop()
    return 0 if is_right else 1


if __name__ == "__main__":
    sys.exit(main())
