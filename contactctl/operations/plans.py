"""Plans: written, read back to be shown, dropped when declined, expired when forgotten."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from contactctl.domain.errors import OverLimitError, RefusedError, UsageError
from contactctl.domain.policies import Approval, Limits
from contactctl.domain.run_kinds import RUN_TYPES, DeactivateRun, ErasingRun, UndoRun
from contactctl.domain.runs import (
    Confirmation,
    Request,
    Run,
    RunKind,
    RunState,
    Stakes,
    require_confirmed,
    stakes_of,
)
from contactctl.domain.text import counted
from contactctl.operations.criteria import (
    PREVIEW_ROWS,
    CriteriaSource,
    Impact,
    Selection,
    impact_of,
    selection_of,
)
from contactctl.operations.response_policy import DueUnderRule, bypassing_groups, due_in_plan
from contactctl.operations.session import Session
from contactctl.store import selections
from contactctl.store.criteria import active_where
from contactctl.store.groups import group_names_by_id
from contactctl.store.impact import Shift, count_active, losses_of_contacts
from contactctl.store.plans import (
    PlanFigures,
    WritePlan,
    figures_of,
    plan_of,
    planned_ids,
    work_of,
)
from contactctl.store.run_steps import Waiting, end_plan, write_run_with_plan
from contactctl.store.runs import get_run, list_runs, overdue_plans

# what exceeds the limits: (figures) -> in words
Judge = Callable[[PlanFigures], Sequence[str]]

_HELD_BACK = "held until confirmed"
_MOST_WAITING = 1000


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
    where = selection.where(session.store.dialect)
    with session.store.reading() as connection:
        left_out = selections.count_left_out(
            connection, selection.resolved, *selection.listed_where()
        )
    return write_confirmed_plan(
        session,
        session.request(DeactivateRun(selected=selection.kept(), left_out=left_out), reason=reason),
        plan_of(active_where(where)),
        said,
    )


def write_confirmed_plan(
    session: Session, request: Request, write: WritePlan, said: Confirmation | None
) -> Run | None:
    """Write a plan that a script has confirmed, or one that waits for somebody to do so.

    None where nothing would change; RefusedError where the script got it wrong.
    """
    if said is None:
        return write_plan(session, request, write, without_limits, asks_first=True)

    def confirmed(figures: PlanFigures) -> None:
        require_confirmed(stakes_of_plan(session, figures), said)

    return write_run_with_plan(session.store, request, write, confirmed, now=session.clock())


def write_plan(
    session: Session, request: Request, write: WritePlan, judge: Judge, *, asks_first: bool = False
) -> Run | None:
    """Write a plan of any kind of run, in one transaction; None where nothing would change.

    `judge` says which limits it exceeds: where it exceeds some it waits, for as long as the config
    says, else it is `running` at once. With `asks_first` it waits in any case.
    """
    now = session.clock()
    until = now + session.settings.plans.expire_after

    def decide(figures: PlanFigures) -> Waiting | None:
        exceeded = judge(figures)
        why = f"{_HELD_BACK}: {'; '.join(exceeded)}" if exceeded else ""
        return Waiting(until, why) if exceeded or asks_first else None

    return write_run_with_plan(
        session.store, request, write, decide, now=now, expires_at=until if asks_first else None
    )


def without_limits(_figures: PlanFigures) -> tuple[str, ...]:
    """Judge no plan: somebody confirms it, or has done so."""
    return ()


@dataclass(frozen=True, slots=True)
class RulesApplied:
    """What became of what rules, thresholds or handling, had made due.

    `runs` were carried out: one for what is due now, after those that had been interrupted.
    `waiting` is the run of a plan that must be confirmed first, `is_new` where it was made now.
    `waits_for_another`: what is due was not planned, since that one waits already.
    """

    runs: tuple[Run, ...] = ()
    waiting: Run | None = None
    is_new: bool = False
    waits_for_another: bool = False

    @property
    def changed(self) -> int:
        """Contacts that were changed."""
        return sum(run.changed for run in self.runs)

    @property
    def refusal(self) -> OverLimitError | None:
        """Why not all that is due was done, said once; None where it was, or was said before."""
        return refusal_of(self.waiting) if self.waiting and self.is_new else None


def refusal_of(waiting: Run) -> OverLimitError:
    """Why what is due was not done."""
    undone = "handled" if waiting.kind is RunKind.HANDLING else "deactivated"
    return OverLimitError(
        f"run {waiting.id}, {counted(waiting.planned, 'contact')} to be {undone}, is"
        f" {waiting.message or _HELD_BACK}",
        hint=f"`contactctl runs show {waiting.id}` shows it;"
        f" `contactctl runs apply {waiting.id}` asks for its confirmation",
    )


def plans_waiting(session: Session, kind: RunKind) -> list[Run]:
    """The plans that somebody can still confirm, the oldest first."""
    with session.store.reading() as connection:
        plans = list_runs(connection, limit=_MOST_WAITING, kinds=[kind], states=[RunState.PLANNED])
    now = session.clock()
    return [run for run in reversed(plans) if run.expires_at is None or run.expires_at > now]


def show_plan(session: Session, run_id: int) -> ShownPlan:
    """Read a planned run back, with what people must see of it."""
    bypassing = bypassing_groups(session)
    with session.store.reading() as connection:
        run = get_run(connection, run_id)
        undone = run.details.undoes if isinstance(run.details, UndoRun) else None
        work, active = work_of(run.kind), run.active_before or 0
        shift = work.impact(connection, run, bypassing) if work.impact else None
        counts = work.by_rule(connection, run) if work.by_rule else []
        return ShownPlan(
            run=run,
            rows=selections.first_rows(connection, planned_ids(run_id), PREVIEW_ROWS),
            stakes=stakes_of_plan(session, figures_of(connection, run, active), run),
            impact=None if shift is None else _impact_of_run(session, run, active, shift),
            by_rule=due_in_plan(run, counts, group_names_by_id(connection) if counts else {}),
            undone=None if undone is None else get_run(connection, undone),
        )


def _impact_of_run(session: Session, run: Run, active: int, shift: Shift) -> Impact:
    is_for_good = issubclass(run.run_type, ErasingRun)
    return replace(impact_of(session, active, shift), is_for_good=is_for_good)


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
    expired = []
    for run_id in overdue:
        with suppress(RefusedError):  # somebody else has just ended it
            end_plan(session.store, run_id, RunState.EXPIRED, now, "not applied in time")
            expired.append(run_id)
    return expired


def stakes_of_plan(session: Session, plan: PlanFigures, kept: Run | None = None) -> Stakes:
    """What confirming a plan means; one that was `kept` also has the limits of its time."""
    limits = session.settings.limits if kept is None else _limits_of(session, kept)
    return stakes_of(RUN_TYPES[plan.kind].verb, plan.planned, plan.total, limits)


def approval_of(session: Session, run: Run) -> Approval:
    """Who may apply a kept plan: as the policy said when it was made, unless the config of whoever
    applies it is stricter. In a store without a policy that config alone decides."""
    asked = session.settings.plans.approval
    if run.terms is None or run.terms.policy is None:
        return asked
    is_stricter = session.bound is not None and "plans.approval" in session.bound.stricter
    return asked if is_stricter else run.terms.approval


def _limits_of(session: Session, run: Run) -> Limits:
    """The lower ones of those in force when the plan was made and those in force now."""
    now = session.settings.limits
    if run.terms is None or run.terms.policy is None:
        return now
    then = run.terms.limits
    return replace(
        now,
        max_contacts=min(now.max_contacts, then.max_contacts),
        max_percent=min(now.max_percent, then.max_percent),
    )


# The contacts, active or not, that a change by criteria would affect; nothing is written


@dataclass(frozen=True, slots=True)
class Affected:
    """A selection of any contacts, counted, with its first rows.

    `does` says what would be done to them, in words; `active` of them are active.
    """

    database: str
    selection: Selection
    does: str
    count: int
    active: int
    rows: Sequence[Mapping[str, Any]]
    fields: Sequence[str]
    stakes: Stakes
    impact: Impact | None = None


def select_any(session: Session, source: CriteriaSource) -> Selection:
    """The criteria as given; UsageError without any: there is no default for what is permanent."""
    given = source.read(session.catalogue)
    if given is None:
        raise UsageError(
            "say which contacts: an email, or criteria",
            hint="criteria are --where, --where-any, --where-not, --criteria and --emails",
        )
    return selection_of(session, given, emails=source.emails)


def affected(
    session: Session,
    kind: RunKind,
    selection: Selection,
    where: selections.Where,
    *,
    does: str,
    takes_away: bool = False,
) -> Affected:
    """Count and show the contacts that fulfil `where`; with the impact, where they are taken away
    for good."""
    bypassing = bypassing_groups(session) if takes_away else ()
    with session.store.reading() as connection:
        count, active = (
            selections.count_where(connection, where),
            selections.count_active_where(connection, where),
        )
        total = count_active(connection)
        impact = None
        if takes_away:
            losses = losses_of_contacts(connection, selections.active_ids(where), active, bypassing)
            impact = replace(impact_of(session, total, losses), is_for_good=True)
        return Affected(
            database=session.store.identity,
            selection=selection,
            does=does,
            count=count,
            active=active,
            rows=selections.first_rows(connection, selections.ids_where(where), PREVIEW_ROWS),
            fields=session.catalogue.names(),
            stakes=stakes_of_plan(session, PlanFigures(kind, count, total)),
            impact=impact,
        )
