"""Runs that carry out handling rules: the plan of what is due, and its batches."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import (
    ColumnElement,
    Connection,
    Integer,
    Text,
    and_,
    case,
    delete,
    distinct,
    exists,
    func,
    insert,
    literal,
    not_,
    select,
    tuple_,
    update,
)

from contactctl.domain.changes import ChangeKind
from contactctl.domain.contacts import MembershipState, Origin, Status
from contactctl.domain.handling import TimedRule
from contactctl.domain.policies import HandlingAction
from contactctl.domain.run_kinds import HandlingRun
from contactctl.domain.runs import Run, SkipReason
from contactctl.store import tables
from contactctl.store.changes import note_each
from contactctl.store.groups import end_memberships
from contactctl.store.handling.due import complained, due_under, governs
from contactctl.store.plans import (
    Batch,
    BatchOutcome,
    BatchWork,
    in_batch,
    planned_by_rule,
    planned_contacts,
)
from contactctl.store.predicates import is_open, is_within
from contactctl.store.runs import update_run
from contactctl.store.tables import SYSTEM_WIDE

_contact = tables.contact
_deactivation = tables.deactivation
_membership = tables.membership
_item = tables.plan_item


def plan_handling(connection: Connection, run_id: int, rules: Sequence[TimedRule]) -> int:
    """Freeze what is due, one item for each deactivation to end and membership to remove.

    Returns the number of contacts.
    """
    columns = ["contact_id", "group_id", "category", "run_id", "action", "revision"]
    for rule in rules:
        due = due_under(rule).add_columns(
            literal(run_id, Integer), literal(rule.action.value, Text), literal(0, Integer)
        )
        # two deactivations of one category are one item, as are two reasons for one removal
        connection.execute(insert(_item).from_select(columns, due.distinct()))
    return planned_contacts(connection, run_id)


def planned_returning(connection: Connection, run: Run) -> int:
    """How many contacts a handling plan brings back, those apart that return to a group alone."""
    statement = select(func.count(distinct(_item.c.contact_id))).where(
        _item.c.run_id == run.id,
        _item.c.action == HandlingAction.REACTIVATE,
        _item.c.group_id == SYSTEM_WIDE,
    )
    return int(connection.execute(statement).scalar_one())


def handling_outcome(connection: Connection, run: Run, batch: Batch) -> BatchOutcome:
    """How many of the batch's contacts are still to be changed; items that no longer hold go."""
    connection.execute(
        delete(_item).where(in_batch(run.id, batch), not_(_still_holds(_rules_of(run))))
    )
    remaining = _contacts_in(connection, run, batch)
    gone = batch.contacts - remaining
    return BatchOutcome(remaining, {SkipReason.CHANGED: gone} if gone else {})


def handle(connection: Connection, run: Run, batch: Batch, now: datetime) -> int:
    """End the deactivations and memberships of the batch's items; returns how many contacts."""
    rules = _rules_of(run)
    contacts = _contacts_in(connection, run, batch)
    results = {
        "ended": _end_deactivations(connection, run, batch, now),
        "reactivated": _reactivate_contacts(connection, run, batch, now),
    }
    if any(rule.action is HandlingAction.REMOVE_FROM_GROUP for rule in rules):
        results["removed"] = _remove_memberships(connection, run, batch, now)
    results["reactivated_in_groups"] = _reactivate_memberships(connection, run, batch, now)
    if results["reactivated"] < contacts:
        _mark_changed(connection, run, batch, now)
    _add_results(connection, run, results)
    return contacts


def _rules_of(run: Run) -> tuple[TimedRule, ...]:
    """The rules that a handling run was planned by."""
    return run.details_as(HandlingRun).rules


def _ends_by_rule() -> ColumnElement[bool]:
    """Open, and opened by a threshold. Written so that SQLite finds it by the contact's key: the
    partial index leads to all contacts of the category."""
    origin = func.coalesce(_deactivation.c.origin, "")
    return and_(is_open(), origin == Origin.THRESHOLD.value)


def _still_holds(rules: Sequence[TimedRule]) -> ColumnElement[bool]:
    """True for an item that would be planned again now."""
    mine = and_(
        _deactivation.c.contact_id == _item.c.contact_id,
        _deactivation.c.category == _item.c.category,
        _ends_by_rule(),
        _deactivation.c.started_at <= _cutoff(rules, _item.c.category, _item.c.group_id),
    )
    ends = exists().where(mine, _deactivation.c.group_id == _item.c.group_id)
    removes = exists().where(
        mine, _deactivation.c.group_id.in_((literal(SYSTEM_WIDE), _item.c.group_id))
    )
    is_member = exists().where(
        _membership.c.contact_id == _item.c.contact_id,
        _membership.c.group_id == _item.c.group_id,
        _membership.c.state != MembershipState.ACTIVE,
    )
    return case(
        (
            _item.c.action == HandlingAction.REACTIVATE,
            and_(ends, not_(complained(_item.c.contact_id))),
        ),
        else_=and_(is_member, removes),
    )


def _cutoff(
    rules: Sequence[TimedRule], category: ColumnElement[str], group_id: ColumnElement[int]
) -> ColumnElement[datetime]:
    """The instant up to which deactivations must have started; one rule holds in each scope."""
    return case(
        *(
            (
                and_(category == rule.category, governs(rule, group_id)),
                literal(rule.cutoff, _deactivation.c.started_at.type),
            )
            for rule in rules
        )
    )


def _contacts_in(connection: Connection, run: Run, batch: Batch) -> int:
    statement = select(func.count(distinct(_item.c.contact_id))).where(in_batch(run.id, batch))
    return int(connection.execute(statement).scalar_one())


def _end_deactivations(connection: Connection, run: Run, batch: Batch, now: datetime) -> int:
    planned = select(_item.c.contact_id, _item.c.group_id, _item.c.category).where(
        in_batch(run.id, batch), _item.c.action == HandlingAction.REACTIVATE
    )
    key = tuple_(_deactivation.c.contact_id, _deactivation.c.group_id, _deactivation.c.category)
    cutoff = _cutoff(_rules_of(run), _deactivation.c.category, _deactivation.c.group_id)
    return connection.execute(
        update(_deactivation)
        .where(
            is_within(batch, _deactivation.c.contact_id),
            key.in_(planned),
            _ends_by_rule(),
            _deactivation.c.started_at <= cutoff,
        )
        .values(ended_at=now, ended_by_run_id=run.id)
    ).rowcount


def _reactivate_contacts(connection: Connection, run: Run, batch: Batch, now: datetime) -> int:
    """Active again where nothing else is open; only then earlier responses count no more."""
    ended_for = select(_item.c.contact_id).where(
        in_batch(run.id, batch),
        _item.c.action == HandlingAction.REACTIVATE,
        _item.c.group_id == SYSTEM_WIDE,
    )
    chosen = and_(
        is_within(batch, _contact.c.id),
        _contact.c.id.in_(ended_for),
        not_(_is_open_in(_contact.c.id, literal(SYSTEM_WIDE, Integer))),
    )
    back = select(_contact.c.id).where(chosen, _contact.c.status == Status.INACTIVE)
    note_each(connection, run.id, ChangeKind.REACTIVATED, back, now)
    return connection.execute(
        update(_contact)
        .where(chosen)
        .values(
            status=Status.ACTIVE, reactivated_at=now, updated=now, revision=_contact.c.revision + 1
        )
    ).rowcount


def _reactivate_memberships(connection: Connection, run: Run, batch: Batch, now: datetime) -> int:
    chosen = and_(
        in_batch(run.id, batch),
        _item.c.action == HandlingAction.REACTIVATE,
        _item.c.group_id != SYSTEM_WIDE,
        _membership.c.contact_id == _item.c.contact_id,
        _membership.c.group_id == _item.c.group_id,
        _membership.c.state == MembershipState.INACTIVE,
        not_(_is_open_in(_membership.c.contact_id, _membership.c.group_id)),
    )
    follows = MembershipState.FOLLOWS
    told = select(_membership.c.contact_id, _membership.c.group_id, literal(follows.value))
    note_each(connection, run.id, ChangeKind.REACTIVATED, told.where(chosen).distinct(), now)
    return connection.execute(
        update(_membership).where(chosen).values(state=follows, reactivated_at=now)
    ).rowcount


def _remove_memberships(connection: Connection, run: Run, batch: Batch, now: datetime) -> int:
    """The contact stays, and so do deactivations in that group, should it ever come back."""
    removal = exists().where(
        in_batch(run.id, batch),
        _item.c.action == HandlingAction.REMOVE_FROM_GROUP,
        _item.c.contact_id == _membership.c.contact_id,
        _item.c.group_id == _membership.c.group_id,
    )
    chosen = and_(is_within(batch, _membership.c.contact_id), removal)
    return end_memberships(connection, chosen, run.id, now)


def _mark_changed(connection: Connection, run: Run, batch: Batch, now: datetime) -> None:
    """Tell other plans and readers whose memberships have changed."""
    in_groups = select(_item.c.contact_id).where(
        in_batch(run.id, batch), _item.c.group_id != SYSTEM_WIDE
    )
    connection.execute(
        update(_contact)
        .where(_contact.c.id.in_(in_groups))
        .values(revision=_contact.c.revision + 1, updated=now)
    )


def _is_open_in(
    contact_id: ColumnElement[int], group_id: ColumnElement[int]
) -> ColumnElement[bool]:
    opened = _deactivation.alias()
    return exists().where(
        opened.c.contact_id == contact_id,
        opened.c.group_id == group_id,
        is_open(opened),
    )


def _add_results(connection: Connection, run: Run, results: Mapping[str, int]) -> None:
    totals = {name: run.results.get(name, 0) + number for name, number in results.items()}
    update_run(connection, run.id, {"results": totals})


HANDLING = BatchWork(
    handling_outcome,
    handle,
    rights=(
        ("UPDATE", "deactivation"),
        ("UPDATE", "contact"),
        ("UPDATE", "membership"),
        ("DELETE", "membership"),
        ("INSERT", "former_membership"),
    ),
    returning=planned_returning,
    by_rule=planned_by_rule,
)
