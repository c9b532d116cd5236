"""A condition: one test of one field, with an operator that fits and values of the field's type."""

from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import field as dataclass_field

from contactctl.domain.errors import CriteriaError
from contactctl.domain.fields import Field, FieldType, did_you_mean
from contactctl.domain.operators import OPERATORS, USAGES, Operator, Takes
from contactctl.domain.values import Scalar, parse_values, shown

# names from other languages
_ALIASES = {
    "<>": "!=",
    "is": "=",
    "eq": "=",
    "equals": "=",
    "has": "=",
    "ne": "!=",
    "like": "contains",
}
_OF_TIMES = {
    "=": "use 'on'",
    "<": "use 'before' with a date, 'older-than' with a span such as 24 months",
    ">": "use 'after' with a date, 'within-last' with a span such as 30 days",
    "<=": "use 'between', which includes both dates",
    ">=": "use 'between', which includes both dates",
}


@dataclass(frozen=True, slots=True)
class Condition:
    """One test of one field; `values` holds as many as the operator takes, typed.

    `place` is where it was written, for errors that only a store can find: a file and line, or a
    flag; empty if that is not known.
    """

    field: Field
    operator: Operator
    values: tuple[Scalar, ...] = ()
    place: str = dataclass_field(default="", compare=False)


def build_condition(field: Field, operator: Operator, words: Sequence[str]) -> Condition:
    """The condition from the texts of its values; CriteriaError if they do not fit."""
    takes = USAGES[operator].takes
    expected = {Takes.NOTHING: 0, Takes.RANGE: 2}.get(takes, 1)
    if takes is Takes.SEVERAL:
        expected = max(len(words), 1)
    if len(words) != expected:
        raise CriteriaError(_wrong_number(operator, len(words)), hint=_usage(field, operator))
    return Condition(field, operator, parse_values(field, operator, words))


def find_operator(field: Field, word: str) -> Operator:
    """The operator of that name that fits the field; CriteriaError with a did-you-mean."""
    fitting = OPERATORS[field.type]
    name = word.casefold()
    if name in fitting:
        return Operator(name)
    if name in list(Operator):
        message = f"'{name}' does not fit '{field.name}', which is a {field.type}"
        raise CriteriaError(message, hint=_alternative(field, name) or operators_hint(field))
    message = f"unknown operator '{shown(word)}' after '{field.name}'"
    raise CriteriaError(message, hint=_operator_meant(name, field) or operators_hint(field))


def _wrong_number(operator: Operator, found: int) -> str:
    takes = USAGES[operator].takes
    if takes is Takes.NOTHING:
        return f"'{operator}' takes no value"
    if not found:
        return f"no value after '{operator}'"
    return (
        f"'{operator}' takes {'two values' if takes is Takes.RANGE else 'one value'}, not {found}"
    )


def _usage(field: Field, operator: Operator) -> str:
    example = USAGES[operator].example
    if field.type is FieldType.BOOLEAN and example:
        example = "true"
    return f"write '{' '.join([field.name, operator, example]).strip()}'"


def _operator_meant(name: str, field: Field) -> str:
    alias = _ALIASES.get(name, "")
    if alias in OPERATORS[field.type]:
        return f"did you mean '{alias}'?"
    return did_you_mean(name, list(OPERATORS[field.type]))


def _alternative(field: Field, name: str) -> str:
    if field.type is FieldType.SET and name == Operator.CONTAINS:
        return "use '=', which tests for a member"
    if field.type not in (FieldType.DATE, FieldType.INSTANT):
        return ""
    return _OF_TIMES.get(name, "")


def operators_hint(field: Field) -> str:
    """The operators that fit the field, for an error's hint."""
    return f"operators of a {field.type}: {' '.join(OPERATORS[field.type])}"
