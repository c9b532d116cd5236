"""All that has happened to one contact: when, by which run, by whom and why."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from contactctl.domain import thresholds
from contactctl.domain.contacts import ContactRecord, DeactivationRecord, Origin
from contactctl.domain.errors import NotFoundError
from contactctl.domain.handling import Step, upcoming_steps
from contactctl.domain.responses import RESUBSCRIBED, UNSUBSCRIBED, WISHES, Category
from contactctl.domain.run_kinds import ReactivateRun
from contactctl.domain.runs import Run
from contactctl.domain.text import counted
from contactctl.operations.contacts import contact_id_of
from contactctl.operations.response_policy import policy_in_force
from contactctl.operations.session import Session
from contactctl.operations.suppressions import is_suppressed, key_of
from contactctl.operations.thresholds import rules_of
from contactctl.store.contacts import get_record
from contactctl.store.deactivations import read_standing
from contactctl.store.groups import MembershipPeriod, group_names_by_id, membership_periods
from contactctl.store.responses import count_unmatched, responses_of_contact
from contactctl.store.runs import get_runs, reactivations_of
from contactctl.store.thresholds.due import read_subject
from contactctl.store.thresholds.runs import plans_holding


@dataclass(frozen=True, slots=True)
class Happening:
    """One thing that happened.

    `kind`: created, joined, left, response, unsubscribed, resubscribed, deactivated, ended,
    reactivated, override, cleared, readdressed, merged. `run` did it.
    """

    at: datetime
    kind: str
    text: str
    category: str = ""
    group: str | None = None
    run: int | None = None


@dataclass(frozen=True, slots=True)
class History:
    """What the store keeps of a contact's past; `runs` are all that the rest speaks of.

    `reactivations` are the runs that brought it back by hand, somewhere.
    """

    record: ContactRecord
    responses: Sequence[Mapping[str, Any]]
    reactivated_at: datetime | None
    periods: Sequence[MembershipPeriod]
    reactivations: Sequence[Run]
    runs: Mapping[int, Run]
    group_names: Mapping[int, str]


def runs_spoken_of(record: ContactRecord, periods: Sequence[MembershipPeriod]) -> set[int]:
    """The numbers of the runs that a history's `runs` must have."""
    numbers = {each.run for each in periods}
    numbers |= {each.run for each in record.former_addresses}
    for each in record.deactivations:
        numbers |= {each.run, each.ended_by}
    return {number for number in numbers if number is not None}


def timeline(history: History) -> list[Happening]:
    """Everything that happened, oldest first."""
    happenings = (
        *_created(history.record),
        *(_response(row) for row in history.responses),
        *_deactivations(history),
        *_active_again(history),
        *_in_groups(history),
        *_by_hand_in_groups(history),
        *_former_addresses(history),
    )
    return sorted(happenings, key=lambda each: each.at)


def _created(record: ContactRecord) -> Iterator[Happening]:
    created = record.values["created"]
    if isinstance(created, datetime):
        yield Happening(created, "created", "the contact was created")


def _response(row: Mapping[str, Any]) -> Happening:
    if row["category"] in WISHES:
        return _wish(row)
    said = " ".join(part for part in (row["status"], row["diagnostic"]) if part)
    aside = "held" if row["held"] else "" if row["counts"] else f"not counted: {row['not_counted']}"
    through = "failed through this address, at another" if row["through"] else ""
    by = f"decided by {row['evidence']}" if row["evidence"] else ""
    text = "; ".join(part for part in (said or row["rule"], through, by, aside) if part)
    return Happening(
        row["occurred_at"], "response", text, row["category"], row["group"], row["run"]
    )


def _wish(row: Mapping[str, Any]) -> Happening:
    """What the person asked for; the group as the source named it."""
    kind, group = row["category"], row["diagnostic"]
    about = f"group {group}" if group else "all mail"
    text = {
        UNSUBSCRIBED: f"unsubscribed from {about}",
        RESUBSCRIBED: f"asks to get {about} again",
    }[kind]
    if row["not_counted"] == "echo":
        text += " before then, says the provider"
    return Happening(row["occurred_at"], kind, text, "", row["group"], row["run"])


def _deactivations(history: History) -> Iterator[Happening]:
    for each in history.record.deactivations:
        where = "system-wide" if each.group is None else f"in {each.group}"
        text = f"deactivated {where} ({each.origin}) {history.runs[each.run].by}"
        yield Happening(each.started_at, "deactivated", text, each.category, each.group, each.run)
        if each.ended_at is not None and each.ended_by is not None:
            text = _ending(each, history.runs[each.ended_by], history.group_names)
            yield Happening(each.ended_at, "ended", text, each.category, each.group, each.ended_by)


def _ending(ended: DeactivationRecord, run: Run, group_names: Mapping[int, str]) -> str:
    """By rule, where its run says which: the group's own comes before the general one."""
    group_id = next((number for number, name in group_names.items() if name == ended.group), None)
    if waited := run.details.waited(ended.category, group_id):
        return f"ended by rule: {waited}, run {run.id}"
    where = "" if ended.group is None else f" in {ended.group}"
    return run.details.ending.format(where=where, by=run.by)


def _active_again(history: History) -> Iterator[Happening]:
    """The last time only; the deactivations that ended tell of all."""
    at = history.reactivated_at
    if at is None:
        return
    ended_by = (each.ended_by for each in history.record.deactivations if each.ended_at == at)
    text = "active again: earlier responses no longer count"
    yield Happening(at, "reactivated", text, run=next(ended_by, None))


def _in_groups(history: History) -> Iterator[Happening]:
    for each in history.periods:
        yield Happening(each.added, "joined", f"joined the group {each.group}", group=each.group)
        if each.ended_at is not None and each.run is not None:
            run = history.runs[each.run]
            text = f"removed from the group {each.group} ({run.kind}) {run.by}"
            yield Happening(each.ended_at, "left", text, group=each.group, run=each.run)


def _by_hand_in_groups(history: History) -> Iterator[Happening]:
    """Overrides and what became of them, which the store keeps no other trace of."""
    for run in history.reactivations:
        told, at = run.details, run.planned_at
        if not isinstance(told, ReactivateRun) or told.group is None:
            continue
        if told.clears:
            text = f"override in {told.group} cleared {run.by}"
            yield Happening(at, "cleared", text, "", told.group, run.id)
        elif _was_inactive(history.record, at):
            text = f"override in {told.group} set {run.by}"
            yield Happening(at, "override", text, "", told.group, run.id)


def _former_addresses(history: History) -> Iterator[Happening]:
    for each in history.record.former_addresses:
        by = history.runs[each.run].by
        kind, text = "readdressed", f"{each.email} until then; another address {by}"
        if each.from_contact is not None:
            kind, text = "merged", f"contact {each.from_contact}, {each.email}, merged into it {by}"
        yield Happening(each.ended_at, kind, text, run=each.run)


def _was_inactive(record: ContactRecord, at: datetime) -> bool:
    return any(
        each.group is None
        and each.started_at <= at
        and (each.ended_at is None or each.ended_at > at)
        for each in record.deactivations
    )


# Why a contact is as it is: all that happened to it, what counts now, and what comes next


@dataclass(frozen=True, slots=True)
class Count:
    """What counts now against one threshold.

    `group` None: of all groups that have no threshold of their own. `through`: of the addresses
    that the contact's passes mail on to. `counted_from` is the instant from which responses count,
    None: from the first on.
    """

    category: Category
    group: str | None
    through: bool
    counted: int
    threshold: int
    within_days: float | None
    counted_from: datetime | None
    is_open: bool
    is_due: bool


@dataclass(frozen=True, slots=True)
class Expected:
    """What comes next if nothing else happens. `at` None: nobody can say when."""

    action: str
    text: str
    at: datetime | None = None
    category: str = ""
    group: str | None = None


@dataclass(frozen=True, slots=True)
class Explanation:
    """A contact, explained."""

    contact: ContactRecord
    timeline: Sequence[Happening]
    counts: Sequence[Count]
    next: Sequence[Expected]


def explain(session: Session, name: str) -> Explanation:
    """Everything about the contact with that email or number.

    Raises NotFoundError, which says of an address without a contact whether it is suppressed, and
    which responses wait for it.
    """
    try:
        contact_id = contact_id_of(session, name)
    except NotFoundError as error:
        raise _without_contact(session, name, error) from error
    policy = policy_in_force(session)
    rules = rules_of(session, policy)
    with session.store.reading() as connection:
        record = get_record(connection, contact_id)
        deactivated = read_standing(connection, contact_id)
        names = group_names_by_id(connection)
        responses = responses_of_contact(connection, contact_id)
        subject = read_subject(connection, contact_id, responses)
        waiting = plans_holding(connection, contact_id, session.now)
        periods = membership_periods(connection, contact_id)
        reactivations = reactivations_of(connection, contact_id)
        runs = get_runs(connection, runs_spoken_of(record, periods))
    history = History(
        record, responses, subject.reactivated_at, periods, reactivations, runs, names
    )
    steps = upcoming_steps(deactivated.as_handled(), policy)
    expected = [
        *_waiting(waiting),
        *_due(subject, rules, names, session.now, waiting=bool(waiting)),
        *(_step(step, session.now) for step in steps),
        *_stays(record, steps, complained=deactivated.complained),
    ]
    return Explanation(
        record,
        timeline(history),
        list(_counts(subject, rules, names, session.now)),
        [_ERASED] if deactivated.is_erased else expected,
    )


def _without_contact(session: Session, name: str, error: NotFoundError) -> NotFoundError:
    """What is known of an address that no contact has; a number says nothing."""
    if "@" not in name:
        return error
    known = []
    if is_suppressed(session, name):
        known.append("the address is suppressed: it was erased, or is kept out")
    with session.store.reading() as connection:
        waiting = count_unmatched(connection, key_of(name))
    if waiting:
        known.append(f"{counted(waiting, 'response')} recorded, waiting for a contact")
    if not known:
        return NotFoundError(f"{error.message}, and the address is not suppressed", hint=error.hint)
    hints = ["`contactctl suppressions list` shows when"] if len(known) > bool(waiting) else []
    if waiting:
        hints.append("`contactctl responses list --unmatched` shows the responses")
    return NotFoundError(f"{error.message}: {'; '.join(known)}", hint="; ".join(hints))


def _counts(
    subject: thresholds.ThresholdSubject,
    rules: thresholds.ThresholdRules,
    names: Mapping[int, str],
    now: datetime,
) -> Iterator[Count]:
    """Of every general threshold, and of those of groups that the contact has to do with."""
    passed_on = {each.category for each in subject.responses if each.through}
    concerned = {each.group_id for each in subject.responses} | subject.memberships.keys()
    due = thresholds.due_deactivations(subject, rules, now)
    for rule in (way for each in rules.rules for way in each.both_ways()):
        if rule.group_id != thresholds.SYSTEM_WIDE and rule.group_id not in concerned:
            continue
        if rule.through and rule.category not in passed_on:
            continue
        within = rule.threshold.within
        key = (rule.scope, rule.category)
        yield Count(
            rule.category,
            names.get(rule.group_id),
            rule.through,
            thresholds.number_counted(
                rule, thresholds.counted_responses(subject, rule, rules, now)
            ),
            rule.needed,
            None if within is None else within.total_seconds() / 86_400,
            _counted_from(subject, rule, rules, now),
            key in subject.open,
            key in due,
        )


def _counted_from(
    subject: thresholds.ThresholdSubject,
    rule: thresholds.ThresholdRule,
    rules: thresholds.ThresholdRules,
    now: datetime,
) -> datetime | None:
    instants = (rule.window_start(now), thresholds.watermark(subject, rule, rules))
    return max((each for each in instants if each is not None), default=None)


def _waiting(run_ids: Sequence[int]) -> Iterator[Expected]:
    for run_id in run_ids:
        text = f"a threshold is reached; run {run_id} waits for `contactctl runs apply {run_id}`"
        yield Expected("wait-for-confirmation", text)


def _due(
    subject: thresholds.ThresholdSubject,
    rules: thresholds.ThresholdRules,
    names: Mapping[int, str],
    now: datetime,
    *,
    waiting: bool,
) -> Iterator[Expected]:
    if waiting:
        return
    for scope, category in sorted(thresholds.due_deactivations(subject, rules, now)):
        where = "system-wide" if scope == thresholds.SYSTEM_WIDE else f"in {names[scope]}"
        text = f"the threshold is reached: the next sweep deactivates {where}"
        yield Expected("deactivate", text, now, category, names.get(scope))


def _step(step: Step, now: datetime) -> Expected:
    if step.blocked:
        text = "a complaint is on record: the handling rule cannot end this"
        return Expected(step.action.value, text, None, step.category, step.group)
    text = _STEP_TEXTS[step.action]
    if step.due_at <= now:
        text = f"{text}: due with the next sweep"
    return Expected(step.action.value, text, step.due_at, step.category, step.group)


_STEP_TEXTS = {
    "reactivate": "the handling rule ends this deactivation",
    "remove-from-group": "the handling rule removes it from the group",
}
_ERASED = Expected(
    "stay-inactive", "the contact was anonymised, which cannot be undone: it stays inactive"
)


def _stays(record: ContactRecord, steps: Sequence[Step], *, complained: bool) -> Iterator[Expected]:
    """What of the open deactivations no rule will ever end."""
    ending = {(step.group, step.category.value) for step in steps if step.action == "reactivate"}
    for each in record.deactivations:
        if each.ended_at is None and (each.group, each.category) not in ending:
            text = "no rule ends this deactivation: it stays until somebody reactivates the contact"
            if each.origin is Origin.UNSUBSCRIBE:
                text = "the contact unsubscribed: it stays so until it asks for mail again"
            yield Expected("stay-inactive", text, None, each.category, each.group)
    if complained and not any(each.ended_at is None for each in record.deactivations):
        text = "a complaint is on record: no rule will reactivate the contact"
        yield Expected("blocked-by-complaint", text, None, Category.SPAM_COMPLAINT)
