"""Looking at runs, and cancelling them."""

import pytest
from sqlalchemy import event

from contactctl.domain.errors import RefusedError
from contactctl.domain.run_details import RunDetails
from contactctl.domain.run_kinds import ImportRun, IngestRun
from contactctl.domain.runs import RunKind, RunState
from contactctl.operations.runs import cancel_run, latest_runs, resume_run
from contactctl.store.database.store import Store, open_store
from contactctl.store.run_steps import apply_batch
from contactctl.store.runs import insert_run
from helpers.contacts import seed_contacts
from helpers.dumps import dump
from helpers.plans import deactivated, deactivated_by, plan, plan_items, started, undo_of
from helpers.sessions import NOW, make_session


def test_the_latest_runs_come_first_and_can_be_narrowed(store: Store) -> None:
    seed_contacts(store, 40)
    session = make_session(store, allow_undo=True)
    first = deactivated(session, "id <= 4")
    undo = undo_of(session, first)
    plan(session, "id > 30")

    def numbers(**values) -> list[int]:
        defaults = {"limit": 20, "kinds": [], "states": []}
        return [run.id for run in latest_runs(session, **defaults | values)]

    assert numbers() == [3, 2, 1]
    assert numbers(limit=2) == [3, 2]
    assert numbers(kinds=[RunKind.UNDO]) == [undo.id]
    assert numbers(states=[RunState.PLANNED]) == [3, 2]
    assert numbers(states=[RunState.DONE, RunState.PLANNED], kinds=[RunKind.DEACTIVATE]) == [3, 1]
    assert numbers(states=[RunState.FAILED]) == []


def test_a_cancelled_plan_changes_nothing(store: Store) -> None:
    seed_contacts(store, 10)
    session = make_session(store)
    run = plan(session, "id <= 5")
    before = dump(store, without=("run", "plan_item"))

    cancelled = cancel_run(session, run.id)

    assert (cancelled.state, cancelled.message) == (
        RunState.CANCELLED,
        "cancelled by tester@host",
    )
    assert (cancelled.finished_at, plan_items(store)) == (NOW, 0)
    assert dump(store, without=("run", "plan_item")) == before


def test_what_a_cancelled_run_has_done_stays_done(store: Store) -> None:
    seed_contacts(store, 30)
    session = make_session(store)
    run = started(session, "id <= 20")
    apply_batch(store, run, 8, NOW)

    cancelled = cancel_run(session, run.id)

    assert (cancelled.state, cancelled.changed) == (RunState.CANCELLED, 8)
    assert (cancelled.active_before, cancelled.active_after) == (30, 22)
    assert (plan_items(store), deactivated_by(store, run.id)) == (0, list(range(1, 9)))
    assert resume_run(session, run.id) == cancelled


@pytest.mark.parametrize("details", [ImportRun("may.csv", {}), IngestRun()])
def test_a_run_without_a_plan_is_not_resumed(store: Store, details: RunDetails) -> None:
    session = make_session(store)
    with store.writing() as connection:
        run_id = insert_run(
            connection,
            session.request(details),
            state=RunState.RUNNING,
            now=NOW,
        )

    with pytest.raises(RefusedError, match="has no plan and cannot be resumed") as caught:
        resume_run(session, run_id)

    assert f"do the same {details.kind} again" in caught.value.hint
    assert cancel_run(session, run_id).state is RunState.CANCELLED


def test_cancelling_copies_no_file_unless_it_has_erased(sqlite_url: str) -> None:
    """As VACUUM does."""
    store = open_store(sqlite_url)
    seed_contacts(store, 10)
    session = make_session(store)
    run = started(session, "id <= 5")
    statements: list[str] = []
    event.listen(store.engine, "before_cursor_execute", lambda *given: statements.append(given[2]))

    cancel_run(session, run.id)
    store.close()

    assert statements
    assert not any("VACUUM" in statement for statement in statements)


def test_a_run_that_is_over_cannot_be_cancelled(store: Store) -> None:
    seed_contacts(store, 10)
    session = make_session(store)
    run = deactivated(session, "id <= 5")
    before = dump(store)

    with pytest.raises(RefusedError, match="run 1 is already done"):
        cancel_run(session, run.id)
    assert dump(store) == before
