"""A handling sweep over open deactivations, three of ten of them due, beside two UPDATEs by hand.

Each run gets a copy of the same store. The program's side plans, checks the limits, works in
batches, keeps a run, and looks for complaints; memory comes from a process of its own:

    python benchmarks/handling_sweep.py --one URL    sweep there; prints seconds and peak MB
"""

import subprocess
import sys
from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from typing import Any

import by_hand
from deactivate import peak_mb
from made_stores import KINDS, MadeStores, made_stores
from table import HEADER, compare, limit, seconds_of

from contactctl.domain.policies import HandlingAction, HandlingRule, Limits, ResponsePolicy
from contactctl.domain.responses import Category
from contactctl.operations.handling import sweep_handling
from contactctl.store.database.store import open_store
from helpers.sessions import make_session

CONTACTS = 1_000_000
ROUNDS = 3
TARGET = 1.5
MEMORY_TARGET_MB = 150
_DUE, _NOT_DUE, _CUTOFF, _NOW = (f"2026-06-{day:02d} 12:00:00.000000" for day in (1, 10, 5, 15))

PREPARE = (
    "INSERT INTO deactivation (contact_id, group_id, run_id, category, origin, started_at)"
    " SELECT id, 0, 1, 'transient', 'threshold',"
    f" CAST(CASE WHEN id %% 10 < 3 THEN '{_DUE}' ELSE '{_NOT_DUE}' END AS %s) FROM contact",
    "UPDATE contact SET status = 'inactive'",
)
END = (
    f"UPDATE deactivation SET ended_at = '{_NOW}', ended_by_run_id = 2"
    " WHERE ended_at IS NULL AND origin = 'threshold' AND category = 'transient'"
    f" AND started_at <= '{_CUTOFF}' AND NOT EXISTS (SELECT 1 FROM response r WHERE"
    " r.contact_id = deactivation.contact_id AND r.category = 'spam-complaint')"
)
REACTIVATE = (
    f"UPDATE contact SET status = 'active', reactivated_at = '{_NOW}', revision = revision + 1"
    " WHERE id IN (SELECT contact_id FROM deactivation WHERE ended_by_run_id = 2)"
    " AND NOT EXISTS (SELECT 1 FROM deactivation d WHERE d.contact_id = contact.id"
    " AND d.group_id = 0 AND d.ended_at IS NULL)"
)


def run(stores: MadeStores, kinds: Sequence[str], contacts: int) -> None:
    for kind in kinds:
        hand: list[float] = []
        ours: list[float] = []
        megabytes = 0.0
        for _ in range(ROUNDS):
            with stores.copy(kind, contacts) as url, by_hand.connected(url) as connection:
                prepare(connection, kind)
                hand.append(seconds_of(partial(sweep_by_hand, connection)))
            with stores.copy(kind, contacts) as url:
                with by_hand.connected(url) as connection:
                    prepare(connection, kind)
                seconds, peak = measure(url)
                ours.append(seconds)
                megabytes = max(megabytes, peak)
        compare("handling sweep, 30 % due", kind, contacts, hand, ours, TARGET)
        limit("its peak memory", kind, contacts, megabytes, "MB", MEMORY_TARGET_MB)


def prepare(connection: Any, kind: str) -> None:
    """Every contact inactive for one transient deactivation."""
    on_sqlite = kind == "sqlite"
    connection.execute("BEGIN")
    connection.execute(PREPARE[0] % ("text" if on_sqlite else "timestamptz"))
    connection.execute(PREPARE[1])
    connection.execute("COMMIT")
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)" if on_sqlite else "VACUUM (ANALYZE)")


def sweep_by_hand(connection: Any) -> None:
    """One transaction, no plan."""
    connection.execute("BEGIN")
    connection.execute(END)
    connection.execute(REACTIVATE)
    connection.execute("COMMIT")


def measure(url: str) -> tuple[float, float]:
    """Seconds and peak MB of a sweep in a new process."""
    done = subprocess.run(
        [sys.executable, __file__, "--one", url], stdout=subprocess.PIPE, text=True, check=True
    )
    seconds, megabytes = done.stdout.split()
    return float(seconds), float(megabytes)


def sweep_here(url: str) -> float:
    """Seconds of the sweep, start-up excluded."""
    store = open_store(url)
    rule = HandlingRule(HandlingAction.REACTIVATE, timedelta(days=10))
    session = make_session(
        store,
        responses=ResponsePolicy(handling={Category.TRANSIENT: rule}),
        limits=Limits(max_contacts=10**9, max_percent=100),
    )

    def work() -> None:
        done = sweep_handling(session).run
        assert done is not None
        assert done.changed == done.results["reactivated"] > 0

    seconds = seconds_of(work)
    store.close()
    return seconds


def main() -> None:
    if sys.argv[1:2] == ["--one"]:
        print(sweep_here(sys.argv[2]), peak_mb())
        return
    print(HEADER)
    with made_stores() as stores:
        run(stores, KINDS, CONTACTS)


if __name__ == "__main__":
    main()
