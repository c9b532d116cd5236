"""What each operator means for a field, in a line for people."""

from collections.abc import Mapping

from contactctl.domain.fields import FieldType
from contactctl.domain.operators import Operator

_MEANINGS: Mapping[Operator, str] = {
    Operator.EQUALS: "is exactly this",
    Operator.NOT_EQUALS: "has a value, but a different one",
    Operator.IN: "is one of these",
    Operator.NOT_IN: "has a value, but none of these",
    Operator.CONTAINS: "contains this text",
    Operator.STARTS_WITH: "begins with this text",
    Operator.ENDS_WITH: "ends with this text",
    Operator.LESS: "is less than this",
    Operator.AT_MOST: "is this or less",
    Operator.GREATER: "is more than this",
    Operator.AT_LEAST: "is this or more",
    Operator.BETWEEN: "is between these two, both included",
    Operator.BEFORE: "is before this",
    Operator.AFTER: "is after this",
    Operator.ON: "is on this day",
    Operator.OLDER_THAN: "is longer ago than this",
    Operator.WITHIN_LAST: "is at most this long ago",
    Operator.WITHIN_NEXT: "is at most this far ahead",
    Operator.LATER_THAN: "is further ahead than this",
    Operator.MISSING: "has no value that fits its type",
    Operator.EXISTS: "has a value",
}
_OF_TEXT: Mapping[Operator, str] = {
    Operator.EQUALS: "is this text (case is ignored)",
    Operator.IN: "is one of these texts",
    Operator.MISSING: "has no value",
}
_OF_SETS: Mapping[Operator, str] = {
    Operator.EQUALS: "has this one, maybe others too",
    Operator.NOT_EQUALS: "has some, but not this one",
    Operator.IN: "has at least one of these",
    Operator.NOT_IN: "has some, but none of these",
    Operator.MISSING: "has none at all",
    Operator.EXISTS: "has at least one",
}
_OF_TYPE: Mapping[FieldType, Mapping[Operator, str]] = {
    FieldType.TEXT: _OF_TEXT,
    FieldType.SET: _OF_SETS,
}


def meaning(kind: FieldType, operator: Operator) -> str:
    """What the operator means for a field of this type."""
    return _OF_TYPE.get(kind, {}).get(operator, _MEANINGS[operator])
