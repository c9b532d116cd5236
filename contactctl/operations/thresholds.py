"""Deactivating who has reached a threshold, and what other thresholds would do."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from contactctl.config.load import load_settings_file
from contactctl.domain.groups import format_threshold
from contactctl.domain.policies import HandlingAction, Limits, ResponsePolicy
from contactctl.domain.responses import Category
from contactctl.domain.run_kinds import KeptThreshold, ThresholdsRun
from contactctl.domain.runs import Run, RunKind, RunState
from contactctl.domain.thresholds import SYSTEM_WIDE, ThresholdRule, ThresholdRules, threshold_rules
from contactctl.domain.waits import FOR_LOCKS_S
from contactctl.operations.handling import handling_due
from contactctl.operations.plans import RulesApplied, plans_waiting, write_plan
from contactctl.operations.response_policy import policy_in_force
from contactctl.operations.run_work import work_through
from contactctl.operations.runs import interrupted_runs
from contactctl.operations.session import Session
from contactctl.store.database.locks import CONTACT_CHANGES, exclusive
from contactctl.store.groups import group_ids, group_names_by_id
from contactctl.store.impact import count_active
from contactctl.store.plans import PlanFigures
from contactctl.store.runs import overdue_plans
from contactctl.store.thresholds.due import ContactIds, DueCounts, count_reached
from contactctl.store.thresholds.runs import DayBefore, any_planned, day_before, plan_due
from contactctl.store.thresholds.unswept import (
    begin_look,
    end_look,
    is_looked,
    look_again_at_plan,
    unswept_ids,
)


class _OneWaitsError(Exception):
    """Takes a plan back that would wait beside another: one at a time is enough to be looked at."""


def threshold_rules_in_force(session: Session) -> ThresholdRules:
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
    after_run: int | None = None,
    wait_seconds: float = FOR_LOCKS_S,
) -> RulesApplied:
    """Deactivate everybody (or those `among`) who has reached a threshold.

    By rules that everybody was looked at before, only those are looked at whom something may have
    made due since (store.thresholds.unswept).

    Over the limits of one run, or of all within a day, nobody is: the plan then waits for `runs
    apply`. While one waits no second one is made to wait, and what it holds is not planned again.
    `after_run` is the run whose responses are the reason. Raises BusyError.
    """
    is_whole = among is None
    with exclusive(session.store, CONTACT_CHANGES, wait_seconds=wait_seconds):
        finished = finish_interrupted(session)
        rules = threshold_rules_in_force(session)
        any_to_see = True
        if among is None:
            among, any_to_see = _to_be_looked_at(session, rules)
        plans = plans_waiting(session, RunKind.THRESHOLDS) if rules.rules else []
        try:
            run = None
            if any_to_see:
                run = plan_thresholds(session, among=among, after_run=after_run, beside=plans)
        except _OneWaitsError:
            return RulesApplied(finished, plans[-1], waits_for_another=True)
        if is_whole:
            with session.store.writing() as connection:
                end_look(connection, rules.digest, session.clock())
        waiting = _holding(session, plans, None if is_whole else among)
        if run is None or run.state is RunState.PLANNED:
            return RulesApplied(finished, run or waiting, is_new=run is not None)
        return RulesApplied((*finished, work_through(session, run)), waiting)


def _to_be_looked_at(session: Session, rules: ThresholdRules) -> tuple[ContactIds | None, bool]:
    """Those whom something may have made due (None: everybody), and whether there are any."""
    now = session.clock()
    with session.store.writing() as connection:
        for run_id in overdue_plans(connection, now, [RunKind.THRESHOLDS]):
            look_again_at_plan(connection, run_id)
        any_unswept = begin_look(connection)
        if not is_looked(connection, rules.digest, now):
            return None, True
        return unswept_ids(), any_unswept


def plan_thresholds(
    session: Session,
    *,
    among: ContactIds | None = None,
    after_run: int | None = None,
    beside: Sequence[Run] = (),
    ask_first: bool = False,
) -> Run | None:
    """Freeze what is due as a run: `running` within the limits, else `planned`.

    With `ask_first` it is `planned` in any case, for a person to see and confirm. A `running` one
    must be worked through by the caller, who holds the right to change contacts. `beside` are
    plans that wait already.
    """
    rules, now = threshold_rules_in_force(session), session.clock()
    if not rules.rules:
        return None
    with session.store.reading() as connection:
        before = day_before(connection, now)

    def judge(figures: PlanFigures) -> tuple[str, ...]:
        losing = figures.planned if figures.losing is None else figures.losing
        exceeded = _exceeded(session.settings.limits, losing, figures.active, before)
        if exceeded and beside:
            raise _OneWaitsError
        return exceeded

    return write_plan(
        session,
        session.request(ThresholdsRun(after_run, tuple(map(_kept, rules.rules)))),
        plan_due(rules, now, among),
        judge,
        asks_first=ask_first,
    )


def _exceeded(limits: Limits, losing: int, active_total: int, before: DayBefore) -> tuple[str, ...]:
    """The limits of one run and of a day; of a further reason for inactive ones there is none."""
    of_run = limits.exceeded(losing, active_total)
    if of_run or not losing:
        return of_run
    at_start = active_total if before.active_at_start is None else before.active_at_start
    return limits.exceeded_in_a_day(before.spent, losing, at_start)


def _kept(rule: ThresholdRule) -> KeptThreshold:
    """What the run keeps of a threshold, to say afterwards why."""
    return KeptThreshold(rule.category, rule.scope, format_threshold(rule.threshold))


def finish_interrupted(session: Session) -> tuple[Run, ...]:
    """Work through what earlier processes left undone; the caller holds the right to do so."""
    interrupted = interrupted_runs(session, [RunKind.THRESHOLDS])
    return tuple(work_through(session, run) for run in interrupted)


def thresholds_due(session: Session, now: datetime) -> tuple[DueCounts, tuple[str, ...]]:
    """How many contacts a sweep would deactivate now, whatever plans wait, and which limits that
    exceeds."""
    rules = threshold_rules_in_force(session)
    with session.store.reading() as connection:
        counts, active_total = count_reached(connection, rules, now), count_active(connection)
        before = day_before(connection, session.clock())
    return counts, _exceeded(session.settings.limits, counts.losing, active_total, before)


def _holding(session: Session, plans: Sequence[Run], among: ContactIds | None) -> Run | None:
    """The latest of the plans that holds contacts in question."""
    with session.store.reading() as connection:
        holding = [run for run in plans if any_planned(connection, [run.id], among)]
    return holding[-1] if holding else None


# What other thresholds and handling rules would do to the contacts as they are now


@dataclass(frozen=True, slots=True)
class Rule:
    """What one category leads to. `action` None: deactivate; `group` None: system-wide."""

    action: HandlingAction | None
    group: str | None
    category: Category


@dataclass(frozen=True, slots=True)
class Effect:
    """How many contacts are due now under one config, each of them once, and under each rule.

    Thresholds would deactivate `deactivated` contacts, `active` of which are active now; handling
    rules would reactivate `handled` contacts or remove them from groups.
    """

    deactivated: int
    active: int
    handled: int
    by_rule: Mapping[Rule, int]


@dataclass(frozen=True, slots=True)
class WhatIf:
    """The effect of a file's rules beside that of the rules in force."""

    file: Path
    warnings: tuple[str, ...]
    found: Effect
    in_force: Effect


def what_if(session: Session, path: Path) -> WhatIf:
    """Count with the thresholds and handling rules of a config file. Raises ConfigError."""
    loaded = load_settings_file(path)
    other = replace(session, settings=loaded.settings)
    return WhatIf(path, loaded.warnings, _effect(other), _effect(session))


def _effect(session: Session) -> Effect:
    thresholds = threshold_rules_in_force(session)
    with session.store.reading() as connection:
        names = group_names_by_id(connection)
        due = count_reached(connection, thresholds, session.now)
    handling = handling_due(session)
    by_rule = dict(_reaching_thresholds(due, names))
    by_rule |= {
        Rule(each.action, each.group, each.category): each.contacts for each in handling.by_rule
    }
    return Effect(due.contacts, due.active, handling.contacts, by_rule)


def _reaching_thresholds(due: DueCounts, names: Mapping[int, str]) -> Iterator[tuple[Rule, int]]:
    for (scope, category), contacts in sorted(due.by_scope.items()):
        group = None if scope == SYSTEM_WIDE else names[scope]
        yield Rule(None, group, category), contacts
