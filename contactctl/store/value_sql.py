"""Tests of one value as SQL; every value that is compared with is bound."""

import json
from collections.abc import Collection
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import ARRAY, Numeric, Text, and_, any_, func, literal, not_, select

from contactctl.domain.operators import Operator
from contactctl.domain.resolve import NoneOf, OneOf, Presence, Range, Test, TextMatch
from contactctl.store.field_sql import Value
from contactctl.store.predicates import Clause


def passes(value: Value, test: Test, dialect: str) -> Clause:
    """True where the value passes the test; false or NULL where it does not, or is missing."""
    match test:
        case OneOf(wanted):
            return is_one_of(value, wanted, dialect)
        case NoneOf(unwanted):
            return not_(is_one_of(value, unwanted, dialect))
        case TextMatch():
            return _has_text(value, test, dialect)
        case Range():
            return _lies_within(value, test, dialect)
        case Presence(exists):
            return value.is_not(None) if exists else value.is_(None)


def is_one_of(value: Value, values: Collection[Any], dialect: str) -> Clause:
    """One bound parameter, however many values: databases limit their number."""
    bindable = [_bindable(value, each, dialect) for each in values]
    if len(bindable) == 1:
        is_equal: Clause = value == bindable[0]
        return is_equal
    if dialect == "sqlite":
        listed = func.json_each(json.dumps(bindable)).table_valued("value")
        return value.in_(select(listed.c.value))
    return value == any_(literal(bindable, ARRAY(value.type)))


def _lies_within(value: Value, test: Range, dialect: str) -> Clause:
    bounds = []
    if test.lower is not None:
        lower = _bindable(value, test.lower, dialect)
        bounds.append(value >= lower if test.lower_included else value > lower)
    if test.upper is not None:
        upper = _bindable(value, test.upper, dialect)
        bounds.append(value <= upper if test.upper_included else value < upper)
    return and_(*bounds)


def _bindable(value: Value, compared: Any, dialect: str) -> Any:
    """What the value is compared with, in a form that keeps the database from converting it.

    Dates in attributes are ISO text, which sorts as dates do. Next to a double, Postgres would
    make doubles of an attribute's numbers, and fail where one does not fit.
    """
    if isinstance(compared, date) and isinstance(value.type, Text):
        return compared.isoformat()
    if isinstance(value.type, Numeric) and dialect != "sqlite":
        return Decimal(repr(compared))
    return compared


def _has_text(value: Value, test: TextMatch, dialect: str) -> Clause:
    """Literally: no LIKE, so % _ and \\ mean themselves."""
    text, length = test.text, len(test.text)
    on_sqlite = dialect == "sqlite"
    match test.operator:
        case Operator.STARTS_WITH:
            return func.substr(value, 1, length) == text
        case Operator.ENDS_WITH:
            tail = func.substr(value, -length) if on_sqlite else func.right(value, length)
            return tail == text
        case _:
            position: Value = (func.instr if on_sqlite else func.strpos)(value, text)
            return position > 0
