"""Handling rules as SQL: what is due under each, and the runs that carry them out.

domain.handling says what is due of whom.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from contactctl.domain.changes import ChangeKind
from contactctl.domain.contacts import MembershipState, Origin, Status
from contactctl.domain.handling import TimedRule
from contactctl.domain.policies import HandlingAction
from contactctl.domain.responses import Category
from contactctl.domain.run_kinds import HandlingRun
from contactctl.domain.runs import Run, SkipReason
from contactctl.store import plans, tables
from contactctl.store.groups import end_memberships
from contactctl.store.predicates import has_open, is_open, one_number
from contactctl.store.runs import update_run
from contactctl.store.tables import SYSTEM_WIDE

_contact = tables.contact
_deactivation = tables.deactivation
_item = tables.plan_item
_membership = tables.membership
_response = tables.response

_EMAIL = "email"  # the only channel whose complaints count


def anything_due(connection: sa.Connection, rules: Sequence[TimedRule]) -> bool:
    """Whether a sweep has anything to do; stops at the first contact."""
    return any(connection.execute(due_under(rule).limit(1)).first() for rule in rules)


@dataclass(frozen=True, slots=True)
class DueContacts:
    """How many contacts the rules would change; `returning` of them to where messages reach them,
    those apart that return to a group alone."""

    contacts: int = 0
    returning: int = 0


def count_handled(connection: sa.Connection, rules: Sequence[TimedRule]) -> DueContacts:
    """How many contacts the rules would change now."""
    if not rules:
        return DueContacts()
    due = sa.union_all(
        *(
            due_under(rule).add_columns(
                sa.literal_column("1" if rule.action is HandlingAction.REACTIVATE else "0").label(
                    "reactivates"
                )
            )
            for rule in rules
        )
    ).subquery()
    returning = sa.case(
        (sa.and_(due.c.reactivates == 1, due.c.group_id == SYSTEM_WIDE), due.c.contact_id)
    )
    statement = sa.select(
        sa.func.count(sa.distinct(due.c.contact_id)), sa.func.count(sa.distinct(returning))
    )
    return DueContacts(*connection.execute(statement).one())


def due_by_rule(
    connection: sa.Connection, rules: Sequence[TimedRule]
) -> list[tuple[str, str, int, int]]:
    """(action, category, group id, contacts) of what is due now, rule by rule."""
    counts = []
    for rule in rules:
        due = due_under(rule).subquery()
        statement = (
            sa.select(due.c.group_id, sa.func.count(sa.distinct(due.c.contact_id)))
            .group_by(due.c.group_id)
            .order_by(due.c.group_id)
        )
        counts += [
            (rule.action.value, rule.category.value, row[0], row[1])
            for row in connection.execute(statement)
        ]
    return counts


def due_contact_ids(rules: Sequence[TimedRule]) -> sa.Select[Any]:
    """The contacts that the rules would change now."""
    due = sa.union_all(*(due_under(rule) for rule in rules)).subquery()
    return sa.select(due.c.contact_id.cast(sa.Integer).label("id")).distinct()


def due_under(rule: TimedRule) -> sa.Select[Any]:
    """(contact_id, group_id, category) of all that is due under one rule."""
    if rule.action is HandlingAction.REACTIVATE:
        return sa.select(
            _deactivation.c.contact_id, _deactivation.c.group_id, _deactivation.c.category
        ).where(
            _waited_for(rule),
            governs(rule, _deactivation.c.group_id),
            sa.not_(complained(_deactivation.c.contact_id)),
        )
    held_in = sa.or_(
        _deactivation.c.group_id == SYSTEM_WIDE,
        _deactivation.c.group_id == _membership.c.group_id,
    )
    return (
        sa.select(_membership.c.contact_id, _membership.c.group_id, _deactivation.c.category)
        .join_from(
            _deactivation,
            _membership,
            sa.and_(_membership.c.contact_id == _deactivation.c.contact_id, held_in),
        )
        .where(
            _waited_for(rule),
            governs(rule, _membership.c.group_id),
            _membership.c.state != MembershipState.ACTIVE,
        )
    )


def governs(rule: TimedRule, group_id: sa.ColumnElement[int]) -> sa.ColumnElement[bool]:
    """True in the groups, or SYSTEM_WIDE, where this rule is the one that holds."""
    if rule.group_id is not None:
        return group_id == rule.group_id
    return group_id.not_in(rule.others) if rule.others else sa.literal_column("1") == 1


def complained(contact_id: sa.ColumnElement[int]) -> sa.ColumnElement[bool]:
    """True where a complaint by email is on record, or open as a deactivation."""
    opened = _deactivation.alias()
    return sa.or_(
        sa.exists().where(
            _response.c.contact_id == contact_id,
            _response.c.category == sa.literal_column(f"'{Category.SPAM_COMPLAINT.value}'"),
            _response.c.channel == sa.literal_column(f"'{_EMAIL}'"),
        ),
        sa.exists().where(
            opened.c.contact_id == contact_id,
            opened.c.category == Category.SPAM_COMPLAINT,
            is_open(opened),
        ),
    )


def _waited_for(rule: TimedRule) -> sa.ColumnElement[bool]:
    """Open deactivations of the rule's category whose clock has run out.

    Only what a threshold opened ends by rule; a literal, to use the partial index.
    """
    return sa.and_(
        is_open(),
        _deactivation.c.origin == sa.literal_column("'threshold'"),
        _deactivation.c.category == rule.category,
        _deactivation.c.started_at <= rule.cutoff,
    )


# Runs that carry out handling rules: the plan of what is due, and its batches


def plan_handling(rules: Sequence[TimedRule]) -> plans.WritePlan:
    """What freezes what is due, one item for each deactivation to end and membership to remove."""

    def write(connection: sa.Connection, run_id: int) -> int:
        columns = ["contact_id", "group_id", "category", "run_id", "action", "revision"]
        for rule in rules:
            due = due_under(rule).add_columns(
                sa.literal(run_id, sa.Integer),
                sa.literal(rule.action.value, sa.Text),
                sa.literal(0, sa.Integer),
            )
            # two deactivations of one category are one item, as are two reasons for one removal
            connection.execute(sa.insert(_item).from_select(columns, due.distinct()))
        return plans.planned_contacts(connection, run_id)

    return write


def planned_returning(connection: sa.Connection, run: Run) -> int:
    """How many contacts a handling plan brings back, those apart that return to a group alone."""
    statement = sa.select(sa.func.count(sa.distinct(_item.c.contact_id))).where(
        _item.c.run_id == run.id,
        _item.c.action == HandlingAction.REACTIVATE,
        _item.c.group_id == SYSTEM_WIDE,
    )
    return one_number(connection, statement)


def handling_outcome(step: plans.Step) -> plans.BatchOutcome:
    """How many of the batch's contacts are still to be changed; items that no longer hold go."""
    step.do(sa.delete(_item).where(step.items, sa.not_(_still_holds(_rules_of(step.run)))))
    remaining = plans.count_planned(step.connection, step.items)
    gone = step.batch.contacts - remaining
    return plans.BatchOutcome(remaining, {SkipReason.CHANGED: gone} if gone else {})


def handle(step: plans.Step) -> int:
    """End the deactivations and memberships of the batch's items; returns how many contacts."""
    run, contacts = step.run, plans.count_planned(step.connection, step.items)
    results = {"ended": _end_deactivations(step), "reactivated": _reactivate_contacts(step)}
    if any(rule.action is HandlingAction.REMOVE_FROM_GROUP for rule in _rules_of(run)):
        results["removed"] = _remove_memberships(step)
    results["reactivated_in_groups"] = _reactivate_memberships(step)
    if results["reactivated"] < contacts:
        _mark_changed(step)
    totals = {name: run.results.get(name, 0) + number for name, number in results.items()}
    update_run(step.connection, run.id, {"results": totals})
    return contacts


def _rules_of(run: Run) -> tuple[TimedRule, ...]:
    """The rules that a handling run was planned by."""
    return run.details_as(HandlingRun).rules


def _ends_by_rule() -> sa.ColumnElement[bool]:
    """Open, and opened by a threshold. Written so that SQLite finds it by the contact's key: the
    partial index leads to all contacts of the category."""
    origin = sa.func.coalesce(_deactivation.c.origin, "")
    return sa.and_(is_open(), origin == Origin.THRESHOLD.value)


def _still_holds(rules: Sequence[TimedRule]) -> sa.ColumnElement[bool]:
    """True for an item that would be planned again now."""
    mine = sa.and_(
        _deactivation.c.contact_id == _item.c.contact_id,
        _deactivation.c.category == _item.c.category,
        _ends_by_rule(),
        _deactivation.c.started_at <= _cutoff(rules, _item.c.category, _item.c.group_id),
    )
    ends = sa.exists().where(mine, _deactivation.c.group_id == _item.c.group_id)
    removes = sa.exists().where(
        mine, _deactivation.c.group_id.in_((sa.literal(SYSTEM_WIDE), _item.c.group_id))
    )
    is_member = sa.exists().where(
        _membership.c.contact_id == _item.c.contact_id,
        _membership.c.group_id == _item.c.group_id,
        _membership.c.state != MembershipState.ACTIVE,
    )
    return sa.case(
        (
            _item.c.action == HandlingAction.REACTIVATE,
            sa.and_(ends, sa.not_(complained(_item.c.contact_id))),
        ),
        else_=sa.and_(is_member, removes),
    )


def _cutoff(
    rules: Sequence[TimedRule], category: sa.ColumnElement[str], group_id: sa.ColumnElement[int]
) -> sa.ColumnElement[datetime]:
    """The instant up to which deactivations must have started; one rule holds in each scope."""
    return sa.case(
        *(
            (
                sa.and_(category == rule.category, governs(rule, group_id)),
                sa.literal(rule.cutoff, _deactivation.c.started_at.type),
            )
            for rule in rules
        )
    )


def _end_deactivations(step: plans.Step) -> int:
    planned = sa.select(_item.c.contact_id, _item.c.group_id, _item.c.category).where(
        step.items, _item.c.action == HandlingAction.REACTIVATE
    )
    key = sa.tuple_(_deactivation.c.contact_id, _deactivation.c.group_id, _deactivation.c.category)
    cutoff = _cutoff(_rules_of(step.run), _deactivation.c.category, _deactivation.c.group_id)
    return step.do(
        sa.update(_deactivation)
        .where(
            step.covers(_deactivation.c.contact_id),
            key.in_(planned),
            _ends_by_rule(),
            _deactivation.c.started_at <= cutoff,
        )
        .values(ended_at=step.now, ended_by_run_id=step.run.id)
    )


def _reactivate_contacts(step: plans.Step) -> int:
    """Active again where nothing else is open; only then earlier responses count no more."""
    ended_for = step.contact_ids.where(
        _item.c.action == HandlingAction.REACTIVATE, _item.c.group_id == SYSTEM_WIDE
    )
    chosen = sa.and_(
        step.covers(_contact.c.id), _contact.c.id.in_(ended_for), ~has_open(_contact.c.id)
    )
    back = sa.select(_contact.c.id).where(chosen, _contact.c.status == Status.INACTIVE)
    step.tell(ChangeKind.REACTIVATED, back)
    return step.change_contacts(chosen, status=Status.ACTIVE, reactivated_at=step.now)


def _reactivate_memberships(step: plans.Step) -> int:
    chosen = sa.and_(
        step.items,
        _item.c.action == HandlingAction.REACTIVATE,
        _item.c.group_id != SYSTEM_WIDE,
        _membership.c.contact_id == _item.c.contact_id,
        _membership.c.group_id == _item.c.group_id,
        _membership.c.state == MembershipState.INACTIVE,
        ~has_open(_membership.c.contact_id, _membership.c.group_id),
    )
    return step.set_members(chosen, MembershipState.FOLLOWS)


def _remove_memberships(step: plans.Step) -> int:
    """The contact stays, and so do deactivations in that group, should it ever come back."""
    removal = sa.exists().where(
        step.items,
        _item.c.action == HandlingAction.REMOVE_FROM_GROUP,
        _item.c.contact_id == _membership.c.contact_id,
        _item.c.group_id == _membership.c.group_id,
    )
    chosen = sa.and_(step.covers(_membership.c.contact_id), removal)
    return end_memberships(step.connection, chosen, step.run.id, step.now)


def _mark_changed(step: plans.Step) -> None:
    """Tell other plans and readers whose memberships have changed."""
    in_groups = step.contact_ids.where(_item.c.group_id != SYSTEM_WIDE)
    step.change_contacts(_contact.c.id.in_(in_groups))


HANDLING = plans.BatchWork(
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
    by_rule=plans.planned_by_rule,
)
