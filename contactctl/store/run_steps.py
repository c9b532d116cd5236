"""One step of a run's life per transaction, and what a database role needs for it."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from contactctl.domain.errors import InterruptedByUserError, NotFoundError, RefusedError, StoreError
from contactctl.domain.policies import Terms
from contactctl.domain.runs import Request, Run, RunKind, RunState
from contactctl.store import plans, runs
from contactctl.store.database.locks import in_turn, taking_turn
from contactctl.store.database.store import Store
from contactctl.store.impact import count_active
from contactctl.store.temporary import refresh_statistics
from contactctl.store.thresholds.unswept import look_again_at_plan

_OF_EVERY_PLAN: tuple[plans.Right, ...] = (
    ("INSERT", "plan_item"),
    ("DELETE", "plan_item"),
    ("UPDATE", "run"),
    ("INSERT", "change"),
)


def require_rights(connection: sa.Connection, kind: RunKind) -> None:
    """StoreError unless the connected role may do all that runs of this kind do."""
    if connection.dialect.name != "postgresql":
        return
    role = str(connection.execute(sa.text("SELECT current_user")).scalar_one())
    if lacking := _lacking(connection, kind, role):
        wanted = ", ".join(f"{privilege} on {table}" for privilege, table in lacking)
        raise StoreError(
            f"permission denied: {role} lacks {wanted}, which a run of the kind {kind} needs;"
            " nothing was changed",
            hint="`contactctl db grants` prints the rights each role needs",
        )


def begun_with_rights(connection: sa.Connection, run: Run) -> bool:
    """Whether the role that let the run start may do what it does, as far as the run's row tells.

    On SQLite everybody who can write the file may do everything.
    """
    if connection.dialect.name != "postgresql":
        return True
    _, _, role = (run.applied_by or "").rpartition(" as ")
    is_known = sa.text("SELECT 1 FROM pg_roles WHERE rolname = :role")
    if connection.execute(is_known, {"role": role}).first() is None:
        return False
    return not _lacking(connection, run.kind, role)


def _lacking(connection: sa.Connection, kind: RunKind, role: str) -> list[plans.Right]:
    """A right to some columns counts: which ones matter, the server says when it comes to it."""
    rights = [*_OF_EVERY_PLAN, *plans.work_of(kind).rights]
    of_columns = sa.func.has_any_column_privilege
    held = connection.execute(
        sa.select(
            *(
                (sa.func.has_table_privilege if privilege == "DELETE" else of_columns)(
                    sa.literal(role), sa.literal(table), sa.literal(privilege)
                )
                for privilege, table in rights
            )
        )
    ).one()
    return [right for right, is_held in zip(rights, held, strict=True) if not is_held]


# One step of a run's life per transaction: planned, started, a batch done, finished, ended


_INTERRUPTED = "interrupted while planning"


@dataclass(frozen=True, slots=True)
class Waiting:
    """Until when a plan waits for somebody to confirm it, and why, if it is not by request."""

    until: datetime | None
    why: str = ""


# None: the plan is confirmed, and its run `running`; what it raises takes everything back
Decide = Callable[[plans.PlanFigures], Waiting | None]


class _NothingPlannedError(Exception):
    """Takes the run row back with the transaction."""


def write_run_with_plan(
    store: Store,
    request: Request,
    write: plans.WritePlan,
    decide: Decide,
    *,
    now: datetime,
    expires_at: datetime | None = None,
) -> Run | None:
    """A run with its plan, in one transaction: run row, then items, all of it or nothing.

    It is `running` or `planned` as `decide` says of its figures; `expires_at` where it is known
    beforehand that it will wait until then. None, with no trace, where nothing would change; what
    `decide` raises takes everything back as well.
    """
    run_id = 0
    try:
        with store.writing(snapshot=True) as connection:
            require_rights(connection, request.kind)
            run_id = runs.insert_run(
                connection, request, state=RunState.PLANNED, now=now, expires_at=expires_at
            )
            planned = write(connection, run_id)
            refresh_statistics(connection, "plan_item")
            active = count_active(connection)
            runs.update_run(connection, run_id, {"planned": planned, "active_before": active})
            run = runs.get_run(connection, run_id)
            figures = plans.figures_of(connection, run, active)
            waiting = decide(figures)
            if planned == 0:
                raise _NothingPlannedError
            if waiting != Waiting(expires_at):
                runs.update_run(connection, run_id, _decided(request, waiting, now, figures))
            return runs.get_run(connection, run_id)
    except _NothingPlannedError:
        return None
    except (KeyboardInterrupt, InterruptedByUserError):
        _drop_if_committed(store, run_id, request, now)
        raise


def _decided(
    request: Request, waiting: Waiting | None, now: datetime, figures: plans.PlanFigures
) -> dict[str, object]:
    if waiting is not None:
        return {"expires_at": waiting.until, "message": waiting.why}
    return {
        "state": RunState.RUNNING,
        "started_at": now,
        "applied_by": request.operator,
        "limit_override": _override(request.terms, figures),
    }


def _override(terms: Terms | None, figures: plans.PlanFigures) -> int | None:
    """The count that whoever let the run start has confirmed beyond its limits."""
    if terms is None or not terms.limits.exceeded(figures.planned, figures.total):
        return None
    return figures.planned


def _drop_if_committed(store: Store, run_id: int, request: Request, now: datetime) -> None:
    """Cancel a run whose writer was interrupted in the moment of the commit, if that took place.

    Operator and time are compared since a number that was rolled back may be somebody else's now.
    """
    with suppress(NotFoundError, RefusedError):
        with store.reading() as connection:
            run = runs.get_run(connection, run_id)
        if (run.operator, run.planned_at) == (request.operator, now):
            if run.state is RunState.PLANNED:
                end_plan(store, run_id, RunState.CANCELLED, now, _INTERRUPTED)
            else:
                stop_run(store, run_id, now, _INTERRUPTED)


def start_run(store: Store, run_id: int, now: datetime, *, operator: str) -> Run:
    """planned -> running, with the active total as it is before the first change."""
    with store.writing() as connection:
        run, active = runs.lock_run(connection, run_id), count_active(connection)
        require_rights(connection, run.kind)
        values = {
            "started_at": now,
            "applied_by": operator,
            "active_before": active,
            "limit_override": _override(run.terms, plans.figures_of(connection, run, active)),
        }
        runs.change_state(
            connection, run_id, expected=RunState.PLANNED, to=RunState.RUNNING, values=values
        )
        return runs.get_run(connection, run_id)


def note_resumed(store: Store, run_id: int, operator: str) -> None:
    """Keep who goes on with a run that somebody else has started."""
    with store.writing() as connection:
        runs.update_run(connection, run_id, {"resumed_by": operator})


@dataclass(frozen=True, slots=True)
class BegunBatch:
    """A batch of which somebody outside is to be told, in `message`; the run with what it skips."""

    run: Run
    batch: plans.Batch
    message: Any


def begin_batch(
    store: Store, run: Run, size: int, now: datetime, work: plans.BatchWork
) -> BegunBatch | None:
    """Note what is about to be said of the next batch; None when none is left."""
    if work.begin is None:
        raise AssertionError(f"{run.kind} tells nobody")
    with in_turn(store) as connection:
        batch = plans.next_batch(connection, run, size)
        if batch is None:
            return None
        outcome, message = work.begin(plans.Step(connection, run, batch, now))
        runs.advance(connection, run, cursor=run.cursor, changed=0, skipped=outcome.skipped)
        return BegunBatch(runs.get_run(connection, run.id), batch, message)


def apply_batch(
    store: Store,
    run: Run,
    size: int,
    now: datetime,
    work: plans.BatchWork | None = None,
    *,
    begun: plans.Batch | None = None,
) -> Run | None:
    """Apply the next batch of a running run, or the one that was `begun`; the run afterwards, or
    None when none was left.

    `work` is that of the run's kind, with the key where it erases.

    Run row, contacts, deactivations and cursor move in one transaction. It sees one state of the
    store (snapshot), so what was counted is what is changed; on Postgres a contact that another
    program changes meanwhile makes the whole batch start over (BusyError, code `conflict`).
    """
    work = work or plans.work_of(run.kind)
    with in_turn(store) as connection:
        batch = begun or plans.next_batch(connection, run, size)
        if batch is None:
            return None
        runs.lock_running_run(connection, run.id, cursor=run.cursor)  # its row first, everywhere
        outcome = work.apply(plans.Step(connection, run, batch, now))
        runs.advance(
            connection, run, cursor=batch.last, changed=outcome.changed, skipped=outcome.skipped
        )
        return runs.get_run(connection, run.id)


def finish_run(store: Store, run_id: int, now: datetime) -> Run:
    """running -> done; the plan is deleted."""
    with store.writing() as connection:
        runs.lock_run(connection, run_id)
        ended = {"finished_at": now, "active_after": count_active(connection)}
        return _end(connection, run_id, RunState.RUNNING, RunState.DONE, ended)


def end_plan(store: Store, run_id: int, to: RunState, now: datetime, message: str) -> Run:
    """planned -> cancelled or expired: nothing was changed, the plan is deleted."""
    with store.writing() as connection:
        ended = {"finished_at": now, "message": message}
        return _end(connection, run_id, RunState.PLANNED, to, ended)


def stop_run(store: Store, run_id: int, now: datetime, message: str) -> Run:
    """running -> cancelled: what is done stays done, the rest of the plan is deleted."""
    with taking_turn(store) as connection:
        active = count_active(connection)
        ended = {"finished_at": now, "active_after": active, "message": message}
        return _end(connection, run_id, RunState.RUNNING, RunState.CANCELLED, ended)


def _end(
    connection: sa.Connection, run_id: int, expected: RunState, to: RunState, ended: dict[str, Any]
) -> Run:
    runs.change_state(connection, run_id, expected=expected, to=to, values=ended)
    _drop_plan(connection, run_id)
    return runs.get_run(connection, run_id)


def _drop_plan(connection: sa.Connection, run_id: int) -> None:
    """Whom a plan of thresholds held, and its run has left as they are, may still be due."""
    run = runs.get_run(connection, run_id)
    if run.run_type.leaves_due and (run.state is not RunState.DONE or run.skipped):
        look_again_at_plan(connection, run_id)
    plans.delete_plan(connection, run_id)
