"""How fast the builder answers a key press while a count runs on a large store.

    python benchmarks/builder.py [CONTACTS]

A person types into a condition that the database needs long for, faster than it can count. Each
key press is timed until the screen shows its character; every count shown is held against the
criteria on the screen at that moment.
"""

import asyncio
import statistics
import sys
import tempfile
import time
from contextlib import nullcontext
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from contactctl.builder.app import BuilderApp  # noqa: E402
from contactctl.builder.live_count import LiveCount  # noqa: E402
from contactctl.builder.work import BuilderWork  # noqa: E402
from contactctl.domain.criteria.tree import Criteria  # noqa: E402
from contactctl.operations.criteria import (  # noqa: E402
    Preview,
    preview,
    selection_of,
)
from contactctl.operations.session import Session  # noqa: E402
from contactctl.store.database.migrate import create_store  # noqa: E402
from helpers.builder import Driver  # noqa: E402
from helpers.contacts import seed_contacts  # noqa: E402
from helpers.sessions import make_session  # noqa: E402

TARGET_MS = 50
TYPED = "company1999"  # contains: a scan of the whole table


class Observed:
    """Counts begun, and counts cancelled by a newer edit."""

    def __init__(self) -> None:
        self.asked = 0
        self.cancelled = 0

    def watch(self, count: LiveCount) -> None:
        """From now on."""
        ask = count._ask

        def watched(criteria: Criteria) -> Preview:
            self.asked += 1
            try:
                return ask(criteria)
            except Exception:
                self.cancelled += 1
                raise

        count._ask = watched


async def type_and_time(user: Driver, observed: Observed) -> list[float]:
    """Milliseconds from each key press until the row shows it, with counts running meanwhile."""
    await user.start()
    observed.watch(user.app._opened.count)
    await user.press("x")
    await user.add("company")
    await user.choose_operator("contains")
    await user.until(lambda: "contains" in user.lines[1])
    entry = user.editor.query_one("#value Input")
    entry.focus()
    took = []
    for character in TYPED:
        before = user.lines[1]
        started = time.perf_counter()
        user.app.simulate_key(character)
        while user.lines[1] == before:
            await asyncio.sleep(0.001)
        took.append((time.perf_counter() - started) * 1000)
        await asyncio.sleep(0.2)  # longer than the debounce: a count is running when the next comes
    return took


async def right_in_the_end(user: Driver, session: Session) -> bool:
    """The count shown is that of the criteria shown."""
    shown = await user.counted()
    criteria = user.editor.criteria
    assert criteria is not None
    return shown.startswith(f"{preview(session, selection_of(session, criteria)).count:,} of")


def main() -> None:
    contacts = int(sys.argv[1].replace("_", "")) if len(sys.argv) > 1 else 1_000_000
    with tempfile.TemporaryDirectory() as folder:
        store = create_store(f"sqlite:///{folder}/contacts.db")
        seed_contacts(store, contacts)
        session = make_session(store)
        work = BuilderWork(lambda: nullcontext(session), lambda _run: None, Path(folder))
        app, observed = BuilderApp(work), Observed()

        async def run() -> None:
            async with app.run_test(size=(120, 40)) as pilot:
                user = Driver(app, pilot)
                took = await type_and_time(user, observed)
                right = await right_in_the_end(user, session)
                report(contacts, took, observed, right)

        try:
            asyncio.run(run())
        finally:
            app.close()
            store.close()


def report(contacts: int, took: list[float], observed: Observed, right: bool) -> None:
    worst = max(took)
    print(f"{contacts:,} contacts, SQLite, {len(took)} key presses while counts ran")
    print(f"key press to screen: median {statistics.median(took):.1f} ms, worst {worst:.1f} ms")
    print(f"  to reach: {TARGET_MS} ms: {'reached' if worst <= TARGET_MS else 'MISSED'}")
    print(f"counts begun {observed.asked}, cancelled by a newer edit {observed.cancelled}")
    print(f"the count shown in the end is that of the criteria shown: {'yes' if right else 'NO'}")


if __name__ == "__main__":
    main()
