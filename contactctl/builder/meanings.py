"""What each operator means for a field, where the type makes a difference."""

from collections.abc import Mapping

from contactctl.domain.criteria.fields import USAGES, FieldType, Operator

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
    return _OF_TYPE.get(kind, {}).get(operator, USAGES[operator].meaning)
