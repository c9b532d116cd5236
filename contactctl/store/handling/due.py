"""Handling rules as SQL: what is due under each of them (domain.handling says what of)."""

from collections.abc import Sequence
from dataclasses import dataclass
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
    literal_column,
    not_,
    or_,
    select,
    union_all,
)

from contactctl.domain.contacts import MembershipState
from contactctl.domain.handling import TimedRule
from contactctl.domain.policies import HandlingAction
from contactctl.domain.responses import Category
from contactctl.store import tables
from contactctl.store.predicates import is_open
from contactctl.store.tables import SYSTEM_WIDE

_deactivation = tables.deactivation
_membership = tables.membership
_response = tables.response

_EMAIL = "email"  # the only channel whose complaints count


def anything_due(connection: Connection, rules: Sequence[TimedRule]) -> bool:
    """Whether a sweep has anything to do; stops at the first contact."""
    return any(connection.execute(due_under(rule).limit(1)).first() for rule in rules)


@dataclass(frozen=True, slots=True)
class DueContacts:
    """How many contacts the rules would change; `returning` of them to where messages reach them,
    those apart that return to a group alone."""

    contacts: int = 0
    returning: int = 0


def count_handled(connection: Connection, rules: Sequence[TimedRule]) -> DueContacts:
    """How many contacts the rules would change now."""
    if not rules:
        return DueContacts()
    due = union_all(
        *(
            due_under(rule).add_columns(
                literal_column("1" if rule.action is HandlingAction.REACTIVATE else "0").label(
                    "reactivates"
                )
            )
            for rule in rules
        )
    ).subquery()
    returning = case(
        (and_(due.c.reactivates == 1, due.c.group_id == SYSTEM_WIDE), due.c.contact_id)
    )
    statement = select(func.count(distinct(due.c.contact_id)), func.count(distinct(returning)))
    return DueContacts(*connection.execute(statement).one())


def due_by_rule(
    connection: Connection, rules: Sequence[TimedRule]
) -> list[tuple[str, str, int, int]]:
    """(action, category, group id, contacts) of what is due now, rule by rule."""
    counts = []
    for rule in rules:
        due = due_under(rule).subquery()
        statement = (
            select(due.c.group_id, func.count(distinct(due.c.contact_id)))
            .group_by(due.c.group_id)
            .order_by(due.c.group_id)
        )
        counts += [
            (rule.action.value, rule.category.value, row[0], row[1])
            for row in connection.execute(statement)
        ]
    return counts


def due_contact_ids(rules: Sequence[TimedRule]) -> Select[Any]:
    """The contacts that the rules would change now."""
    due = union_all(*(due_under(rule) for rule in rules)).subquery()
    return select(due.c.contact_id.cast(Integer).label("id")).distinct()


def due_under(rule: TimedRule) -> Select[Any]:
    """(contact_id, group_id, category) of all that is due under one rule."""
    if rule.action is HandlingAction.REACTIVATE:
        return select(
            _deactivation.c.contact_id, _deactivation.c.group_id, _deactivation.c.category
        ).where(
            _waited_for(rule),
            governs(rule, _deactivation.c.group_id),
            not_(complained(_deactivation.c.contact_id)),
        )
    held_in = or_(
        _deactivation.c.group_id == SYSTEM_WIDE,
        _deactivation.c.group_id == _membership.c.group_id,
    )
    return (
        select(_membership.c.contact_id, _membership.c.group_id, _deactivation.c.category)
        .join_from(
            _deactivation,
            _membership,
            and_(_membership.c.contact_id == _deactivation.c.contact_id, held_in),
        )
        .where(
            _waited_for(rule),
            governs(rule, _membership.c.group_id),
            _membership.c.state != MembershipState.ACTIVE,
        )
    )


def governs(rule: TimedRule, group_id: ColumnElement[int]) -> ColumnElement[bool]:
    """True in the groups, or SYSTEM_WIDE, where this rule is the one that holds."""
    if rule.group_id is not None:
        return group_id == rule.group_id
    return group_id.not_in(rule.others) if rule.others else literal_column("1") == 1


def complained(contact_id: ColumnElement[int]) -> ColumnElement[bool]:
    """True where a complaint by email is on record, or open as a deactivation."""
    opened = _deactivation.alias()
    return or_(
        exists().where(
            _response.c.contact_id == contact_id,
            _response.c.category == literal_column(f"'{Category.SPAM_COMPLAINT.value}'"),
            _response.c.channel == literal_column(f"'{_EMAIL}'"),
        ),
        exists().where(
            opened.c.contact_id == contact_id,
            opened.c.category == Category.SPAM_COMPLAINT,
            is_open(opened),
        ),
    )


def _waited_for(rule: TimedRule) -> ColumnElement[bool]:
    """Open deactivations of the rule's category whose clock has run out."""
    return and_(
        _is_open_threshold(),
        _deactivation.c.category == rule.category,
        _deactivation.c.started_at <= rule.cutoff,
    )


def _is_open_threshold() -> ColumnElement[bool]:
    """Only what a threshold opened ends by rule; a literal, to use the partial index."""
    return and_(is_open(), _deactivation.c.origin == literal_column("'threshold'"))
