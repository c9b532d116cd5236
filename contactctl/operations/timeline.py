"""All that has happened to one contact: when, by which run, by whom and why."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from contactctl.domain.contact_record import ContactRecord, DeactivationRecord
from contactctl.domain.run_kinds import ReactivateRun
from contactctl.domain.runs import Run
from contactctl.store.memberships import MembershipPeriod


@dataclass(frozen=True, slots=True)
class Happening:
    """One thing that happened.

    `kind`: created, joined, left, response, deactivated, ended, reactivated, override, cleared.
    `run` did it.
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
    )
    return sorted(happenings, key=lambda each: each.at)


def _created(record: ContactRecord) -> Iterator[Happening]:
    created = record.values["created"]
    if isinstance(created, datetime):
        yield Happening(created, "created", "the contact was created")


def _response(row: Mapping[str, Any]) -> Happening:
    said = " ".join(part for part in (row["status"], row["diagnostic"]) if part)
    aside = "held" if row["held"] else "" if row["counts"] else f"not counted: {row['not_counted']}"
    text = "; ".join(part for part in (said or row["rule"], aside) if part)
    return Happening(
        row["occurred_at"], "response", text, row["category"], row["group"], row["run"]
    )


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


def _was_inactive(record: ContactRecord, at: datetime) -> bool:
    return any(
        each.group is None
        and each.started_at <= at
        and (each.ended_at is None or each.ended_at > at)
        for each in record.deactivations
    )
