"""Deactivating the prebuilt selection, plan to done, beside one INSERT and one UPDATE by hand: on
the store's own tables, and on bare ones, without its index on status.

Each run gets a copy of the same store. Memory and growth come from processes of their own:

    python benchmarks/deactivate.py --one URL        deactivate there; prints seconds and peak MB
"""

import re
import resource
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import by_hand
from made_stores import MadeStores
from table import compare, limit, seconds_of

from contactctl.domain.runs import Confirmation, Run
from contactctl.operations.criteria import CriteriaSource, preview, select_contacts
from contactctl.operations.plans import plan_deactivation
from contactctl.operations.runs import run_confirmed
from contactctl.store.database.store import open_store
from helpers.sessions import make_session

ROUNDS = 3
TARGET = 1.25
MEMORY_TARGET_MB = 150
GROWTH_TARGET = 1.3
GROWTH_FROM = 1_000_000  # below, everything fits into the caches


@dataclass(frozen=True)
class Measured:
    """One deactivation in a process of its own."""

    seconds: float
    peak_mb: float


def run(stores: MadeStores, kinds: Sequence[str], contacts: int) -> None:
    for kind in kinds:
        hand: list[float] = []
        bare: list[float] = []
        ours: list[float] = []
        for _ in range(ROUNDS):
            with stores.copy(kind, contacts) as url, by_hand.connected(url) as connection:
                hand.append(seconds_of(partial(by_hand.deactivate, connection)))
            with stores.copy(kind, contacts) as url, by_hand.connected(url) as connection:
                by_hand.make_bare(connection)
                bare.append(seconds_of(partial(by_hand.deactivate, connection)))
            with stores.copy(kind, contacts) as url:
                ours.append(measure(url).seconds)
        compare("deactivate, plan to done", kind, contacts, hand, ours, TARGET)
        compare("deactivate / bare tables", kind, contacts, bare, ours, TARGET)


def run_memory(stores: MadeStores, kinds: Sequence[str], sizes: Sequence[int]) -> None:
    """Peak memory at every size, and how the time for one contact grows with their number."""
    for kind in kinds:
        per_contact: list[float] = []
        for contacts in sizes:
            with stores.copy(kind, contacts) as url:
                measured = measure(url)
            per_contact.append(measured.seconds / contacts)
            limit("peak memory", kind, contacts, measured.peak_mb, "MB", MEMORY_TARGET_MB)
        if len(sizes) > 1 and sizes[-2] >= GROWTH_FROM:
            growth = per_contact[-1] / per_contact[-2]
            limit("growth per contact", kind, sizes[-1], growth, "x", GROWTH_TARGET)


def measure(url: str) -> Measured:
    """Deactivate on that store in a new process."""
    done = subprocess.run(
        [sys.executable, __file__, "--one", url], stdout=subprocess.PIPE, text=True, check=True
    )
    seconds, peak_mb = done.stdout.split()
    return Measured(float(seconds), float(peak_mb))


def deactivate_prebuilt(url: str) -> float:
    """Seconds from the plan to the run's end, start-up and preview excluded."""
    store = open_store(url)
    session = make_session(store)
    selection = select_contacts(session, CriteriaSource())
    count = preview(session, selection).count
    said = Confirmation(count, count)

    def work() -> None:
        done: Run | None = run_confirmed(
            session, lambda: plan_deactivation(session, selection, said=said)
        )
        assert done is not None
        assert done.changed == count

    seconds = seconds_of(work)
    store.close()
    return seconds


def peak_mb() -> float:
    """This process's peak memory; what Linux tells of a child counts its parent's in."""
    status = Path("/proc/self/status")
    if status.exists():
        return int(re.search(r"VmHWM:\s+(\d+) kB", status.read_text())[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 * 1024)  # macOS: bytes


if __name__ == "__main__":
    print(deactivate_prebuilt(sys.argv[2]), peak_mb())
