"""Working through a plan in batches: interrupted, resumed, cancelled at work, never twice."""

from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta

import pytest

from contactctl.domain.errors import BusyError, InterruptedByUserError, RefusedError, StoreError
from contactctl.domain.runs import Run, RunState
from contactctl.operations import run_work
from contactctl.operations.plans import plan_deactivation
from contactctl.operations.run_work import work_through
from contactctl.operations.runs import apply_run, cancel_run, read_run, resume_run, run_confirmed
from contactctl.store import deactivations
from contactctl.store.database.locks import CONTACT_CHANGES, exclusive
from contactctl.store.database.store import Store, open_store
from contactctl.store.plans import Step
from contactctl.store.run_steps import apply_batch
from helpers.contacts import seed_contacts
from helpers.dumps import dump
from helpers.meanwhile import delete_contact
from helpers.plans import (
    NO_LIMITS,
    active_ids,
    confirmed,
    deactivated_by,
    plan,
    plan_items,
    selection,
    started,
)
from helpers.sessions import NOW, make_session


def test_a_run_goes_on_from_its_cursor(store: Store) -> None:
    seed_contacts(store, 30)
    session = make_session(store)
    run = started(session, "id <= 30")
    for _ in range(2):
        after = apply_batch(store, run, 10, NOW)
        assert after is not None
        run = after
    assert (run.cursor, run.changed, len(active_ids(store))) == (20, 20, 10)

    done = resume_run(make_session(store, now=NOW + timedelta(hours=1)), run.id)

    assert (done.changed, done.active_before, done.active_after) == (30, 30, 0)
    assert deactivated_by(store, run.id) == list(range(1, 31))
    assert resume_run(session, run.id) == done


def test_a_batch_applied_by_somebody_who_saw_an_older_cursor_changes_nothing(
    store: Store,
) -> None:
    seed_contacts(store, 30)
    run = started(make_session(store), "id <= 30")
    apply_batch(store, run, 10, NOW)
    before = dump(store)

    with pytest.raises(BusyError, match="another process works on run 1"):
        apply_batch(store, run, 10, NOW)
    assert dump(store) == before


def test_a_batch_whose_numbers_do_not_agree_is_rolled_back(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    seed_contacts(store, 30)
    run = started(make_session(store), "id <= 30")
    reported = report_one_less(monkeypatch)
    before = dump(store)

    with pytest.raises(AssertionError, match="of 30 contacts, changed 29"):
        apply_batch(store, run, 100, NOW)
    assert reported == [29]
    assert dump(store) == before


def report_one_less(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Have bulk work report one contact less than it changed; returns what it reported."""
    work = deactivations.DEACTIVATING
    reported: list[int] = []

    def one_less(step: Step) -> int:
        reported.append(work.change(step) - 1)
        return reported[-1]

    monkeypatch.setattr(deactivations, "DEACTIVATING", replace(work, change=one_less))
    return reported


def test_cut_short_by_the_database_it_says_how_to_go_on(
    store: Store, small_batches: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    seed_contacts(store, 30)
    session = make_session(store, limits=NO_LIMITS)
    run = plan(session, "id <= 30")

    def is_full(*_args) -> Run | None:
        raise StoreError("disk is full", hint="free some", code="full")

    monkeypatch.setattr(run_work, "apply_batch", is_full)
    with pytest.raises(StoreError, match=r"run 1 was .*: disk is full") as cut_short:
        apply_run(session, run.id)

    assert cut_short.value.code == "full"
    assert cut_short.value.hint.startswith("free some; `contactctl runs resume 1` continues it")
    monkeypatch.undo()
    assert resume_run(session, 1).changed == 30


@pytest.mark.parametrize("interruption", [KeyboardInterrupt, InterruptedByUserError])
def test_interrupted_at_work_it_says_how_to_go_on(
    store: Store,
    small_batches: None,
    monkeypatch: pytest.MonkeyPatch,
    interruption: Callable[..., BaseException],
) -> None:
    seed_contacts(store, 30)
    session = make_session(store, limits=NO_LIMITS)
    batches = []

    def second_is_interrupted(*args) -> Run | None:
        batches.append(args)
        if len(batches) == 2:
            raise interruption("now")
        return apply_batch(*args)

    monkeypatch.setattr(run_work, "apply_batch", second_is_interrupted)
    with pytest.raises(InterruptedByUserError, match="run 1 was interrupted") as interrupted:
        run_confirmed(
            session,
            lambda: plan_deactivation(session, selection(session, "id <= 30"), said=confirmed(30)),
        )

    assert "contactctl runs resume 1" in interrupted.value.hint
    run = read_run(session, 1)
    assert (run.state, run.changed, len(active_ids(store))) == (RunState.RUNNING, 7, 23)
    assert resume_run(session, 1).changed == 30
    assert deactivated_by(store, 1) == list(range(1, 31))


def test_progress_tells_every_contact_once_also_after_a_resume(
    store: Store, small_batches: None
) -> None:
    seed_contacts(store, 30)
    steps: list[int] = []

    @contextmanager
    def progress(title: str, total: int | None):
        steps.append(-(total or 0))
        yield steps.append

    session = replace(make_session(store), progress=progress)
    run = started(session, "id <= 20")
    apply_batch(store, run, 7, NOW)
    with store.writing() as connection:
        delete_contact(connection, 20)
    resume_run(session, run.id)

    assert steps[0] == -20
    assert sum(steps[1:]) == 20
    assert steps[1] == 7


def test_while_another_run_changes_contacts_nothing_is_written(store: Store) -> None:
    seed_contacts(store, 10)
    session = make_session(store, limits=NO_LIMITS)
    run = plan(session, "id <= 5")
    before = dump(store)
    other = open_store(store.engine.url.render_as_string(hide_password=False))

    with exclusive(other, CONTACT_CHANGES):
        for act in (
            lambda: apply_run(session, run.id, wait_seconds=0.05),
            lambda: resume_run(session, run.id, wait_seconds=0),
            lambda: run_confirmed(session, lambda: plan(session, "id > 5"), wait_seconds=0),
        ):
            with pytest.raises(BusyError, match="another process"):
                act()
        assert dump(store) == before
    other.close()
    assert apply_run(session, run.id, wait_seconds=0).changed == 5


def test_a_run_that_is_cancelled_at_work_stops_at_once(store: Store, small_batches: None) -> None:
    seed_contacts(store, 30)
    session = make_session(store)

    @contextmanager
    def cancels_after_the_first_batch(title: str, total: int | None):
        yield lambda steps: steps and cancel_run(session, 1)

    watched = replace(session, progress=cancels_after_the_first_batch)
    run = started(session, "id <= 30")
    with pytest.raises(RefusedError, match="run 1 is now cancelled"):
        work_through(watched, run)

    stopped = read_run(session, 1)
    assert (stopped.state, stopped.changed, stopped.active_after) == (RunState.CANCELLED, 7, 23)
    assert (plan_items(store), len(active_ids(store))) == (0, 23)
