"""One step of a run's life per transaction: start, one batch, finish, or end without change."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from contactctl.domain.runs import Run, RunKind, RunState
from contactctl.store.deactivations import (
    bulk_deactivate,
    bulk_outcome,
    undo_deactivations,
    undo_outcome,
)
from contactctl.store.group_admin import removal_outcome, remove_memberships
from contactctl.store.handling_runs import handle, handling_outcome
from contactctl.store.locks import in_turn, serialise
from contactctl.store.plans import Batch, BatchOutcome, delete_plan, next_batch
from contactctl.store.runs import advance, change_state, get_run, lock_run, update_run
from contactctl.store.store import Store
from contactctl.store.threshold_runs import threshold_deactivate, threshold_outcome
from contactctl.store.totals import count_active

# every kind of run that changes a contact's status or memberships shares this lock
CONTACT_CHANGES = "contacts"


@dataclass(frozen=True, slots=True)
class BatchWork:
    """What a kind of run does to a batch: first count, then change exactly as many contacts.

    `clean_up` comes after the last batch; until it is through, the run is not done.
    """

    outcome: Callable[[Connection, Run, Batch], BatchOutcome]
    change: Callable[[Connection, Run, Batch, datetime], int]
    clean_up: Callable[[Store], None] | None = None


WORK_OF_KIND: dict[RunKind, BatchWork] = {
    RunKind.DEACTIVATE: BatchWork(bulk_outcome, bulk_deactivate),
    RunKind.UNDO: BatchWork(undo_outcome, undo_deactivations),
    RunKind.THRESHOLDS: BatchWork(threshold_outcome, threshold_deactivate),
    RunKind.HANDLING: BatchWork(handling_outcome, handle),
    RunKind.REMOVE_FROM_GROUP: BatchWork(removal_outcome, remove_memberships),
}


def start_run(store: Store, run_id: int, now: datetime, *, operator: str) -> Run:
    """planned -> running, with the active total as it is before the first change."""
    with store.writing() as connection:
        lock_run(connection, run_id)
        values = {
            "started_at": now,
            "applied_by": operator,
            "active_before": count_active(connection),
        }
        change_state(
            connection, run_id, expected=RunState.PLANNED, to=RunState.RUNNING, values=values
        )
        return get_run(connection, run_id)


def note_resumed(store: Store, run_id: int, operator: str) -> None:
    """Keep who goes on with a run that somebody else has started."""
    with store.writing() as connection:
        update_run(connection, run_id, {"resumed_by": operator})


def apply_batch(
    store: Store, run: Run, size: int, now: datetime, work: BatchWork | None = None
) -> Run | None:
    """Apply the next batch of a running run; the run afterwards, or None when none was left.

    `work` is that of the run's kind; kinds that need more than the store bring it themselves.

    Run row, contacts, deactivations and cursor move in one transaction. It sees one state of the
    store (snapshot), so what was counted is what is changed; on Postgres a contact that another
    program changes meanwhile makes the whole batch start over (BusyError, code `conflict`).
    """
    work = work or WORK_OF_KIND[run.kind]
    with in_turn(store, CONTACT_CHANGES) as connection:
        batch = next_batch(connection, run.id, run.cursor, size)
        if batch is None:
            return None
        outcome = work.outcome(connection, run, batch)
        advance(
            connection, run, cursor=batch.last, changed=outcome.changed, skipped=outcome.skipped
        )
        changed = work.change(connection, run, batch, now)
        if changed != outcome.changed:
            raise AssertionError(f"counted {outcome.changed} contacts, changed {changed}")
        return get_run(connection, run.id)


def finish_run(store: Store, run_id: int, now: datetime) -> Run:
    """running -> done; the plan is deleted."""
    with store.writing() as connection:
        lock_run(connection, run_id)
        values = {"finished_at": now, "active_after": count_active(connection)}
        change_state(connection, run_id, expected=RunState.RUNNING, to=RunState.DONE, values=values)
        delete_plan(connection, run_id)
        return get_run(connection, run_id)


def end_plan(store: Store, run_id: int, to: RunState, now: datetime, message: str) -> Run:
    """planned -> cancelled or expired: nothing was changed, the plan is deleted."""
    with store.writing() as connection:
        values = {"finished_at": now, "message": message}
        change_state(connection, run_id, expected=RunState.PLANNED, to=to, values=values)
        delete_plan(connection, run_id)
        return get_run(connection, run_id)


def stop_run(store: Store, run_id: int, now: datetime, message: str) -> Run:
    """running -> cancelled: what is done stays done, the rest of the plan is deleted."""
    with store.writing() as connection:
        serialise(connection, CONTACT_CHANGES)
        values = {
            "finished_at": now,
            "active_after": count_active(connection),
            "message": message,
        }
        change_state(
            connection, run_id, expected=RunState.RUNNING, to=RunState.CANCELLED, values=values
        )
        delete_plan(connection, run_id)
        return get_run(connection, run_id)
