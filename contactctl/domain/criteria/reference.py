"""What criteria mean, in plain Python: the reference for the SQL of every database."""

import re
from collections.abc import Mapping
from datetime import date
from typing import Any

from contactctl.domain.contacts import ContactView
from contactctl.domain.criteria.conditions import Condition
from contactctl.domain.criteria.fields import Field, FieldType, Operator
from contactctl.domain.criteria.resolve import (
    Bound,
    NoneOf,
    OneOf,
    Presence,
    Range,
    ResolvedCriteria,
    Test,
    TextMatch,
)
from contactctl.domain.criteria.tree import Criteria
from contactctl.domain.text import fold

Comparable = str | Bound

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


def holds(test: Test, values: frozenset[Comparable]) -> bool:
    """Whether a field with these values passes the test; a plain field has one, or none."""
    match test:
        case Presence(exists):
            return bool(values) is exists
        case OneOf(wanted):
            return not values.isdisjoint(wanted)
        case NoneOf(unwanted):
            return bool(values) and values.isdisjoint(unwanted)
        case TextMatch():
            return any(_has_text(str(value), test) for value in values)
        case Range():
            return any(_lies_within(value, test) for value in values)


def _has_text(value: str, test: TextMatch) -> bool:
    match test.operator:
        case Operator.STARTS_WITH:
            return value.startswith(test.text)
        case Operator.ENDS_WITH:
            return value.endswith(test.text)
        case _:
            return test.text in value


def _lies_within(value: Any, test: Range) -> bool:
    lower, upper = _like(value, test.lower), _like(value, test.upper)
    above = lower is None or value > lower or (test.lower_included and value == lower)
    below = upper is None or value < upper or (test.upper_included and value == upper)
    return above and below


def _like(value: Comparable, bound: Bound | None) -> Any:
    """The bound in the value's form: dates in attributes are ISO text, and sort as such."""
    return bound.isoformat() if isinstance(value, str) and isinstance(bound, date) else bound


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
