"""Carrying out handling rules: within the limits at once, over them never."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from contactctl.domain.confirmation import Stakes
from contactctl.domain.errors import RefusedError
from contactctl.domain.runs import Request, Run, RunKind, RunState
from contactctl.domain.values import format_value
from contactctl.operations.apply import work_through
from contactctl.operations.held_back import message_of, refusal_of
from contactctl.operations.plan import stakes_of_change, stakes_of_plan
from contactctl.operations.rules import DueUnderRule, due_under_rules, timed_rules
from contactctl.operations.session import Session
from contactctl.store.groups import group_names_by_id
from contactctl.store.handling_runs import plan_handling
from contactctl.store.handling_sql import (
    TimedRule,
    anything_due,
    count_handled,
    due_by_rule,
)
from contactctl.store.locks import exclusive
from contactctl.store.planning import PlanFigures, write_run_with_plan
from contactctl.store.runs import list_runs, update_run
from contactctl.store.runwork import CONTACT_CHANGES
from contactctl.store.totals import count_active


@dataclass(frozen=True, slots=True)
class HandlingResult:
    """The run that carried the rules out, or the one that waits because it is over the limits."""

    run: Run | None = None
    waiting: Run | None = None

    @property
    def refusal(self) -> RefusedError | None:
        """Why what is due was not done; None where it was."""
        return refusal_of(self.waiting, "handled")


@dataclass(frozen=True, slots=True)
class DueHandling:
    """What rules make due now: contacts in all and by rule, and which limits that exceeds."""

    contacts: int
    by_rule: Sequence[DueUnderRule]
    limits_exceeded: Sequence[str]


class _OverLimitsError(Exception):
    """Takes the plan back with its transaction; its text is the message of one that waits."""


def sweep_handling(session: Session, *, wait_seconds: float = 0) -> HandlingResult:
    """Do what handling rules make due now.

    Over the limits nothing is done: one plan then waits for `runs apply`, however often the sweep
    comes by. Raises BusyError while another process changes contacts.
    """
    rules = timed_rules(session, session.now)
    with session.store.reading() as connection:
        if not anything_due(connection, rules):
            return HandlingResult()
    with exclusive(session.store, CONTACT_CHANGES, wait_seconds=wait_seconds):
        if (waiting := _still_held_back(session, rules)) is not None:
            return HandlingResult(waiting=waiting)
        try:
            run = _plan_within_limits(session, rules)
        except _OverLimitsError as over:
            return HandlingResult(waiting=_keep_plan(session, rules, str(over)))
        return HandlingResult(None if run is None else work_through(session, run))


def plan_what_is_due(session: Session) -> Run | None:
    """The same as a plan for a person to see and confirm; None when nothing is due."""
    rules = timed_rules(session, session.now)
    return _keep_plan(session, rules, "") if rules else None


def handling_due(session: Session) -> DueHandling:
    """What a sweep would do now, whatever plans wait."""
    rules = timed_rules(session, session.now)
    with session.store.reading() as connection:
        names = group_names_by_id(connection)
        by_rule = due_by_rule(connection, rules)
    stakes = _stakes(session, rules)
    return DueHandling(stakes.count, due_under_rules(by_rule, names), stakes.limits_exceeded)


def _stakes(session: Session, rules: Sequence[TimedRule]) -> Stakes:
    """What doing all that is due now would mean."""
    with session.store.reading() as connection:
        due, active = count_handled(connection, rules), count_active(connection)
    return stakes_of_change(session, RunKind.HANDLING, due.contacts, active, due.returning)


def _still_held_back(session: Session, rules: Sequence[TimedRule]) -> Run | None:
    """The plan of an earlier sweep that waits, if what is due is over the limits still."""
    with session.store.reading() as connection:
        plans = list_runs(connection, limit=1, kinds=[RunKind.HANDLING], states=[RunState.PLANNED])
        if not plans or (plans[0].expires_at or session.now) <= session.clock():
            return None
    return plans[0] if _stakes(session, rules).limits_exceeded else None


def _plan_within_limits(session: Session, rules: Sequence[TimedRule]) -> Run | None:
    def check(figures: PlanFigures) -> None:
        if message := message_of(stakes_of_plan(session, figures).limits_exceeded):
            raise _OverLimitsError(message)

    return write_run_with_plan(
        session.store,
        _request(session, rules),
        lambda connection, run_id: plan_handling(connection, run_id, rules),
        check,
        now=session.clock(),
        expires_at=None,
    )


def _keep_plan(session: Session, rules: Sequence[TimedRule], message: str) -> Run | None:
    now = session.clock()
    run = write_run_with_plan(
        session.store,
        _request(session, rules),
        lambda connection, run_id: plan_handling(connection, run_id, rules),
        lambda _figures: None,
        now=now,
        expires_at=now + session.settings.plans.expire_after,
    )
    if run is not None and message:
        with session.store.writing() as connection:
            update_run(connection, run.id, {"message": message})
        return replace(run, message=message)
    return run


def _request(session: Session, rules: Sequence[TimedRule]) -> Request:
    details = {"rules": [rule.details() for rule in rules], "as_of": format_value(session.now)}
    return session.request(RunKind.HANDLING, details=details)
