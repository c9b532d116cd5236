"""A condition, one test of one field, and how it is written on one line."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from datetime import UTC, tzinfo
from typing import NoReturn

from contactctl.domain.criteria.fields import (
    BUILT_IN_FIELDS,
    OPERATORS,
    USAGES,
    Field,
    FieldCatalogue,
    FieldType,
    Operator,
    Takes,
    did_you_mean,
)
from contactctl.domain.criteria.values import Scalar, format_value, parse_values, shown
from contactctl.domain.errors import CriteriaError

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


# One condition as one line of text: FIELD OPERATOR [VALUE]. Parse and print round-trip


_QUOTES = ("'", '"')
_BRACKETS = ("[", "(", "{")
_AND = re.compile(r"(?<!\s)\s+and\s+", re.IGNORECASE)
_GLUED = re.compile(r"([^=!<>]+)(!=|<=|>=|=|<|>)(.*)", re.DOTALL)
_MAX_LINE = 2**20
_BUILT_IN = "|".join(re.escape(field.name) for field in BUILT_IN_FIELDS)
_FIELD = rf"({_BUILT_IN}|attributes\.[^\s=!<>]{{1,100}}+)"
_SIGNS = "(!=|<=|>=|=|<|>)"
_WORDS = r"({})(?!\S)".format("|".join(each for each in Operator if each[0].isalpha()))
_JOINED = r"(\b(and|or|not)\b|&&|\|\||[;,(-])"
# a field and a sign are enough; words such as `group in` may be part of a name. No part of the
# pattern is tried twice at one place: time grows with the text's length
_ANOTHER_CONDITION = re.compile(
    rf"((?:^|[\s;,(]){_FIELD}\s*+{_SIGNS}|{_JOINED}\s*+{_FIELD}\s++{_WORDS})", re.IGNORECASE
)
_OF_WHOLE_VALUES = (Operator.EQUALS, Operator.NOT_EQUALS, Operator.IN, Operator.NOT_IN)
_SEPARATOR = re.compile("[,;]")


def parse_condition(text: str, catalogue: FieldCatalogue) -> Condition:
    """The condition that `text` says; CriteriaError, with a hint, if it is not one."""
    if len(text) > _MAX_LINE:
        raise CriteriaError(f"a condition of {len(text)} characters")
    words = text.split(maxsplit=2)
    if not words:
        raise CriteriaError("an empty condition", hint="write FIELD OPERATOR [VALUE]")
    field = _find_field(words[0], catalogue)
    if len(words) == 1:
        raise CriteriaError(f"no operator after '{field.name}'", hint=operators_hint(field))
    operator = find_operator(field, words[1])
    rest = words[2].strip() if len(words) == 3 else ""
    return build_condition(field, operator, _split(operator, rest))


def format_condition(condition: Condition, zone: tzinfo = UTC) -> str:
    """The condition as `parse_condition` reads it; instants in the time of `zone`."""
    operator = condition.operator
    words = [_quoted_where_needed(format_value(v, zone), operator) for v in condition.values]
    separator = " and " if USAGES[operator].takes is Takes.RANGE else ","
    return " ".join([condition.field.name, operator, separator.join(words)]).strip()


def _find_field(word: str, catalogue: FieldCatalogue) -> Field:
    glued = _GLUED.fullmatch(word)
    if glued:
        spaced = " ".join(part for part in glued.groups() if part)
        raise CriteriaError(
            f"no space around the operator in '{shown(word)}'", hint=f"write '{shown(spaced)}'"
        )
    return catalogue.find(word)


def _split(operator: Operator, text: str) -> list[str]:
    match USAGES[operator].takes:
        case Takes.RANGE:
            return _AND.split(text) if _AND.search(text) else split_list(text)
        case Takes.SEVERAL:
            return split_list(text)
        case _:
            return [_unquoted(operator, text)] if text else []


def split_list(text: str) -> list[str]:
    """The texts of a list such as `free,trial`; CriteriaError if a comma or quote is wrong."""
    if text.startswith(_BRACKETS):
        raise CriteriaError(
            "a bracket at the start of a list", hint="write a,b; a value with brackets needs quotes"
        )
    words: list[str] = []
    position = 0
    while position < len(text):
        word, end = _item_at(text, position)
        words.append(word)
        if end == len(text):
            return words
        if text[end] != ",":
            raise CriteriaError(f"text after the closing quote: '{shown(text[end:])}'")
        position = _after_blanks(text, end + 1)
        if position == len(text):
            raise CriteriaError("nothing after the last comma")
    return words


def _item_at(text: str, start: int) -> tuple[str, int]:
    """The item of a list that begins at `start`, and where its comma or the end is."""
    if text[start] in _QUOTES:
        word, end = _quoted_at(text, start)
        return word, _after_blanks(text, end)
    comma = text.find(",", start)
    end = comma if comma >= 0 else len(text)
    word = text[start:end].strip()
    if not word:
        raise CriteriaError("nothing before a comma", hint="a comma in a value needs quotes")
    _refuse_another_condition(word)
    if ";" in word:
        _refuse_several_values(";", word)
    return word, end


def _after_blanks(text: str, position: int) -> int:
    while position < len(text) and text[position].isspace():
        position += 1
    return position


def _unquoted(operator: Operator, text: str) -> str:
    if not text.startswith(_QUOTES):
        _refuse_another_condition(text)
        if operator in _OF_WHOLE_VALUES and (found := _SEPARATOR.search(text)):
            _refuse_several_values(found[0], text)
        return text
    word, end = _quoted_at(text, 0)
    if text[end:].strip():
        raise CriteriaError(
            f"text after the closing quote: '{shown(text[end:].strip())}'",
            hint="'in' takes several values; a quote inside quotes is doubled",
        )
    return word


def _refuse_another_condition(text: str) -> None:
    if found := _ANOTHER_CONDITION.search(text):
        raise CriteriaError(
            f"another condition in the value: '{shown(text[found.start() :].strip())}'",
            hint="one condition at a time, under all or any; a text with such words needs quotes",
        )


def _refuse_several_values(separator: str, text: str) -> NoReturn:
    raise CriteriaError(
        f"a '{separator}' in the value '{shown(text)}'",
        hint="'in' and 'not-in' take several values, a,b; one value with it needs quotes",
    )


def _quoted_at(text: str, start: int) -> tuple[str, int]:
    """The content of the quotes that open at `start`, and the position after them."""
    quote, position = text[start], start + 1
    while (end := text.find(quote, position)) >= 0:
        if text[end + 1 : end + 2] != quote:
            return text[start + 1 : end].replace(quote * 2, quote), end + 1
        position = end + 2
    raise CriteriaError(f"no closing {quote} in '{shown(text[start:])}'")


def _quoted_where_needed(text: str, operator: Operator) -> str:
    quotes = text.startswith(_QUOTES) or text != text.strip()
    separator = operator in _OF_WHOLE_VALUES and _SEPARATOR.search(text)
    bracket = USAGES[operator].takes is Takes.SEVERAL and text.startswith(_BRACKETS)
    if quotes or separator or bracket or _ANOTHER_CONDITION.search(text):
        return '"' + text.replace('"', '""') + '"'
    return text
