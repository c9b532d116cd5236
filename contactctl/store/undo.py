"""Taking a whole run back: its plan, its batches, and what it gives back."""

from collections.abc import Collection
from typing import Any

import sqlalchemy as sa

from contactctl.domain.changes import ChangeKind
from contactctl.domain.contacts import MembershipState, Status
from contactctl.domain.run_kinds import UndoRun
from contactctl.domain.runs import Run, SkipReason
from contactctl.store import plans, tables
from contactctl.store.impact import Shift, members_by_group
from contactctl.store.predicates import how_many, is_active, is_open, is_open_of
from contactctl.store.tables import SYSTEM_WIDE

_contact = tables.contact
_deactivation = tables.deactivation
_item = tables.plan_item
_membership = tables.membership


def undoable_ids(undone: int) -> sa.Select[int]:
    """The contacts that `undone` deactivated, and where nothing has touched that since."""
    # automatic runs may have opened several, one for each category
    mine = is_only_reason_of(undone, _deactivation)
    return sa.select(_deactivation.c.contact_id).where(mine).distinct()


def plan_undo(undone: int) -> plans.WritePlan:
    """What freezes these."""
    return plans.plan_of(_contact.c.id.in_(undoable_ids(undone)))


def undo_outcome(step: plans.Step) -> plans.BatchOutcome:
    """How many of the batch can be taken back: nothing else has happened to their status since."""
    undone = step.run.details_as(UndoRun).undoes
    reason = sa.case((_is_untouched(step, undone), ""), else_=SkipReason.CHANGED)
    statement = sa.select(reason, sa.func.count()).where(step.items).group_by(reason)
    return plans.outcome_by_reason(step.connection, statement)


def undo_deactivations(step: plans.Step) -> int:
    """End what the undone run opened for the batch's contacts; returns how many it was.

    Responses from before count towards no threshold any more: the next sweep would only do again
    what was taken back.
    """
    mine = is_only_reason_of(step.run.details_as(UndoRun).undoes, _deactivation)
    step.do(
        sa.update(_deactivation)
        .where(mine, _deactivation.c.contact_id.in_(step.contact_ids))
        .values(ended_at=step.now, ended_by_run_id=step.run.id)
    )
    _bring_back_members(step)
    ended = _ended_by(step).subquery("ended")
    is_of_ended = _contact.c.id == ended.c.contact_id
    is_inactive = _contact.c.status == Status.INACTIVE
    back = sa.select(_contact.c.id).where(is_of_ended, is_inactive, ~ended.c.is_open)
    step.tell(ChangeKind.REACTIVATED, back)
    return step.change_contacts(
        is_of_ended,
        status=sa.case((ended.c.is_open, _contact.c.status), else_=Status.ACTIVE),
        reactivated_at=sa.case((ended.c.is_back, step.now), else_=_contact.c.reactivated_at),
    )


def is_only_reason_of(run_id: int, table: sa.FromClause) -> sa.ColumnElement[bool]:
    """True for a deactivation that this run opened, and without which nothing is open there."""
    return sa.and_(is_open_of(run_id, table), ~_other_reason(run_id, table))


def regains_of_undo(
    connection: sa.Connection, undone: int, contact_ids: sa.Select[int], bypassing: Collection[int]
) -> Shift:
    """When the run `undone` is taken back for these contacts; groups that bypass system-wide
    deactivation (`bypassing`, by id) regain nobody by it."""
    chosen = _contact.c.id.in_(contact_ids)
    comes_back = sa.and_(_contact.c.status == Status.INACTIVE, _ends_in(undone, SYSTEM_WIDE))
    follows_back = sa.and_(
        _membership.c.state == MembershipState.FOLLOWS,
        _membership.c.group_id.not_in(bypassing),
        comes_back,
    )
    back_in_group = sa.and_(
        _membership.c.state == MembershipState.INACTIVE,
        _ends_in(undone, _membership.c.group_id),
        sa.or_(is_active(), comes_back, _membership.c.group_id.in_(bypassing)),
    )
    return Shift(
        how_many(connection, _contact, chosen, comes_back),
        members_by_group(connection, sa.and_(chosen, sa.or_(follows_back, back_in_group))),
        brings_back=True,
    )


def _ends_in(undone: int, group_id: sa.ColumnElement[int] | int) -> sa.ColumnElement[bool]:
    """True where the run's deactivation is the only one that keeps the contact back there."""
    return sa.exists().where(
        _deactivation.c.contact_id == _contact.c.id,
        _deactivation.c.group_id == group_id,
        is_only_reason_of(undone, _deactivation),
    )


def _is_untouched(step: plans.Step, undone: int) -> sa.ColumnElement[bool]:
    """True where the undone run's deactivation is still the only open one of its scope. The stretch
    of ids once more, as Postgres makes a list of all that are."""
    mine = _deactivation.alias()
    return sa.exists().where(
        mine.c.contact_id == _item.c.contact_id,
        step.covers(mine.c.contact_id),
        is_only_reason_of(undone, mine),
        mine.c.contact_id == _contact.c.id,
    )


def _other_reason(undone: int, mine: sa.FromClause) -> sa.ColumnElement[bool]:
    """True where another run's deactivation of the same contact and scope is open."""
    other = _deactivation.alias()
    return sa.exists().where(
        other.c.contact_id == mine.c.contact_id,
        other.c.group_id == mine.c.group_id,
        other.c.run_id != undone,
        is_open(other),
    )


def _ended_by(step: plans.Step) -> sa.Select[Any]:
    """The contacts of the batch of which this run has ended a deactivation: whether a system-wide
    one of it `is_back`, and whether another system-wide one `is_open` still."""
    everywhere = _deactivation.c.group_id == SYSTEM_WIDE
    mine = _deactivation.c.ended_by_run_id == step.run.id
    return (
        sa.select(
            _deactivation.c.contact_id,
            _any(sa.and_(everywhere, mine)).label("is_back"),
            _any(sa.and_(everywhere, is_open())).label("is_open"),
        )
        .where(step.covers(_deactivation.c.contact_id))
        .group_by(_deactivation.c.contact_id)
        .having(_any(mine))
    )


def _any(condition: sa.ColumnElement[bool]) -> sa.ColumnElement[bool]:
    """Whether it is true of a row of the group, on either database."""
    return sa.func.max(sa.case((condition, 1), else_=0)) == 1


def _bring_back_members(step: plans.Step) -> None:
    ended_here = sa.exists().where(
        _deactivation.c.ended_by_run_id == step.run.id,
        _deactivation.c.contact_id == _membership.c.contact_id,
        _deactivation.c.group_id == _membership.c.group_id,
    )
    is_inactive = _membership.c.state == MembershipState.INACTIVE
    chosen = sa.and_(step.covers(_membership.c.contact_id), is_inactive, ended_here)
    step.set_members(chosen, MembershipState.FOLLOWS)


def _regains_of_plan(connection: sa.Connection, run: Run, bypassing: Collection[int]) -> Shift:
    undone = run.details_as(UndoRun).undoes
    return regains_of_undo(connection, undone, plans.planned_ids(run.id), bypassing)


UNDOING = plans.BatchWork(
    undo_outcome,
    undo_deactivations,
    rights=(("UPDATE", "deactivation"), ("UPDATE", "contact"), ("UPDATE", "membership")),
    returning=lambda _connection, run: run.planned,
    impact=_regains_of_plan,
)
