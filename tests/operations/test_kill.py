"""Killed with -9 and resumed: every planned contact changes exactly once, on both databases."""

import os
import random
from collections.abc import Callable

import pytest
from sqlalchemy import delete, select, update

from contactctl.domain.contacts import Status
from contactctl.domain.runs import Run, RunKind, RunState
from contactctl.operations.runs import apply_run, latest_runs, resume_run
from contactctl.store import tables
from contactctl.store.database.store import Store
from helpers.contacts import seed_contacts
from helpers.plans import active_ids, deactivated_by, plan, plan_items
from helpers.processes import KILLED, MOMENTS, Death, Moment, exit_code_of, start_cli
from helpers.sessions import make_session
from helpers.thorough import moments

pytestmark = pytest.mark.skipif(os.name == "nt", reason="kill -9")

CONTACTS = 30
PLANNED = set(range(4, 25))  # in two batches of eleven
CRITERIA = ("--where", "id between 4 and 24")


def latest(store: Store) -> Run | None:
    return next(iter(latest_runs(make_session(store), limit=1, kinds=[], states=[])), None)


def start_over(store: Store) -> None:
    """Every contact active, no run."""
    with store.writing() as connection:
        for table in (tables.deactivation, tables.plan_item, tables.run):
            connection.execute(delete(table))
        connection.execute(update(tables.contact).values(status=Status.ACTIVE, revision=0))


def require_consistent(store: Store) -> None:
    """What holds between any two transactions: status, deactivations and counts agree."""
    deactivation = tables.deactivation
    with store.reading() as connection:
        is_open = deactivation.c.ended_at.is_(None)
        rows = connection.execute(select(deactivation.c.contact_id).where(is_open)).scalars()
        deactivated = list(rows)
    active = active_ids(store)
    assert len(deactivated) == len(set(deactivated))
    assert active.isdisjoint(deactivated)
    run = latest(store)
    if run is not None and run.kind is RunKind.DEACTIVATE:
        assert deactivated_by(store, run.id) == sorted(deactivated)
        assert run.changed == len(deactivated)
        assert all(contact_id <= run.cursor for contact_id in deactivated)
        assert (run.state is RunState.DONE) <= (plan_items(store) == 0)


def deactivate(store: Store) -> list[object]:
    """A script deactivates, from nothing to done."""
    start_over(store)
    count = len(PLANNED)
    return ["deactivate", *CRITERIA, "--confirm", count, "--limit-override", count]


def apply_kept_plan(store: Store) -> list[object]:
    start_over(store)
    run = plan(make_session(store), CRITERIA[1])
    return ["runs", "apply", run.id, "--confirm", run.planned, "--limit-override", run.planned]


def require_all_done(store: Store, before: set[int]) -> None:
    """Resume until done, if anything has begun; then exactly the planned are inactive."""
    session = make_session(store)
    run = latest(store)
    if run is None or run.state is RunState.PLANNED:
        assert active_ids(store) == before
        return
    done = resume_run(session, run.id)
    assert (done.state, done.changed, done.skipped) == (RunState.DONE, len(PLANNED), {})
    assert (done.active_before, done.active_after) == (CONTACTS, CONTACTS - len(PLANNED))
    assert deactivated_by(store, run.id) == sorted(PLANNED)
    assert active_ids(store) == before - PLANNED
    assert plan_items(store) == 0


@pytest.mark.sampled
@pytest.mark.parametrize(
    ("command", "moment"),
    [*((deactivate, moment) for moment in MOMENTS), (apply_kept_plan, "after a commit")],
)
def test_killed_at_every_statement_and_commit(
    store: Store,
    store_url: str,
    command: Callable[[Store], list[object]],
    moment: Moment,
) -> None:
    seed_contacts(store, CONTACTS)
    for number in moments(sample=10 if moment == "before a statement" else 3):
        args = [*command(store), "--database", store_url]
        before = active_ids(store)
        process = start_cli(args, batch_contacts=11, death=Death(moment, number))
        exit_code = exit_code_of(process)

        require_consistent(store)
        require_all_done(store, before)
        if exit_code != KILLED:
            break

    assert exit_code == 0
    assert number > (20 if moment == "before a statement" else 5)  # it did come that often
    assert active_ids(store) == set(range(1, CONTACTS + 1)) - PLANNED


@pytest.mark.sampled
def test_an_undo_killed_after_every_commit_brings_each_contact_back_once(
    store: Store, store_url: str, tmp_path
) -> None:
    (tmp_path / "undo.yaml").write_text("allow_undo: true\n")
    seed_contacts(store, CONTACTS)
    session = make_session(store, allow_undo=True)
    for number in moments(sample=2):
        start_over(store)
        done = apply_run(session, plan(session, CRITERIA[1]).id)
        confirm = ["--confirm", done.changed, "--limit-override", done.changed]
        args = ["runs", "undo", done.id, *confirm, "--config", tmp_path / "undo.yaml"]
        process = start_cli(
            [*args, "--database", store_url],
            batch_contacts=11,
            death=Death("after a commit", number),
        )
        exit_code = exit_code_of(process)

        require_consistent(store)
        undo = latest(store)
        assert undo is not None
        if undo.kind is RunKind.UNDO:
            finished = resume_run(session, undo.id)
            assert (finished.state, finished.changed) == (RunState.DONE, len(PLANNED))
            assert active_ids(store) == set(range(1, CONTACTS + 1))
            assert plan_items(store) == 0
        if exit_code != KILLED:
            break

    assert exit_code == 0
    assert number > 5


def storm(store: Store, url: str, kills: int, seed: int) -> None:
    """Kill whatever runs at random moments, resume it, and start over when it is done."""
    chance = random.Random(seed)
    contacts = 1500
    seed_contacts(store, contacts)
    confirm = ["--confirm", contacts, "--limit-override", contacts]
    landed = 0
    while landed < kills:
        run = latest(store)
        if run is None or run.state is RunState.DONE:
            start_over(store)
            args: list[object] = ["deactivate", "--where", "id > 0", *confirm]
        else:
            args = ["runs", "resume", run.id, "--yes"]
        process = start_cli([*args, "--database", url], batch_contacts=25)
        process.join(chance.uniform(0.02, 0.5))
        if process.exitcode is None:
            process.kill()
            landed += exit_code_of(process) == KILLED
        assert process.exitcode in (0, KILLED)
        require_consistent(store)
    run = latest(store)
    if run is not None:
        done = resume_run(make_session(store), run.id)
        assert (done.changed, done.active_after, plan_items(store)) == (contacts, 0, 0)
        assert deactivated_by(store, run.id) == list(range(1, contacts + 1))


def test_killed_at_random_moments(store: Store, store_url: str) -> None:
    storm(store, store_url, kills=6, seed=20260615)


@pytest.mark.torture
def test_killed_at_fifty_random_moments(store: Store, store_url: str) -> None:
    storm(store, store_url, kills=50, seed=50)
