"""Plans: written, read back to be shown, dropped when declined, expired when forgotten."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from contactctl.domain.confirmation import Confirmation, Stakes, require_confirmed, stakes_of
from contactctl.domain.runs import DEACTIVATING_KINDS, Request, Run, RunKind, RunState
from contactctl.operations.group_policies import bypassing_groups
from contactctl.operations.preview import (
    PREVIEW_ROWS,
    Impact,
    impact_of,
    impact_of_regains,
)
from contactctl.operations.rules import DueUnderRule, due_in_plan
from contactctl.operations.select import Selection
from contactctl.operations.session import Session
from contactctl.store.criteria_sql import where_clause
from contactctl.store.deactivations import undone_run_id
from contactctl.store.groups import group_names_by_id
from contactctl.store.handling_runs import planned_by_rule
from contactctl.store.left_out import count_left_out
from contactctl.store.losses import losses_of_plan
from contactctl.store.planning import PlanFigures, WritePlan, figures_of, write_run_with_plan
from contactctl.store.plans import write_plan
from contactctl.store.preview import first_rows, planned_ids
from contactctl.store.regains import regains_of_undo
from contactctl.store.runs import get_run, overdue_plans
from contactctl.store.runwork import end_plan

VERBS: Mapping[RunKind, str] = {
    RunKind.DEACTIVATE: "deactivate",
    RunKind.THRESHOLDS: "deactivate",
    RunKind.UNDO: "reactivate",
    RunKind.HANDLING: "handle",
    RunKind.REMOVE_FROM_GROUP: "remove",
    RunKind.ANONYMIZE: "anonymize",
    RunKind.DELETE: "delete",
}


@dataclass(frozen=True, slots=True)
class ShownPlan:
    """A planned run as a person must see it before saying yes.

    `by_rule` has what each threshold or handling rule is about to do, `undone` the run that is to
    be taken back.
    """

    run: Run
    rows: Sequence[Mapping[str, Any]]
    stakes: Stakes
    impact: Impact | None
    by_rule: Sequence[DueUnderRule] = ()
    undone: Run | None = None


def plan_deactivation(
    session: Session,
    selection: Selection,
    *,
    reason: str = "",
    said: Confirmation | None = None,
) -> Run | None:
    """Freeze the selection as a run; None when nothing matches.

    With `said` (a script's confirmation) the run is `running` at once, and a wrong count or a
    limit leaves no trace: RefusedError. Without, it is `planned` until somebody confirms it.
    """
    where = where_clause(selection.resolved, session.store.dialect)
    with session.store.reading() as connection:
        missing = count_left_out(connection, selection.resolved, session.store.dialect)
    details = selection.details() | {"left_out": missing}
    request = session.request(RunKind.DEACTIVATE, reason=reason, details=details)
    return write_planned_run(
        session, request, lambda connection, run_id: write_plan(connection, run_id, where), said
    )


def write_planned_run(
    session: Session, request: Request, write: WritePlan, said: Confirmation | None
) -> Run | None:
    """Write the plan of any kind of run, in one transaction."""
    now = session.clock()

    def check(figures: PlanFigures) -> None:
        if said is not None:
            require_confirmed(stakes_of_plan(session, figures), said)

    return write_run_with_plan(
        session.store,
        request,
        write,
        check,
        now=now,
        expires_at=None if said else now + session.settings.plans.expire_after,
    )


def show_plan(session: Session, run_id: int) -> ShownPlan:
    """Read a planned run back, with what people must see of it."""
    bypassing = bypassing_groups(session)
    impact, undone, counts = None, None, []
    with session.store.reading() as connection:
        run = get_run(connection, run_id)
        active = run.active_before or 0
        if run.kind in DEACTIVATING_KINDS:
            impact = impact_of(session, active, losses_of_plan(connection, run_id, bypassing))
        if run.kind is RunKind.UNDO:
            undone = get_run(connection, undone_run_id(run))
            regains = regains_of_undo(connection, undone.id, planned_ids(run_id), bypassing)
            impact = impact_of_regains(session, active, regains)
        if run.kind in (RunKind.HANDLING, RunKind.THRESHOLDS):
            counts = planned_by_rule(connection, run_id)
        rows = first_rows(connection, planned_ids(run_id), PREVIEW_ROWS)
        names = group_names_by_id(connection) if counts else {}
        stakes = stakes_of_plan(session, figures_of(connection, run, active))
    return ShownPlan(run, rows, stakes, impact, due_in_plan(run, counts, names), undone)


def drop_if_planned(session: Session, run_id: int, message: str) -> None:
    """Cancel a run that has not started: nothing was changed, the plan is deleted."""
    with session.store.reading() as connection:
        run = get_run(connection, run_id)
    if run.state is RunState.PLANNED:
        end_plan(session.store, run_id, RunState.CANCELLED, session.clock(), message)


def expire_plans(session: Session) -> list[int]:
    """End every plan whose time is over; the numbers of their runs."""
    now = session.clock()
    with session.store.reading() as connection:
        overdue = overdue_plans(connection, now)
    for run_id in overdue:
        end_plan(session.store, run_id, RunState.EXPIRED, now, "not applied in time")
    return overdue


def stakes_of_plan(session: Session, plan: PlanFigures) -> Stakes:
    """What confirming a plan means."""
    return stakes_of_change(session, plan.kind, plan.planned, plan.active, plan.returning)


def stakes_of_change(
    session: Session, kind: RunKind, count: int, active: int, returning: int = 0
) -> Stakes:
    """What changing `count` contacts means, `returning` of which become active by it.

    They are a share of the active with those who return; or of themselves, where more of them are
    inactive and stay so.
    """
    total = max(active + returning, count)
    return stakes_of(VERBS[kind], count, total, session.settings.limits)
