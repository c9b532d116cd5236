"""The one transaction that writes a plan: run row, then items, all of it or nothing."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from contactctl.domain.errors import InterruptedByUserError, NotFoundError, RefusedError
from contactctl.domain.runs import Request, Run, RunKind, RunState
from contactctl.store.handling_runs import planned_returning
from contactctl.store.planner import refresh_statistics
from contactctl.store.runs import get_run, insert_run, update_run
from contactctl.store.runwork import end_plan, stop_run
from contactctl.store.store import Store
from contactctl.store.totals import count_active

WritePlan = Callable[[Connection, int], int]  # (connection, run id) -> planned contacts
CheckPlan = Callable[["PlanFigures"], None]  # raises to take it all back

_INTERRUPTED = "interrupted while planning"


@dataclass(frozen=True, slots=True)
class PlanFigures:
    """How many contacts a plan holds, how many are `active` in all, and how many more will be
    (`returning`) when it has been carried out."""

    kind: RunKind
    planned: int
    active: int
    returning: int


def figures_of(connection: Connection, run: Run, active: int) -> PlanFigures:
    """The figures of a plan that is still there, beside an active total."""
    returning = 0
    if run.kind is RunKind.UNDO:
        returning = run.planned
    elif run.kind is RunKind.HANDLING:
        returning = planned_returning(connection, run.id)
    return PlanFigures(run.kind, run.planned, active, returning)


class _NothingPlannedError(Exception):
    """Takes the run row back with the transaction."""


def write_run_with_plan(
    store: Store,
    request: Request,
    write: WritePlan,
    check: CheckPlan,
    *,
    now: datetime,
    expires_at: datetime | None,
) -> Run | None:
    """The planned run; None, with no trace, where nothing would change.

    Without `expires_at` it has been confirmed already and is `running` from the start. What
    `check` raises takes everything back as well.
    """
    state = RunState.PLANNED if expires_at else RunState.RUNNING
    run_id = 0
    try:
        with store.writing(snapshot=True) as connection:
            run_id = insert_run(
                connection,
                request,
                state=state,
                identity=store.identity,
                now=now,
                expires_at=expires_at,
            )
            planned = write(connection, run_id)
            refresh_statistics(connection, "plan_item")
            active_total = count_active(connection)
            update_run(connection, run_id, {"planned": planned, "active_before": active_total})
            run = get_run(connection, run_id)
            check(figures_of(connection, run, active_total))
            if planned == 0:
                raise _NothingPlannedError
            return run
    except _NothingPlannedError:
        return None
    except (KeyboardInterrupt, InterruptedByUserError):
        _drop_if_committed(store, run_id, request, now)
        raise


def _drop_if_committed(store: Store, run_id: int, request: Request, now: datetime) -> None:
    """Cancel a run whose writer was interrupted in the moment of the commit, if that took place.

    Operator and time are compared since a number that was rolled back may be somebody else's now.
    """
    with suppress(NotFoundError, RefusedError):
        with store.reading() as connection:
            run = get_run(connection, run_id)
        if (run.operator, run.planned_at) == (request.operator, now):
            if run.state is RunState.PLANNED:
                end_plan(store, run_id, RunState.CANCELLED, now, _INTERRUPTED)
            else:
                stop_run(store, run_id, now, _INTERRUPTED)
