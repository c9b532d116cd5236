"""Runs that carry out thresholds: the plan of what is due, and its batches."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from contactctl.domain.changes import ChangeKind
from contactctl.domain.contacts import MembershipState, Origin, Status
from contactctl.domain.runs import Run, RunKind, RunState, SkipReason
from contactctl.domain.thresholds import ThresholdRules
from contactctl.store import plans, tables
from contactctl.store.deactivations import open_each
from contactctl.store.fields import is_one_of
from contactctl.store.impact import losses_of_plan
from contactctl.store.predicates import how_many, is_active, is_open, one_number
from contactctl.store.runs import runs_with_plans
from contactctl.store.tables import SYSTEM_WIDE
from contactctl.store.temporary import join_each_once
from contactctl.store.thresholds.due import ContactIds, due

_change = tables.change
_contact = tables.contact
_deactivation = tables.deactivation
_item = tables.plan_item
_membership = tables.membership
_run = tables.run


@dataclass(frozen=True, slots=True)
class DayBefore:
    """What automatic runs have done within 24 hours: from `spent` contacts they took something, of
    `active_at_start`; None where there was no such run."""

    spent: int
    active_at_start: int | None


def plan_due(
    rules: ThresholdRules, now: datetime, among: ContactIds | None = None
) -> plans.WritePlan:
    """What freezes what is due, of everybody or of those `among`, but for what another plan waits
    with."""

    def write(connection: sa.Connection, run_id: int) -> int:
        join_each_once(connection)
        found = due(
            rules,
            now,
            connection.dialect.name,
            among=among,
            waiting_runs=waiting_plans(connection, now),
            unjudged_runs=_unjudged_runs(connection),
        ).subquery("due")
        items = sa.select(*found.c, sa.literal(run_id, sa.Integer))
        columns = ["contact_id", "group_id", "category", "revision", "run_id"]
        connection.execute(sa.insert(_item).from_select(columns, items))
        return plans.planned_contacts(connection, run_id)

    return write


def day_before(connection: sa.Connection, now: datetime) -> DayBefore:
    """What thresholds have deactivated by themselves; what an incident took back does not count,
    nor a further reason for somebody inactive, nor what a person has confirmed."""
    since = now - timedelta(hours=24)
    statement = (
        sa.select(_run.c.id, _run.c.active_before)
        .where(
            _run.c.kind == RunKind.THRESHOLDS,
            # one that was interrupted may have begun long before
            sa.or_(_run.c.finished_at.is_(None), _run.c.finished_at > since),
            _run.c.expires_at.is_(None),
            _run.c.changed > 0,
        )
        .order_by(_run.c.id)
    )
    runs = connection.execute(statement).all()
    if not runs:
        return DayBefore(0, None)
    numbers = [run.id for run in runs]
    told = sa.select(_change.c.run_id, _change.c.contact_id).where(
        _change.c.run_id.in_(numbers),
        _change.c.kind == ChangeKind.DEACTIVATED,
        _change.c.at > since,
    )
    # first the numbers: changes and deactivations may be on different machines
    deactivated = {tuple(row) for row in connection.execute(told)}
    contacts = {contact_id for _, contact_id in deactivated}
    of_these = is_one_of(_deactivation.c.contact_id, contacts, connection.dialect.name)
    taken_back = (
        sa.select(_deactivation.c.run_id, _deactivation.c.contact_id)
        .where(_deactivation.c.run_id.in_(numbers), of_these)
        .group_by(_deactivation.c.run_id, _deactivation.c.contact_id)
        .having(sa.func.count().filter(~_deactivation.c.taken_back) == 0)
    )
    spent = len(deactivated.difference(map(tuple, connection.execute(taken_back))))
    at_work = {run_id for run_id, _ in deactivated}
    return DayBefore(spent, next((run.active_before for run in runs if run.id in at_work), None))


def _unjudged_runs(connection: sa.Connection) -> list[int]:
    """The ingests at work, and those cut short: whether their responses are a burst is judged when
    all are there."""
    any_unjudged = connection.execute(sa.select(tables.unjudged_hour.c.hour).limit(1)).first()
    is_unjudged = _run.c.state == RunState.RUNNING
    if any_unjudged is not None:
        is_unjudged = sa.or_(is_unjudged, _run.c.id.in_(runs_with_plans(connection)))
    statement = sa.select(_run.c.id).where(_run.c.kind == RunKind.INGEST, is_unjudged)
    return list(connection.execute(statement).scalars())


def waiting_plans(connection: sa.Connection, now: datetime) -> tuple[int, ...]:
    """The numbers of the threshold runs that wait for their confirmation."""
    statement = sa.select(_run.c.id).where(
        _run.c.kind == RunKind.THRESHOLDS,
        _run.c.state == RunState.PLANNED,
        _run.c.expires_at > now,
    )
    return tuple(connection.execute(statement).scalars())


def any_planned(
    connection: sa.Connection, run_ids: Sequence[int], contact_ids: ContactIds | None
) -> bool:
    """Whether a plan of these runs holds one of the contacts (None: any contact)."""
    if not run_ids:
        return False
    statement = sa.select(_item.c.contact_id).where(_item.c.run_id.in_(run_ids)).limit(1)
    if contact_ids is not None:
        statement = statement.where(_item.c.contact_id.in_(contact_ids))
    return connection.execute(statement).first() is not None


def plans_holding(connection: sa.Connection, contact_id: int, now: datetime) -> list[int]:
    """The waiting plans that would deactivate this contact."""
    of_contact = sa.select(sa.literal(contact_id).label("contact_id"))
    return [
        run_id
        for run_id in waiting_plans(connection, now)
        if any_planned(connection, [run_id], of_contact)
    ]


def threshold_outcome(step: plans.Step) -> plans.BatchOutcome:
    """How many of the batch's contacts get a deactivation, and why the others get none."""
    reason = sa.case(
        (_contact.c.id.is_(None), SkipReason.GONE),
        (_contact.c.revision != _item.c.revision, SkipReason.CHANGED),
        (_is_open_already(), SkipReason.NOT_ACTIVE),
        else_="",
    )
    of_contact = (
        sa.select(sa.func.min(reason).label("reason"))
        .select_from(_item.outerjoin(_contact, _contact.c.id == _item.c.contact_id))
        .where(step.items)
        .group_by(_item.c.contact_id)
        .subquery()
    )
    statement = sa.select(of_contact.c.reason, sa.func.count()).group_by(of_contact.c.reason)
    return plans.outcome_by_reason(step.connection, statement)


def threshold_deactivate(step: plans.Step) -> int:
    """Open the batch's deactivations that are still due; returns how many contacts got one."""
    join_each_once(step.connection)
    still_due = (
        sa.select(_item.c.contact_id, _item.c.group_id, _item.c.category)
        .join_from(_item, _contact, _contact.c.id == _item.c.contact_id)
        .where(step.items, _contact.c.revision == _item.c.revision, ~_is_open_already())
    )
    open_each(step, Origin.THRESHOLD, still_due)
    _set_contacts_inactive(step)
    _set_members_inactive(step)
    here = _opened(step, _item.c.contact_id).distinct().subquery()
    return how_many(step.connection, here)


def _losing(connection: sa.Connection, run: Run) -> int:
    """The contacts that lose something: a further reason for an inactive one changes nothing."""
    statement = (
        sa.select(sa.func.count(sa.distinct(_item.c.contact_id)))
        .join_from(_item, _contact, _contact.c.id == _item.c.contact_id)
        .where(
            _item.c.run_id == run.id,
            sa.or_(is_active(), _item.c.group_id != SYSTEM_WIDE),
        )
    )
    return one_number(connection, statement)


def _is_open_already() -> sa.ColumnElement[bool]:
    return sa.exists().where(
        _deactivation.c.contact_id == _item.c.contact_id,
        _deactivation.c.group_id == _item.c.group_id,
        _deactivation.c.category == _item.c.category,
        is_open(),
    )


def _opened(step: plans.Step, *columns: sa.ColumnElement[int]) -> sa.Select[*tuple[int, ...]]:
    """Columns of the batch's items that got their deactivation. By the items, since few of those
    whose ids lie in the batch's stretch may be in the plan."""
    key = ("contact_id", "group_id", "run_id", "category")
    is_its = sa.and_(*(_deactivation.c[name] == _item.c[name] for name in key))
    return sa.select(*columns).join_from(_item, _deactivation, is_its).where(step.items, is_open())


def _set_contacts_inactive(step: plans.Step) -> None:
    opened = _opened(step, _item.c.contact_id).where(_item.c.group_id == SYSTEM_WIDE)
    chosen = sa.and_(step.covers(_contact.c.id), is_active(), _contact.c.id.in_(opened))
    step.tell(ChangeKind.DEACTIVATED, sa.select(_contact.c.id).where(chosen))
    inactive = {"status": Status.INACTIVE, "updated": step.now}
    step.do(sa.update(_contact).where(chosen).values(inactive))


def _set_members_inactive(step: plans.Step) -> None:
    """In the group of a deactivation the membership says so, even one that was an override."""
    key = (_item.c.contact_id, _item.c.group_id)
    opened = _opened(step, *key).where(_item.c.group_id != SYSTEM_WIDE)
    inactive = MembershipState.INACTIVE
    membership = sa.tuple_(_membership.c.contact_id, _membership.c.group_id)
    step.set_members(sa.and_(_membership.c.state != inactive, membership.in_(opened)), inactive)


APPLYING_THRESHOLDS = plans.BatchWork(
    threshold_outcome,
    threshold_deactivate,
    rights=(("INSERT", "deactivation"), ("UPDATE", "contact"), ("UPDATE", "membership")),
    losing=_losing,
    impact=losses_of_plan,
    by_rule=plans.planned_by_rule,
)
