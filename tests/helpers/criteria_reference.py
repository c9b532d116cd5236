"""What criteria mean, in plain Python: the reference that every database is held to."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import date, datetime

from contactctl.domain.contacts import Status
from contactctl.domain.criteria.conditions import Condition
from contactctl.domain.criteria.fields import Field, FieldType
from contactctl.domain.criteria.resolve import (
    Comparable,
    OneOf,
    Presence,
    ResolvedCriteria,
    Test,
    holds,
)
from contactctl.domain.criteria.tree import Criteria
from contactctl.domain.text import fold


@dataclass(frozen=True)
class ContactView:
    """Everything criteria can ask of one contact. Instants are aware; attributes are raw JSON.

    `values` are those of the other fields that are columns of their own, where there is one.
    """

    id: int
    email_key: str
    email_domain: str
    status: Status
    created: datetime
    updated: datetime
    values: Mapping[str, str | date | datetime | None] = field(default_factory=dict)
    tags: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()
    deactivated: datetime | None = None
    deactivation_origins: frozenset[str] = frozenset()
    deactivation_categories: frozenset[str] = frozenset()
    deactivation_runs: frozenset[str] = frozenset()
    reactivated: datetime | None = None
    unsubscribed: datetime | None = None
    unsubscribed_from: frozenset[str] = frozenset()
    response_counts: Mapping[str, int] = field(default_factory=dict)
    responses_not_counted: frozenset[str] = frozenset()
    attributes: Mapping[str, object] = field(default_factory=dict)


def contact_view(**values: object) -> ContactView:
    """A view; whatever is none of its own attributes is the value of a field."""
    names = {each.name for each in fields(ContactView)}
    own = {name: value for name, value in values.items() if name in names}
    others = {name: value for name, value in values.items() if name not in names}
    return ContactView(**own, values=others)  # type: ignore[arg-type]


_ISO_DATE = re.compile(r"[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])")

_SET_MEMBERS = {
    "tag": "tags",
    "group": "groups",
    "deactivation_origin": "deactivation_origins",
    "deactivation_category": "deactivation_categories",
    "deactivation_run": "deactivation_runs",
    "responses_not_counted": "responses_not_counted",
    "unsubscribed_from": "unsubscribed_from",
}
_VIEW_NAMES = {"email": "email_key"}


def matches(
    resolved: ResolvedCriteria, contact: ContactView, *, let_missing_pass: bool = False
) -> bool:
    """Whether the contact meets the criteria.

    With `let_missing_pass` a missing value satisfies the conditions of `all` and `any`, but for
    those that ask for a member: contacts that match only then were left out for a missing value.
    """
    return _matches(resolved.criteria, resolved.tests, contact, let_missing_pass)


def _matches(
    part: Condition | Criteria, tests: Mapping[Condition, Test], contact: ContactView, lenient: bool
) -> bool:
    if isinstance(part, Condition):
        values = present_values(part.field, contact)
        test = tests[part]
        is_membership = part.field.type is FieldType.SET and isinstance(test, OneOf)
        needs_value = not is_membership and not isinstance(test, Presence)
        return holds(test, values) or (lenient and needs_value and not values)
    return (
        all(_matches(inner, tests, contact, lenient) for inner in part.all)
        and (not part.any or any(_matches(inner, tests, contact, lenient) for inner in part.any))
        and not any(_matches(inner, tests, contact, False) for inner in part.none)
    )


def present_values(field: Field, contact: ContactView) -> frozenset[Comparable]:
    """The contact's values of a field as they are compared; empty where it is missing."""
    if field.attribute is not None:
        value = _attribute(field.type, contact.attributes.get(field.attribute))
    elif field.response_category is not None:
        value = contact.response_counts.get(field.response_category, 0)
    elif field.name in _SET_MEMBERS:
        return frozenset(map(fold, getattr(contact, _SET_MEMBERS[field.name])))
    else:
        name = _VIEW_NAMES.get(field.name, field.name)
        value = getattr(contact, name, contact.values.get(name))
    if value is None:
        return frozenset()
    return frozenset({fold(value) if isinstance(value, str) else value})


def _attribute(declared: FieldType, value: object) -> Comparable | None:
    """The value if it is of the declared type; "n/a" for a number counts as missing."""
    match declared, value:
        case FieldType.BOOLEAN, bool():
            return value
        case FieldType.NUMBER, int() | float() if not isinstance(value, bool):
            return value
        case FieldType.DATE, str() if _ISO_DATE.fullmatch(value):
            return value
        case FieldType.TEXT | FieldType.CHOICE, str():
            return value
        case _:
            return None
