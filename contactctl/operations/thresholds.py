"""Deactivating who has reached a threshold: within the limits at once, over them never."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from contactctl.domain.errors import RefusedError
from contactctl.domain.group_settings import format_threshold
from contactctl.domain.runs import Run, RunKind, RunState
from contactctl.domain.thresholds import ThresholdRule, ThresholdRules, threshold_rules
from contactctl.operations.apply import DEFAULT_WAIT_SECONDS, read_run, work_through
from contactctl.operations.group_policies import policy_in_force
from contactctl.operations.session import Session
from contactctl.store.groups import group_ids
from contactctl.store.locks import exclusive
from contactctl.store.runs import list_runs
from contactctl.store.runwork import CONTACT_CHANGES
from contactctl.store.threshold_runs import (
    Expiry,
    PlannedThresholds,
    any_planned,
    write_threshold_plan,
)
from contactctl.store.threshold_sql import ContactIds, DueCounts, count_due, due

_MOST_INTERRUPTED_RUNS = 1000


@dataclass(frozen=True, slots=True)
class ThresholdResult:
    """What became of the thresholds that were reached.

    `runs` were carried out: one for what is due now, after those that had been interrupted.
    `waiting` is the run of a plan that must be confirmed first.
    """

    runs: tuple[Run, ...] = ()
    waiting: Run | None = None

    @property
    def deactivated(self) -> int:
        """Contacts that got a deactivation."""
        return sum(run.changed for run in self.runs)

    @property
    def refusal(self) -> RefusedError | None:
        """Why not all that is due was done; None where it was."""
        if self.waiting is None:
            return None
        return RefusedError(
            f"{self.waiting.planned:,} contacts wait in run {self.waiting.id} and were not"
            f" deactivated: {self.waiting.message}",
            hint=f"look at `contactctl runs show {self.waiting.id}`;"
            f" `contactctl runs apply {self.waiting.id}` asks for its confirmation",
            code="limits",
        )


def rules_in_force(session: Session) -> ThresholdRules:
    """The thresholds of the config and of `groups set`, for the groups of the store."""
    with session.store.reading() as connection:
        ids = group_ids(connection)
    return threshold_rules(policy_in_force(session), ids)


def sweep_thresholds(
    session: Session,
    *,
    among: ContactIds | None = None,
    cause: Mapping[str, object] | None = None,
    wait_seconds: float = DEFAULT_WAIT_SECONDS,
) -> ThresholdResult:
    """Deactivate everybody (or those `among`) who has reached a threshold.

    Over the limits nobody is: the plan then waits for `runs apply`. What waits already is not
    planned again. `cause` is kept with the run. Raises BusyError.
    """
    with exclusive(session.store, CONTACT_CHANGES, wait_seconds=wait_seconds):
        finished = finish_interrupted(session)
        planned = plan_thresholds(session, among=among, cause=cause)
        waiting = _held(session, planned, among)
        if planned.run is None or planned.run.state is RunState.PLANNED:
            return ThresholdResult(finished, planned.run or waiting)
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

    def judge(losing: int, active_total: int) -> Expiry | None:
        reasons = "; ".join(limits.exceeded(losing, active_total))
        return Expiry(reasons, expires_at) if reasons or ask_first else None

    return write_threshold_plan(
        session.store,
        session.request(RunKind.THRESHOLDS, details=details),
        lambda waiting: due(rules, now, session.store.dialect, among=among, waiting_runs=waiting),
        judge,
        now,
    )


def _kept(rule: ThresholdRule) -> dict[str, object]:
    """What the run keeps of a threshold, to say afterwards why."""
    threshold = format_threshold(rule.threshold)
    return {"category": rule.category, "scope": rule.scope, "threshold": threshold}


def finish_interrupted(session: Session) -> tuple[Run, ...]:
    """Work through what earlier processes left undone; the caller holds the right to do so."""
    with session.store.reading() as connection:
        interrupted = list_runs(
            connection,
            limit=_MOST_INTERRUPTED_RUNS,
            kinds=[RunKind.THRESHOLDS],
            states=[RunState.RUNNING],
        )
    return tuple(work_through(session, run) for run in reversed(interrupted))


def thresholds_due(session: Session, now: datetime) -> DueCounts:
    """How many contacts a sweep would deactivate now, by group and category."""
    rules = rules_in_force(session)
    with session.store.reading() as connection:
        return count_due(connection, rules, now)


def _held(session: Session, planned: PlannedThresholds, among: ContactIds | None) -> Run | None:
    """The latest plan made before that holds contacts in question."""
    with session.store.reading() as connection:
        holding = [run_id for run_id in planned.waiting if any_planned(connection, [run_id], among)]
    return read_run(session, max(holding)) if holding else None
