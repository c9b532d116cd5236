"""The operators of criteria: which field types they fit, and what value they take."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, StrEnum, auto

from contactctl.domain.fields import FieldType


class Operator(StrEnum):
    """An operator as written in a condition."""

    EQUALS = "="
    NOT_EQUALS = "!="
    IN = "in"
    NOT_IN = "not-in"
    CONTAINS = "contains"
    STARTS_WITH = "starts-with"
    ENDS_WITH = "ends-with"
    LESS = "<"
    AT_MOST = "<="
    GREATER = ">"
    AT_LEAST = ">="
    BETWEEN = "between"
    BEFORE = "before"
    AFTER = "after"
    ON = "on"
    OLDER_THAN = "older-than"
    WITHIN_LAST = "within-last"
    WITHIN_NEXT = "within-next"
    LATER_THAN = "later-than"
    MISSING = "missing"
    EXISTS = "exists"


class Takes(Enum):
    """What follows an operator."""

    NOTHING = auto()
    ONE = auto()
    SEVERAL = auto()
    RANGE = auto()  # two values, both included
    SPAN = auto()  # a number and a calendar unit


@dataclass(frozen=True, slots=True)
class Usage:
    """How an operator is written: what it takes, an example, and what it means for a field."""

    takes: Takes
    example: str
    meaning: str


USAGES: Mapping[Operator, Usage] = {
    Operator.EQUALS: Usage(Takes.ONE, "VALUE", "is exactly this"),
    Operator.NOT_EQUALS: Usage(Takes.ONE, "VALUE", "has a value, but a different one"),
    Operator.IN: Usage(Takes.SEVERAL, "A,B", "is one of these"),
    Operator.NOT_IN: Usage(Takes.SEVERAL, "A,B", "has a value, but none of these"),
    Operator.CONTAINS: Usage(Takes.ONE, "TEXT", "contains this text"),
    Operator.STARTS_WITH: Usage(Takes.ONE, "TEXT", "begins with this text"),
    Operator.ENDS_WITH: Usage(Takes.ONE, "TEXT", "ends with this text"),
    Operator.LESS: Usage(Takes.ONE, "NUMBER", "is less than this"),
    Operator.AT_MOST: Usage(Takes.ONE, "NUMBER", "is this or less"),
    Operator.GREATER: Usage(Takes.ONE, "NUMBER", "is more than this"),
    Operator.AT_LEAST: Usage(Takes.ONE, "NUMBER", "is this or more"),
    Operator.BETWEEN: Usage(Takes.RANGE, "A and B", "is between these two, both included"),
    Operator.BEFORE: Usage(Takes.ONE, "DATE", "is before this"),
    Operator.AFTER: Usage(Takes.ONE, "DATE", "is after this"),
    Operator.ON: Usage(Takes.ONE, "DATE", "is on this day"),
    Operator.OLDER_THAN: Usage(Takes.SPAN, "24 months", "is longer ago than this"),
    Operator.WITHIN_LAST: Usage(Takes.SPAN, "30 days", "is at most this long ago"),
    Operator.WITHIN_NEXT: Usage(Takes.SPAN, "2 weeks", "is at most this far ahead"),
    Operator.LATER_THAN: Usage(Takes.SPAN, "1 year", "is further ahead than this"),
    Operator.MISSING: Usage(Takes.NOTHING, "", "has no value that fits its type"),
    Operator.EXISTS: Usage(Takes.NOTHING, "", "has a value"),
}

_PRESENCE = (Operator.MISSING, Operator.EXISTS)
_EQUALITY = (Operator.EQUALS, Operator.NOT_EQUALS)
_MEMBERSHIP = (*_EQUALITY, Operator.IN, Operator.NOT_IN)
_SEARCH = (Operator.CONTAINS, Operator.STARTS_WITH, Operator.ENDS_WITH)
_ORDER = (Operator.LESS, Operator.AT_MOST, Operator.GREATER, Operator.AT_LEAST)
_TIME = (
    *(Operator.BEFORE, Operator.AFTER, Operator.ON, Operator.BETWEEN),
    *(Operator.OLDER_THAN, Operator.WITHIN_LAST, Operator.WITHIN_NEXT, Operator.LATER_THAN),
)

OPERATORS: Mapping[FieldType, tuple[Operator, ...]] = {
    FieldType.TEXT: (*_MEMBERSHIP, *_SEARCH, *_PRESENCE),
    FieldType.CHOICE: (*_MEMBERSHIP, *_PRESENCE),
    FieldType.NUMBER: (*_MEMBERSHIP, *_ORDER, Operator.BETWEEN, *_PRESENCE),
    FieldType.BOOLEAN: (*_EQUALITY, *_PRESENCE),
    FieldType.DATE: (*_TIME, *_PRESENCE),
    FieldType.INSTANT: (*_TIME, *_PRESENCE),
    FieldType.SET: (*_MEMBERSHIP, *_PRESENCE),
}
