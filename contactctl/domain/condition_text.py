"""One condition as one line of text: FIELD OPERATOR [VALUE]. Parse and print round-trip.

A value needs quotes ("..." or '...') only where it has a comma in a list, starts with a quote, or
has spaces at its ends. Inside quotes the quote itself is doubled; nothing else is special.
"""

import re

from contactctl.domain.conditions import Condition, build_condition, find_operator, operators_hint
from contactctl.domain.errors import CriteriaError
from contactctl.domain.fields import Field, FieldCatalogue
from contactctl.domain.operators import USAGES, Operator, Takes
from contactctl.domain.values import format_value, shown

_QUOTES = ("'", '"')
_AND = re.compile(r"\s+and\s+", re.IGNORECASE)
_GLUED = re.compile(r"([^=!<>]+)(!=|<=|>=|=|<|>)(.*)", re.DOTALL)
_MAX_LINE = 200_000


def parse_condition(text: str, catalogue: FieldCatalogue) -> Condition:
    """The condition that `text` says; CriteriaError, with a hint, where it says none."""
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


def format_condition(condition: Condition) -> str:
    """The condition as `parse_condition` reads it."""
    takes = USAGES[condition.operator].takes
    in_list = takes is Takes.SEVERAL
    words = [_quoted_where_needed(format_value(v), in_list=in_list) for v in condition.values]
    separator = " and " if takes is Takes.RANGE else ","
    return " ".join([condition.field.name, condition.operator, separator.join(words)]).strip()


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
            return _AND.split(text) if _AND.search(text) else _split_list(text)
        case Takes.SEVERAL:
            return _split_list(text)
        case _:
            return [_unquoted(text)] if text else []


def _split_list(text: str) -> list[str]:
    words, rest = [], text
    while rest:
        word, rest, more = _next_item(rest)
        words.append(word)
        if not more:
            return words
        if not rest:
            raise CriteriaError("nothing after the last comma")
    return words


def _next_item(text: str) -> tuple[str, str, bool]:
    """The first item, what follows its comma, and whether there was a comma."""
    if text.startswith(_QUOTES):
        word, rest = _take_quoted(text)
        rest = rest.lstrip()
        if rest and not rest.startswith(","):
            raise CriteriaError(f"text after the closing quote: '{shown(rest)}'")
        return word, rest[1:].lstrip(), bool(rest)
    word, comma, rest = text.partition(",")
    if not word.strip():
        raise CriteriaError("nothing before a comma", hint="a comma in a value needs quotes")
    return word.strip(), rest.lstrip(), bool(comma)


def _unquoted(text: str) -> str:
    if not text.startswith(_QUOTES):
        return text
    word, rest = _take_quoted(text)
    if rest.strip():
        raise CriteriaError(
            f"text after the closing quote: '{shown(rest.strip())}'",
            hint="'in' takes several values; a quote inside quotes is doubled",
        )
    return word


def _take_quoted(text: str) -> tuple[str, str]:
    """The content of the quotes that `text` starts with, and what follows them."""
    quote, position = text[0], 1
    while (end := text.find(quote, position)) >= 0:
        if text[end + 1 : end + 2] != quote:
            return text[1:end].replace(quote * 2, quote), text[end + 1 :]
        position = end + 2
    raise CriteriaError(f"no closing {quote} in '{shown(text)}'")


def _quoted_where_needed(text: str, *, in_list: bool) -> str:
    if text.startswith(_QUOTES) or text != text.strip() or (in_list and "," in text):
        return '"' + text.replace('"', '""') + '"'
    return text
