"""Opening and ending deactivations in batches, contact status and deactivations together."""

from datetime import datetime

from sqlalchemy import (
    ColumnElement,
    Connection,
    FromClause,
    Integer,
    Select,
    Text,
    and_,
    case,
    exists,
    func,
    insert,
    literal,
    select,
    update,
)

from contactctl.domain.contacts import MembershipState, Origin, Status
from contactctl.domain.runs import Run, SkipReason
from contactctl.store import tables
from contactctl.store.plans import Batch, BatchOutcome, in_batch, outcome_by_reason
from contactctl.store.predicates import is_active, is_open, is_open_system_wide, is_within
from contactctl.store.tables import SYSTEM_WIDE
from contactctl.store.types import UtcInstant

_contact = tables.contact
_deactivation = tables.deactivation
_item = tables.plan_item
_membership = tables.membership

_AS_SHOWN = and_(
    _contact.c.id == _item.c.contact_id,
    is_active(),
    _contact.c.revision == _item.c.revision,
)


def bulk_outcome(connection: Connection, run: Run, batch: Batch) -> BatchOutcome:
    """How many of the batch are still as they were shown, and why the others are left alone."""
    same_contact = and_(_contact.c.id == _item.c.contact_id, *_id_range(connection, batch))
    reason = case(
        (_contact.c.id.is_(None), SkipReason.GONE),
        (_contact.c.status != Status.ACTIVE, SkipReason.NOT_ACTIVE),
        (_contact.c.revision != _item.c.revision, SkipReason.CHANGED),
        else_="",
    )
    statement = (
        select(reason, func.count())
        .select_from(_item.outerjoin(_contact, same_contact))
        .where(in_batch(run.id, batch))
        .group_by(reason)
    )
    return outcome_by_reason(connection, statement)


def bulk_deactivate(connection: Connection, run: Run, batch: Batch, now: datetime) -> int:
    """Deactivate the batch's contacts that are still as shown, system-wide; returns how many."""
    reasons = (
        select(
            _item.c.contact_id,
            literal(SYSTEM_WIDE, Integer),
            literal(run.id, Integer),
            literal("", Text),
            literal(Origin.BULK.value, Text),
            literal(now, UtcInstant),
        )
        .join_from(_item, _contact, _AS_SHOWN)
        .where(in_batch(run.id, batch), *_id_range(connection, batch))
    )
    columns = ["contact_id", "group_id", "run_id", "category", "origin", "started_at"]
    opened = connection.execute(insert(_deactivation).from_select(columns, reasons)).rowcount
    _set_inactive(connection, run, batch)
    return opened


def undo_outcome(connection: Connection, run: Run, batch: Batch) -> BatchOutcome:
    """How many of the batch can be taken back: nothing else has happened to their status since."""
    undone = undone_run_id(run)
    reason = case((_untouched(undone, _item.c.contact_id), ""), else_=SkipReason.CHANGED)
    statement = select(reason, func.count()).where(in_batch(run.id, batch)).group_by(reason)
    return outcome_by_reason(connection, statement)


def undo_deactivations(connection: Connection, run: Run, batch: Batch, now: datetime) -> int:
    """End what the undone run opened for the batch's contacts; returns how many it was.

    Responses from before count towards no threshold any more: the next sweep would only do again
    what was taken back.
    """
    undone = undone_run_id(run)
    connection.execute(
        update(_deactivation)
        .where(
            is_only_reason_of(undone, _deactivation),
            _deactivation.c.contact_id.in_(
                select(_item.c.contact_id).where(in_batch(run.id, batch))
            ),
        )
        .values(ended_at=now, ended_by_run_id=run.id)
    )
    _bring_back_members(connection, run, batch, now)
    everywhere = _ended_by(run, batch).where(_deactivation.c.group_id == SYSTEM_WIDE)
    back_at = case((_contact.c.id.in_(everywhere), now), else_=_contact.c.reactivated_at)
    return connection.execute(
        update(_contact)
        .where(_contact.c.id.in_(_ended_by(run, batch)))
        .values(
            status=case((open_system_wide(_contact.c.id), _contact.c.status), else_=Status.ACTIVE),
            reactivated_at=back_at,
            revision=_contact.c.revision + 1,
        )
    ).rowcount


def plan_undo(connection: Connection, run_id: int, undone: int) -> int:
    """Freeze the contacts that `undone` deactivated, and where nothing has touched that since."""
    chosen = (
        select(_deactivation.c.contact_id, literal(run_id, Integer), _contact.c.revision)
        .join(_contact, _contact.c.id == _deactivation.c.contact_id)
        .where(is_only_reason_of(undone, _deactivation))
        .distinct()  # automatic runs may have opened several, one for each category
    )
    statement = insert(_item).from_select(["contact_id", "run_id", "revision"], chosen)
    return connection.execute(statement).rowcount


def undoable_ids(undone: int) -> Select[int]:
    """The contacts that `plan_undo` would freeze now."""
    return (
        select(_deactivation.c.contact_id)
        .where(is_only_reason_of(undone, _deactivation))
        .distinct()
    )


def is_only_reason_of(run_id: int, table: FromClause) -> ColumnElement[bool]:
    """True for a deactivation that this run opened, and without which nothing is open there."""
    return and_(_is_open_of(run_id, table), ~_other_reason(run_id, table))


def undone_run_id(run: Run) -> int:
    """The number of the run that an undo run takes back."""
    return int(str(run.details["undoes"]))


def open_system_wide(contact_id: ColumnElement[int]) -> ColumnElement[bool]:
    """True where a system-wide deactivation of the contact is open."""
    other = _deactivation.alias()
    return exists().where(
        other.c.contact_id == contact_id,
        is_open_system_wide(other),
    )


def _untouched(undone: int, contact_id: ColumnElement[int]) -> ColumnElement[bool]:
    """True where the undone run's deactivation is still the only open one of its scope."""
    mine = _deactivation.alias()
    return exists().where(mine.c.contact_id == contact_id, is_only_reason_of(undone, mine))


def _is_open_of(run_id: int, table: FromClause) -> ColumnElement[bool]:
    """True for a deactivation that this run opened and nobody has ended."""
    return and_(table.c.run_id == run_id, is_open(table))


def _other_reason(undone: int, mine: FromClause) -> ColumnElement[bool]:
    """True where another run's deactivation of the same contact and scope is open."""
    other = _deactivation.alias()
    return exists().where(
        other.c.contact_id == mine.c.contact_id,
        other.c.group_id == mine.c.group_id,
        other.c.run_id != undone,
        is_open(other),
    )


def _ended_by(run: Run, batch: Batch) -> Select[int]:
    """The contacts of the batch of which this run has ended a deactivation."""
    return select(_deactivation.c.contact_id).where(
        _deactivation.c.ended_by_run_id == run.id,
        is_within(batch, _deactivation.c.contact_id),
    )


def _bring_back_members(connection: Connection, run: Run, batch: Batch, now: datetime) -> None:
    ended_here = exists().where(
        _deactivation.c.ended_by_run_id == run.id,
        _deactivation.c.contact_id == _membership.c.contact_id,
        _deactivation.c.group_id == _membership.c.group_id,
    )
    connection.execute(
        update(_membership)
        .where(
            is_within(batch, _membership.c.contact_id),
            _membership.c.state == MembershipState.INACTIVE,
            ended_here,
        )
        .values(state=MembershipState.FOLLOWS, reactivated_at=now)
    )


def _id_range(connection: Connection, batch: Batch) -> list[ColumnElement[bool]]:
    """For Postgres, which then can read a dense batch's contacts as one stretch.

    SQLite would always do so, and a sparse batch's stretch can be the whole table.
    """
    if connection.dialect.name != "postgresql":
        return []
    return [is_within(batch, _contact.c.id)]


def _set_inactive(connection: Connection, run: Run, batch: Batch) -> None:
    if connection.dialect.name == "postgresql":
        as_shown = (_AS_SHOWN, in_batch(run.id, batch), *_id_range(connection, batch))
        connection.execute(update(_contact).where(*as_shown).values(status=Status.INACTIVE))
        return
    opened = select(_deactivation.c.contact_id).where(
        _is_open_of(run.id, _deactivation),
        _deactivation.c.group_id == SYSTEM_WIDE,
        is_within(batch, _deactivation.c.contact_id),
    )
    connection.execute(
        update(_contact).where(_contact.c.id.in_(opened)).values(status=Status.INACTIVE)
    )
