"""Run rows and plan items, one transaction at a time."""

from contextlib import AbstractContextManager
from dataclasses import replace

import pytest
from sqlalchemy import Connection

from contactctl.domain.errors import BusyError, NotFoundError, RefusedError
from contactctl.domain.run_details import KeptCriteria
from contactctl.domain.run_kinds import DeactivateRun
from contactctl.domain.runs import Request, Run, RunKind, RunState
from contactctl.store.database.store import Store
from contactctl.store.plans import Batch, PlanFigures, next_batch, planned_contacts
from contactctl.store.run_steps import Waiting, apply_batch, write_run_with_plan
from contactctl.store.runs import change_state, get_run, lock_run, update_run
from helpers.contacts import seed_contacts
from helpers.dumps import dump
from helpers.plans import plan, plan_items, states
from helpers.sessions import NOW, make_session

TOLD = DeactivateRun(
    selected=KeptCriteria(
        criteria={"all": ["ø = 1"], "nested": [1, None, True]},
        conditions=(("ø = 1", "ø = 1"),),
        lines=("ø = 1",),
        as_of=NOW,
        time_zone="Europe/Oslo",
        prebuilt=False,
    ),
    left_out={"ø": 1},
)
REQUEST = Request(TOLD, "tester@host", "test.db", "why")


def confirmed(figures: PlanFigures) -> None:
    """The run begins at once."""


def waits(figures: PlanFigures) -> Waiting:
    """Somebody is to confirm it."""
    return Waiting(NOW)


def test_what_a_check_raises_takes_everything_back(store: Store) -> None:
    seed_contacts(store, 10)
    before = dump(store)

    def refuse(figures: PlanFigures) -> None:
        assert figures == PlanFigures(RunKind.DEACTIVATE, planned=3, active=10, returning=0)
        raise RefusedError("no")

    with pytest.raises(RefusedError, match="no"):
        write_run_with_plan(store, REQUEST, lambda *_: 3, refuse, now=NOW)
    assert dump(store) == before


def test_what_writing_the_items_raises_takes_everything_back(store: Store) -> None:
    before = dump(store)

    def fail(*_: object) -> int:
        raise RuntimeError("disk full")

    with pytest.raises(RuntimeError):
        write_run_with_plan(store, REQUEST, fail, confirmed, now=NOW)
    assert dump(store) == before


def test_interrupted_it_leaves_alone_whoever_got_its_number_meanwhile(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQLite gives the number of a run that was rolled back to the next one."""
    reading = store.reading
    others: list[Run | None] = []

    def interrupt(*_: object) -> int:
        monkeypatch.setattr(store, "reading", after_another_has_planned)
        raise KeyboardInterrupt

    def after_another_has_planned() -> AbstractContextManager[Connection]:
        monkeypatch.setattr(store, "reading", reading)
        request = replace(REQUEST, operator="somebody@else")
        others.append(write_run_with_plan(store, request, lambda *_: 1, waits, now=NOW))
        return reading()

    with pytest.raises(KeyboardInterrupt):
        write_run_with_plan(store, REQUEST, interrupt, waits, now=NOW)

    assert [other and other.state for other in others] == [RunState.PLANNED]
    assert states(store) == [RunState.PLANNED]


def test_a_request_is_kept_as_it_was_made(store: Store) -> None:
    request = replace(REQUEST, database=store.identity)
    run = write_run_with_plan(store, request, lambda *_: 1, confirmed, now=NOW)

    assert run is not None
    assert (run.details, run.reason, run.operator) == (REQUEST.details, "why", "tester@host")
    assert run.database == store.identity


def test_batches_follow_each_other_by_id_without_gap_or_overlap(store: Store) -> None:
    seed_contacts(store, 50)
    session = make_session(store)
    run, other = plan(session, "group = customers"), plan(session, "id > 0")

    batches: list[Batch] = []
    cursor = 0
    with store.reading() as connection:
        while batch := next_batch(connection, replace(run, cursor=cursor), 5):
            batches.append(batch)
            cursor = batch.last
        assert planned_contacts(connection, run.id) == run.planned == 16

    assert [batch.after for batch in batches] == [0, *(batch.last for batch in batches[:-1])]
    assert batches[-1].last == 48
    assert sum(batch.contacts for batch in batches) == run.planned
    assert all(0 < batch.contacts <= 10 for batch in batches)
    assert plan_items(store) == run.planned + other.planned


@pytest.mark.parametrize(
    ("state", "error"), [(RunState.RUNNING, BusyError), (RunState.DONE, RefusedError)]
)
def test_a_run_that_somebody_has_moved_is_not_moved_again(
    store: Store, state: RunState, error: type[Exception]
) -> None:
    seed_contacts(store, 10)
    run = plan(make_session(store), "id <= 5")
    with store.writing() as connection:
        change_state(connection, run.id, expected=RunState.PLANNED, to=state)
    before = dump(store)

    with pytest.raises(error, match=f"run {run.id}"), store.writing() as connection:
        change_state(connection, run.id, expected=RunState.PLANNED, to=RunState.CANCELLED)
    assert dump(store) == before


@pytest.mark.parametrize("state", [RunState.CANCELLED, RunState.FAILED, RunState.PLANNED])
def test_only_a_running_run_gets_on(store: Store, state: RunState) -> None:
    seed_contacts(store, 10)
    run = plan(make_session(store), "id <= 5")
    with store.writing() as connection:
        update_run(connection, run.id, {"state": state})
    before = dump(store)

    with pytest.raises((BusyError, RefusedError), match=f"run {run.id}"):
        apply_batch(store, run, 10, NOW)
    assert dump(store) == before


def test_numbers_of_runs_are_never_used_again(store: Store) -> None:
    seed_contacts(store, 10)
    first = plan(make_session(store), "id <= 5")
    with store.writing() as connection:
        connection.exec_driver_sql("DELETE FROM plan_item")
        connection.exec_driver_sql("DELETE FROM run")

    assert plan(make_session(store), "id <= 5").id > first.id


@pytest.mark.parametrize("read", [get_run, lock_run])
def test_a_run_that_is_not_there(store: Store, read) -> None:
    with pytest.raises(NotFoundError, match="no run 4"), store.writing() as connection:
        read(connection, 4)
