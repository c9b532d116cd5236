"""Runs that carry out thresholds: the plan of what is due, and its batches."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Integer,
    Select,
    and_,
    case,
    distinct,
    exists,
    func,
    insert,
    literal,
    or_,
    select,
    update,
)

from contactctl.domain.contacts import MembershipState, Origin, Status
from contactctl.domain.runs import Request, Run, RunKind, RunState, SkipReason
from contactctl.store import tables
from contactctl.store.planner import refresh_statistics
from contactctl.store.plans import (
    Batch,
    BatchOutcome,
    in_batch,
    outcome_by_reason,
)
from contactctl.store.runs import get_run, insert_run, update_run
from contactctl.store.store import Store
from contactctl.store.tables import SYSTEM_WIDE
from contactctl.store.threshold_sql import ContactIds
from contactctl.store.totals import count_active
from contactctl.store.types import UtcInstant

_contact = tables.contact
_deactivation = tables.deactivation
_item = tables.plan_item
_membership = tables.membership
_run = tables.run

TAKEN_BACK = "taken_back"  # run.results of contacts that an incident made active again

# (waiting plans, runs whose responses have not been judged) -> what is due
DuePlan = Callable[[Sequence[int], Sequence[int]], Select[int, int, str, int]]


@dataclass(frozen=True, slots=True)
class Expiry:
    """Why a plan must wait for somebody to confirm it, and until when it does."""

    message: str
    at: datetime


@dataclass(frozen=True, slots=True)
class DayBefore:
    """What automatic runs have done within 24 hours: `spent` contacts were deactivated, of
    `active_at_start`."""

    spent: int
    active_at_start: int


# (contacts that lose something, active total, the day before) -> None: carry the plan out
Judge = Callable[[int, int, DayBefore], Expiry | None]


@dataclass(frozen=True, slots=True)
class PlannedThresholds:
    """What is due: `run` is new, `running` or waiting; `waiting` are the plans made before.

    `left` contacts are due beside them, and must wait until these have been dealt with.
    """

    run: Run | None
    waiting: tuple[int, ...]
    left: int = 0


class _NotNowError(Exception):
    """Takes the run row back with the transaction; `left` contacts must wait."""

    def __init__(self, left: int) -> None:
        super().__init__(left)
        self.left = left


def write_threshold_plan(
    store: Store, request: Request, due: DuePlan, judge: Judge, now: datetime
) -> PlannedThresholds:
    """Freeze what is due as a run, in one transaction, without what another plan waits with.

    Where nothing else is due, no run is left; nor where it would be a second plan that waits: one
    at a time is enough to be looked at.
    """
    waiting: tuple[int, ...] = ()
    try:
        with store.writing(snapshot=True) as connection:
            run_id = insert_run(
                connection, request, state=RunState.RUNNING, identity=store.identity, now=now
            )
            waiting = waiting_plans(connection, now)
            _write_items(connection, run_id, due(waiting, _unjudged_runs(connection)))
            planned, must_wait = _settle(connection, run_id, judge, now)
            if planned == 0 or (must_wait and waiting):
                raise _NotNowError(planned)
            refresh_statistics(connection, "plan_item")
            return PlannedThresholds(get_run(connection, run_id), waiting)
    except _NotNowError as nothing:
        return PlannedThresholds(None, waiting, nothing.left)


def day_before(connection: Connection, now: datetime, active_total: int) -> DayBefore:
    """What thresholds have deactivated by themselves; what an incident took back does not count,
    nor what somebody has confirmed."""
    statement = (
        select(_run.c.changed, _run.c.results, _run.c.active_before)
        .where(
            _run.c.kind == RunKind.THRESHOLDS,
            _run.c.started_at > now - timedelta(hours=24),
            _run.c.expires_at.is_(None),
            _run.c.changed > 0,
        )
        .order_by(_run.c.id)
    )
    rows = connection.execute(statement).all()
    at_start = rows[0].active_before if rows else None
    spent = sum(row.changed - row.results.get(TAKEN_BACK, 0) for row in rows)
    return DayBefore(spent, at_start or active_total)


def _unjudged_runs(connection: Connection) -> list[int]:
    """The ingests at work, and those cut short: whether their responses are a burst is judged when
    all are there."""
    any_unjudged = connection.execute(select(tables.unjudged_hour.c.hour).limit(1)).first()
    is_unjudged = _run.c.state == RunState.RUNNING
    if any_unjudged is not None:
        is_unjudged = or_(is_unjudged, exists().where(_item.c.run_id == _run.c.id))
    statement = select(_run.c.id).where(_run.c.kind == RunKind.INGEST, is_unjudged)
    return list(connection.execute(statement).scalars())


def waiting_plans(connection: Connection, now: datetime) -> tuple[int, ...]:
    """The numbers of the threshold runs that wait for their confirmation."""
    statement = select(_run.c.id).where(
        _run.c.kind == RunKind.THRESHOLDS,
        _run.c.state == RunState.PLANNED,
        _run.c.expires_at > now,
    )
    return tuple(connection.execute(statement).scalars())


def any_planned(
    connection: Connection, run_ids: Sequence[int], contact_ids: ContactIds | None
) -> bool:
    """Whether a plan of these runs holds one of the contacts (None: any contact)."""
    if not run_ids:
        return False
    statement = select(_item.c.contact_id).where(_item.c.run_id.in_(run_ids)).limit(1)
    if contact_ids is not None:
        statement = statement.where(_item.c.contact_id.in_(contact_ids))
    return connection.execute(statement).first() is not None


def plans_holding(connection: Connection, contact_id: int, now: datetime) -> list[int]:
    """The waiting plans that would deactivate this contact."""
    of_contact = select(literal(contact_id).label("contact_id"))
    return [
        run_id
        for run_id in waiting_plans(connection, now)
        if any_planned(connection, [run_id], of_contact)
    ]


def threshold_outcome(connection: Connection, run: Run, batch: Batch) -> BatchOutcome:
    """How many of the batch's contacts get a deactivation, and why the others get none."""
    reason = case(
        (_contact.c.id.is_(None), SkipReason.GONE),
        (_contact.c.revision != _item.c.revision, SkipReason.CHANGED),
        (_is_open_already(), SkipReason.NOT_ACTIVE),
        else_="",
    )
    of_contact = (
        select(func.min(reason).label("reason"))
        .select_from(_item.outerjoin(_contact, _contact.c.id == _item.c.contact_id))
        .where(in_batch(run.id, batch))
        .group_by(_item.c.contact_id)
        .subquery()
    )
    statement = select(of_contact.c.reason, func.count()).group_by(of_contact.c.reason)
    return outcome_by_reason(connection, statement)


def threshold_deactivate(connection: Connection, run: Run, batch: Batch, now: datetime) -> int:
    """Open the batch's deactivations that are still due; returns how many contacts got one."""
    opened = (
        select(
            _item.c.contact_id,
            _item.c.group_id,
            _item.c.run_id,
            _item.c.category,
            literal(Origin.THRESHOLD.value),
            literal(now, UtcInstant),
        )
        .join_from(_item, _contact, _contact.c.id == _item.c.contact_id)
        .where(
            in_batch(run.id, batch),
            _contact.c.revision == _item.c.revision,
            ~_is_open_already(),
        )
    )
    columns = ["contact_id", "group_id", "run_id", "category", "origin", "started_at"]
    connection.execute(insert(_deactivation).from_select(columns, opened))
    _set_contacts_inactive(connection, run, batch)
    _set_members_inactive(connection, run, batch)
    opened_here = select(func.count(distinct(_deactivation.c.contact_id))).where(
        _opened_by(run, batch)
    )
    return int(connection.execute(opened_here).scalar_one())


def _write_items(connection: Connection, run_id: int, due: Select[int, int, str, int]) -> None:
    found = due.subquery("due")
    items = select(
        found.c.contact_id,
        literal(run_id, Integer),
        found.c.scope,
        found.c.category,
        found.c.revision,
    )
    columns = ["contact_id", "run_id", "group_id", "category", "revision"]
    connection.execute(insert(_item).from_select(columns, items))


def _settle(connection: Connection, run_id: int, judge: Judge, now: datetime) -> tuple[int, bool]:
    """Count the plan's contacts, and make it wait where `judge` says so; the count, and whether."""
    planned = connection.execute(
        select(func.count(distinct(_item.c.contact_id))).where(_item.c.run_id == run_id)
    ).scalar_one()
    active_total = count_active(connection)
    values: dict[str, Any] = {"planned": planned, "active_before": active_total}
    before = day_before(connection, now, active_total)
    expiry = judge(_losing(connection, run_id), active_total, before)
    if expiry is not None:
        values |= {
            "state": RunState.PLANNED,
            "started_at": None,
            "applied_by": None,
            "message": expiry.message,
            "expires_at": expiry.at,
        }
    update_run(connection, run_id, values)
    return int(planned), expiry is not None


def _losing(connection: Connection, run_id: int) -> int:
    """The contacts that lose something: a further reason for an inactive one changes nothing."""
    statement = (
        select(func.count(distinct(_item.c.contact_id)))
        .join_from(_item, _contact, _contact.c.id == _item.c.contact_id)
        .where(
            _item.c.run_id == run_id,
            or_(_contact.c.status == Status.ACTIVE, _item.c.group_id != SYSTEM_WIDE),
        )
    )
    return int(connection.execute(statement).scalar_one())


def _is_open_already() -> ColumnElement[bool]:
    return exists().where(
        _deactivation.c.contact_id == _item.c.contact_id,
        _deactivation.c.group_id == _item.c.group_id,
        _deactivation.c.category == _item.c.category,
        _deactivation.c.ended_at.is_(None),
    )


def _opened_by(run: Run, batch: Batch) -> ColumnElement[bool]:
    return and_(
        _deactivation.c.run_id == run.id,
        _deactivation.c.contact_id > batch.after,
        _deactivation.c.contact_id <= batch.last,
        _deactivation.c.ended_at.is_(None),
    )


def _set_contacts_inactive(connection: Connection, run: Run, batch: Batch) -> None:
    opened = select(_deactivation.c.contact_id).where(
        _opened_by(run, batch), _deactivation.c.group_id == SYSTEM_WIDE
    )
    connection.execute(
        update(_contact)
        .where(
            _contact.c.id > batch.after,
            _contact.c.id <= batch.last,
            _contact.c.status == Status.ACTIVE,
            _contact.c.id.in_(opened),
        )
        .values(status=Status.INACTIVE)
    )


def _set_members_inactive(connection: Connection, run: Run, batch: Batch) -> None:
    """In the group of a deactivation the membership says so, even one that was an override."""
    opened = exists().where(
        _opened_by(run, batch),
        _deactivation.c.contact_id == _membership.c.contact_id,
        _deactivation.c.group_id == _membership.c.group_id,
    )
    connection.execute(
        update(_membership)
        .where(
            _membership.c.contact_id > batch.after,
            _membership.c.contact_id <= batch.last,
            opened,
        )
        .values(state=MembershipState.INACTIVE)
    )
