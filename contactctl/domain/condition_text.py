"""One condition as one line of text: FIELD OPERATOR [VALUE]. Parse and print round-trip.

A value needs quotes ("..." or '...') if it has a comma or semicolon (after = and != or in a
list), starts with a quote (in a list, a bracket), has spaces at its ends, or continues like another
condition. Inside quotes the quote
itself is doubled; nothing else is special.

Text that could be more than one value or condition is refused: `company != a, b` and
`company != a or tag = b`, each read as one text, would match nearly every contact.
"""

import re
from datetime import UTC, tzinfo
from typing import NoReturn

from contactctl.domain.conditions import Condition, build_condition, find_operator, operators_hint
from contactctl.domain.errors import CriteriaError
from contactctl.domain.fields import BUILT_IN_FIELDS, Field, FieldCatalogue
from contactctl.domain.operators import USAGES, Operator, Takes
from contactctl.domain.values import format_value, shown

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
