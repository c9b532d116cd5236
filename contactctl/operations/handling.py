"""Carrying out handling rules: within the limits at once, over them never."""

from collections.abc import Sequence
from dataclasses import dataclass

from contactctl.domain.handling import TimedRule
from contactctl.domain.run_kinds import HandlingRun
from contactctl.domain.runs import Run, RunKind, RunState, Stakes
from contactctl.operations.plans import (
    Judge,
    RulesApplied,
    plans_waiting,
    stakes_of_plan,
    without_limits,
    write_plan,
)
from contactctl.operations.response_policy import DueUnderRule, due_under_rules, timed_rules
from contactctl.operations.run_work import work_through
from contactctl.operations.session import Session
from contactctl.store.database.locks import CONTACT_CHANGES, exclusive
from contactctl.store.groups import group_names_by_id
from contactctl.store.handling import anything_due, count_handled, due_by_rule, plan_handling
from contactctl.store.impact import count_active
from contactctl.store.plans import PlanFigures


@dataclass(frozen=True, slots=True)
class DueHandling:
    """What rules make due now: contacts in all and by rule, and which limits that exceeds."""

    contacts: int
    by_rule: Sequence[DueUnderRule]
    limits_exceeded: Sequence[str]


def sweep_handling(session: Session) -> RulesApplied:
    """Do what handling rules make due now.

    Over the limits nothing is done: one plan then waits for `runs apply`, however often the sweep
    comes by. Raises BusyError while another process changes contacts.
    """
    rules = timed_rules(session, session.now)
    with session.store.reading() as connection:
        if not anything_due(connection, rules):
            return RulesApplied()
    with exclusive(session.store, CONTACT_CHANGES):
        if (waiting := _still_held_back(session, rules)) is not None:
            return RulesApplied(waiting=waiting)
        run = _plan(session, rules, lambda plan: stakes_of_plan(session, plan).limits_exceeded)
        if run is None or run.state is RunState.PLANNED:
            return RulesApplied(waiting=run, is_new=run is not None)
        return RulesApplied((work_through(session, run),))


def plan_what_is_due(session: Session) -> Run | None:
    """The same as a plan for a person to see and confirm; None when nothing is due."""
    rules = timed_rules(session, session.now)
    return _plan(session, rules, without_limits, asks_first=True) if rules else None


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
    figures = PlanFigures(RunKind.HANDLING, due.contacts, active, due.returning)
    return stakes_of_plan(session, figures)


def _still_held_back(session: Session, rules: Sequence[TimedRule]) -> Run | None:
    """The plan of an earlier sweep that waits, if what is due is over the limits still."""
    plans = plans_waiting(session, RunKind.HANDLING)
    return plans[-1] if plans and _stakes(session, rules).limits_exceeded else None


def _plan(
    session: Session, rules: Sequence[TimedRule], judge: Judge, *, asks_first: bool = False
) -> Run | None:
    return write_plan(
        session,
        session.request(HandlingRun(tuple(rules), session.now)),
        plan_handling(rules),
        judge,
        asks_first=asks_first,
    )
