"""Deactivating who has reached a threshold: within the limits at once, over them never."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from contactctl.domain.errors import RefusedError
from contactctl.domain.group_settings import format_threshold
from contactctl.domain.policies import Limits, ResponsePolicy
from contactctl.domain.runs import Run, RunKind, RunState
from contactctl.domain.thresholds import ThresholdRule, ThresholdRules, threshold_rules
from contactctl.operations import waits
from contactctl.operations.apply import read_run, work_through
from contactctl.operations.group_policies import policy_in_force
from contactctl.operations.held_back import message_of, refusal_of
from contactctl.operations.session import Session
from contactctl.operations.work import interrupted_runs
from contactctl.store.groups import group_ids
from contactctl.store.locks import exclusive
from contactctl.store.runwork import CONTACT_CHANGES
from contactctl.store.threshold_runs import (
    DayBefore,
    Expiry,
    PlannedThresholds,
    any_planned,
    day_before,
    write_threshold_plan,
)
from contactctl.store.threshold_sql import ContactIds, DueCounts, count_due, due
from contactctl.store.totals import count_active


@dataclass(frozen=True, slots=True)
class ThresholdResult:
    """What became of the thresholds that were reached.

    `runs` were carried out: one for what is due now, after those that had been interrupted.
    `waiting` is the run of a plan that must be confirmed first, `is_new` where it was made now.
    """

    runs: tuple[Run, ...] = ()
    waiting: Run | None = None
    is_new: bool = False

    @property
    def deactivated(self) -> int:
        """Contacts that got a deactivation."""
        return sum(run.changed for run in self.runs)

    @property
    def refusal(self) -> RefusedError | None:
        """Why not all that is due was done, said once; None where it was, or was said before."""
        return refusal_of(self.waiting, "deactivated") if self.is_new else None


def rules_in_force(session: Session) -> ThresholdRules:
    """The thresholds of the config and of `groups set`, for the groups of the store."""
    return rules_of(session, policy_in_force(session))


def rules_of(session: Session, policy: ResponsePolicy) -> ThresholdRules:
    """The thresholds of a policy, for the groups of the store."""
    with session.store.reading() as connection:
        ids = group_ids(connection)
    return threshold_rules(policy, ids)


def sweep_thresholds(
    session: Session,
    *,
    among: ContactIds | None = None,
    cause: Mapping[str, object] | None = None,
    wait_seconds: float = waits.FOR_CHANGES_S,
) -> ThresholdResult:
    """Deactivate everybody (or those `among`) who has reached a threshold.

    Over the limits of one run, or of all within a day, nobody is: the plan then waits for `runs
    apply`. While one waits no second one is made. `cause` is kept with the run. Raises BusyError.
    """
    with exclusive(session.store, CONTACT_CHANGES, wait_seconds=wait_seconds):
        finished = finish_interrupted(session)
        planned = plan_thresholds(session, among=among, cause=cause)
        waiting = _held(session, planned, among)
        if planned.run is None or planned.run.state is RunState.PLANNED:
            return ThresholdResult(finished, planned.run or waiting, planned.run is not None)
        return ThresholdResult((*finished, work_through(session, planned.run)), waiting)


def plan_thresholds(
    session: Session,
    *,
    among: ContactIds | None = None,
    cause: Mapping[str, object] | None = None,
    ask_first: bool = False,
) -> PlannedThresholds:
    """Freeze what is due as a run: `running` within the limits, else `planned`.

    With `ask_first` it is `planned` in any case, for a person to see and confirm. A `running` one
    must be worked through by the caller, who holds the right to change contacts.
    """
    rules, now = rules_in_force(session), session.clock()
    if not rules.rules:
        return PlannedThresholds(None, ())
    details = {**(cause or {}), "thresholds": [_kept(rule) for rule in rules.rules]}
    limits, expires_at = session.settings.limits, now + session.settings.plans.expire_after

    def judge(losing: int, active_total: int, before: DayBefore) -> Expiry | None:
        message = message_of(_exceeded(limits, losing, active_total, before))
        return Expiry(message, expires_at) if message or ask_first else None

    return write_threshold_plan(
        session.store,
        session.request(RunKind.THRESHOLDS, details=details),
        lambda waiting, unjudged: due(
            rules,
            now,
            session.store.dialect,
            among=among,
            waiting_runs=waiting,
            unjudged_runs=unjudged,
        ),
        judge,
        now,
    )


def _exceeded(limits: Limits, losing: int, active_total: int, before: DayBefore) -> tuple[str, ...]:
    """The limits of one run and of a day; of a further reason for inactive ones there is none."""
    of_run = limits.exceeded(losing, active_total)
    if of_run or not losing:
        return of_run
    return limits.exceeded_in_a_day(before.spent, losing, before.active_at_start)


def _kept(rule: ThresholdRule) -> dict[str, object]:
    """What the run keeps of a threshold, to say afterwards why."""
    threshold = format_threshold(rule.threshold)
    return {"category": rule.category, "scope": rule.scope, "threshold": threshold}


def finish_interrupted(session: Session) -> tuple[Run, ...]:
    """Work through what earlier processes left undone; the caller holds the right to do so."""
    interrupted = interrupted_runs(session, [RunKind.THRESHOLDS])
    return tuple(work_through(session, run) for run in interrupted)


def thresholds_due(session: Session, now: datetime) -> tuple[DueCounts, tuple[str, ...]]:
    """How many contacts a sweep would deactivate now, whatever plans wait, and which limits that
    exceeds."""
    rules = rules_in_force(session)
    with session.store.reading() as connection:
        counts, active_total = count_due(connection, rules, now), count_active(connection)
        before = day_before(connection, session.clock(), active_total)
    return counts, _exceeded(session.settings.limits, counts.losing, active_total, before)


def _held(session: Session, planned: PlannedThresholds, among: ContactIds | None) -> Run | None:
    """The latest plan made before that holds contacts in question, or that others wait behind."""
    if planned.left:
        return read_run(session, max(planned.waiting))
    with session.store.reading() as connection:
        holding = [run_id for run_id in planned.waiting if any_planned(connection, [run_id], among)]
    return read_run(session, max(holding)) if holding else None
