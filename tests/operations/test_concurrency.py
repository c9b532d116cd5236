"""Several processes at once on one store: no contact twice, and every total right."""

import os
import random
import threading
from multiprocessing.process import BaseProcess

import pytest
from sqlalchemy import select

from contactctl.domain.errors import BusyError
from contactctl.domain.runs import RunState, SkipReason
from contactctl.operations.runs import cancel_run, read_run, resume_run
from contactctl.store import tables
from contactctl.store.changes import change_contacts
from contactctl.store.database.store import Store, open_store
from contactctl.store.run_steps import start_run
from contactctl.store.tables import contact
from helpers.contacts import seed_contacts
from helpers.plans import active_ids, deactivated_by, plan, plan_items, states
from helpers.processes import barrier, exit_code_of, start_cli
from helpers.sessions import NOW, make_session

pytestmark = pytest.mark.skipif(os.name == "nt", reason="needs fork")

DONE, REFUSED, BUSY = 0, 4, 6


def run_together(url: str, *commands: list[object]) -> list[int]:
    """The exit codes of the commands, all begun at the same moment, in small batches."""
    together = barrier(len(commands))
    processes: list[BaseProcess] = [
        start_cli([*args, "--database", url], batch_contacts=20, together=together)
        for args in commands
    ]
    return [exit_code_of(process) for process in processes]


def confirm(count: int) -> list[object]:
    return ["--confirm", count, "--limit-override", count]


@pytest.mark.parametrize("wait", [0, 30])
def test_two_scripts_deactivate_overlapping_contacts(
    store: Store, store_url: str, wait: int
) -> None:
    """Who comes second finds another count than was confirmed, or waits in vain."""
    seed_contacts(store, 300)
    exit_codes = run_together(
        store_url,
        ["deactivate", "--where", "id <= 200", *confirm(200), "--wait", wait],
        ["deactivate", "--where", "id > 100", *confirm(200), "--wait", wait],
    )

    assert sorted(exit_codes) == ([DONE, BUSY] if BUSY in exit_codes else [DONE, REFUSED])
    first = exit_codes[0] == DONE
    assert active_ids(store) == set(range(201, 301) if first else range(1, 101))
    assert deactivated_by(store, 1) == list(range(1, 201) if first else range(101, 301))
    assert (states(store), plan_items(store)) == ([RunState.DONE], 0)


def test_two_plans_of_overlapping_contacts_are_applied_at_once(
    store: Store, store_url: str
) -> None:
    seed_contacts(store, 300)
    session = make_session(store)
    plan(session, "id <= 200")
    plan(session, "id > 100")

    exit_codes = run_together(
        store_url,
        ["runs", "apply", 1, *confirm(200)],
        ["runs", "apply", 2, *confirm(200)],
    )

    assert exit_codes == [DONE, DONE]
    runs = [read_run(session, 1), read_run(session, 2)]
    assert sorted((run.changed, run.skipped_total) for run in runs) == [(100, 100), (200, 0)]
    assert {reason for run in runs for reason in run.skipped} == {SkipReason.NOT_ACTIVE}
    assert sorted(deactivated_by(store, 1) + deactivated_by(store, 2)) == list(range(1, 301))
    assert (active_ids(store), plan_items(store)) == (set(), 0)
    assert sorted(run.active_after or 0 for run in runs) == [0, 100]


def test_one_run_is_resumed_four_times_at_once(store: Store, store_url: str) -> None:
    seed_contacts(store, 300)
    session = make_session(store)
    start_run(store, plan(session, "id <= 200").id, NOW, operator="tester@host")

    exit_codes = run_together(
        store_url, *[["runs", "resume", 1, "--yes"]] * 3, ["runs", "watch", 1]
    )

    assert exit_codes == [DONE] * 4
    done = read_run(session, 1)
    assert (done.state, done.changed, done.active_after) == (RunState.DONE, 200, 100)
    assert deactivated_by(store, 1) == list(range(1, 201))


def test_one_plan_is_applied_twice_at_once(store: Store, store_url: str) -> None:
    seed_contacts(store, 300)
    plan(make_session(store), "id <= 200")

    exit_codes = run_together(store_url, *[["runs", "apply", 1, *confirm(200)]] * 2)

    assert sorted(exit_codes) == [DONE, REFUSED]
    assert deactivated_by(store, 1) == list(range(1, 201))
    assert states(store) == [RunState.DONE]


def test_a_run_is_cancelled_while_it_works(store: Store, store_url: str) -> None:
    seed_contacts(store, 6_000)
    session = make_session(store)
    start_run(store, plan(session, "id > 0").id, NOW, operator="tester@host")

    worker = start_cli(["runs", "resume", 1, "--yes", "--database", store_url], batch_contacts=2)
    while read_run(session, 1).changed == 0:
        worker.join(0.01)
        assert worker.exitcode is None
    cancelled = cancel_run(session, 1)

    assert exit_code_of(worker) == REFUSED
    assert read_run(session, 1) == cancelled
    assert deactivated_by(store, 1) == list(range(1, cancelled.cursor + 1))
    assert cancelled.changed == cancelled.cursor < 6_000
    assert (len(active_ids(store)), plan_items(store)) == (6_000 - cancelled.changed, 0)


def test_contacts_are_changed_by_another_writer_meanwhile(store: Store, store_url: str) -> None:
    """As an import does it; on Postgres a batch that collides with it starts over."""
    seed_contacts(store, 400)
    session = make_session(store)
    start_run(store, plan(session, "id > 0").id, NOW, operator="tester@host")
    writer = threading.Thread(target=change_some, args=(store_url, 400))

    worker = start_cli(["runs", "resume", 1, "--yes", "--database", store_url], batch_contacts=20)
    writer.start()
    exit_code = exit_code_of(worker)
    writer.join()

    assert exit_code in (DONE, BUSY)
    done = resume_run(session, 1)
    contact = tables.contact
    with store.reading() as connection:
        changed = connection.execute(select(contact.c.id).where(contact.c.revision > 0)).scalars()
        changed_ids = set(changed)
    assert done.changed + done.skipped_total == 400
    assert done.skipped.keys() <= {SkipReason.CHANGED}
    assert deactivated_by(store, 1) == sorted(set(range(1, 401)) - active_ids(store))
    assert active_ids(store) <= changed_ids
    assert len(active_ids(store)) == done.skipped_total == done.active_after


def change_some(url: str, contacts: int) -> None:
    """One transaction each, as fast as they go."""
    chance = random.Random(7)
    store = open_store(url)
    for _ in range(150):
        try:
            with store.writing() as connection:
                change_contacts(connection, contact.c.id == chance.randint(1, contacts), NOW)
        except BusyError:
            continue
    store.close()
