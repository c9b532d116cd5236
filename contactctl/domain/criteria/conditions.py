"""A condition, one test of one field, and how it is written on one line."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import field as dataclass_field
from datetime import UTC, tzinfo
from typing import NoReturn

from contactctl.domain.criteria.fields import (
    BUILT_IN_FIELDS,
    OF_WHOLE_VALUES,
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
from contactctl.domain.lazy import dataclass

# how other languages, and people, write operators: the first one that fits the field is meant
_SAID: Mapping[Sequence[Operator], Sequence[str]] = {
    (Operator.EXISTS,): ("is not null", "is not empty", "not null", "not empty", "is set"),
    (Operator.MISSING,): (
        *("is null", "is empty", "is missing", "is blank", "is not set", "is unset", "is none"),
        *("null", "empty", "blank", "unset", "never"),
    ),
    (Operator.EQUALS, Operator.ON): ("is", "eq", "equals", "equal to", "==", "is on", "at"),
    (Operator.CONTAINS, Operator.EQUALS): ("has", "includes", "like", "ilike", "~"),
    (Operator.NOT_EQUALS,): ("<>", "ne", "is not", "not", "not equals", "not equal to", "has not"),
    (Operator.IN,): ("is in", "is one of", "one of", "any of"),
    (Operator.NOT_IN,): ("not in", "is not in", "is none of", "none of", "notin"),
    (Operator.STARTS_WITH,): ("starts with", "startswith", "begins with"),
    (Operator.ENDS_WITH,): ("ends with", "endswith"),
    (Operator.GREATER, Operator.OLDER_THAN): ("greater than", "more than", "gt", "over"),
    (Operator.LESS, Operator.WITHIN_LAST): ("less than", "fewer than", "lt", "under"),
    (Operator.AT_LEAST,): ("at least", "gte", "ge"),
    (Operator.AT_MOST,): ("at most", "lte", "le"),
    (Operator.WITHIN_LAST,): (
        *("within last", "within the last", "in the last", "in last", "within", "last"),
        *("newer than", "during the last"),
    ),
    (Operator.WITHIN_NEXT,): ("within next", "within the next", "in the next", "in next", "next"),
    (Operator.OLDER_THAN,): ("older than", "longer than", "longer ago than", "not in the last"),
    (Operator.LATER_THAN,): ("later than",),
    (Operator.BEFORE,): ("is before", "earlier than"),
    (Operator.AFTER,): ("is after",),
    (Operator.BETWEEN,): (
        *("since", "from", "on or after", "on-or-after", "not before", "until", "by"),
        *("on or before", "on-or-before", "not after"),
    ),
}
_OF_TIMES = {
    "=": "use 'on'",
    "<": "use 'before' with a date, 'older-than' with a span such as 24 months",
    ">": "use 'after' with a date, 'within-last' with a span such as 30 days",
    "<=": "use 'between', which includes both dates",
    ">=": "use 'between', which includes both dates",
}


@dataclass(frozen=True)
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


def find_operator(field: Field, word: str, rest: str = "") -> Operator:
    """The operator of that name that fits the field; CriteriaError with a did-you-mean.

    `rest` is what follows: `older than` is two words of people who mean `older-than`.
    """
    fitting = OPERATORS[field.type]
    name = word.casefold()
    if name in fitting:
        return Operator(name)
    if name in list(Operator):
        message = f"'{name}' does not fit '{field.name}', which is {_a_or_an(field.type)}"
        raise CriteriaError(message, hint=_alternative(field, name) or operators_hint(field))
    message = f"unknown operator '{shown(word)}' after '{field.name}'"
    hint = _operator_meant(field, f"{name} {rest.casefold()}") or operators_hint(field)
    raise CriteriaError(message, hint=hint)


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


def _operator_meant(field: Field, text: str) -> str:
    """A did-you-mean for text that begins with what nobody here calls an operator."""
    words = text.split()
    for length in range(min(len(words), _MOST_WORDS), 0, -1):
        said = " ".join(words[:length])
        for operators, others in _SAID.items():
            fitting = [each for each in operators if each in OPERATORS[field.type]]
            if said in others and fitting[:1] == [Operator.BETWEEN]:
                return "did you mean 'between', which includes both ends?"
            if said in others and fitting:
                return f"did you mean '{_with_pattern(fitting[0], text)}'?"
    return did_you_mean(words[0], list(OPERATORS[field.type]))


def _with_pattern(operator: Operator, text: str) -> str:
    """`like %@example.com` is what SQL calls `ends-with @example.com`."""
    pattern = text.partition(" ")[2].strip(" '\"")
    if operator is not Operator.CONTAINS or not _WILDCARD.search(pattern):
        return operator
    return _search_for(pattern)


def _search_for(pattern: str) -> str:
    """What finds what a pattern with `*` or `%` at its ends means."""
    start, end = pattern[:1] in _WILDCARDS, pattern[-1:] in _WILDCARDS
    found = pattern.strip(_WILDCARDS)
    if start and end:
        return f"{Operator.CONTAINS} {found}"
    return f"{Operator.ENDS_WITH if start else Operator.STARTS_WITH} {found}"


def _alternative(field: Field, name: str) -> str:
    if field.type is FieldType.SET and name == Operator.CONTAINS:
        return "use '=', which tests for a member"
    if field.type in (FieldType.DATE, FieldType.INSTANT):
        return _OF_TIMES.get(name, "")
    is_text = field.is_attribute and field.type is FieldType.TEXT
    if is_text and name in OPERATORS[FieldType.NUMBER]:
        return f"declare it as `{field.attribute}: number` in the config, if it holds numbers"
    return ""


def operators_hint(field: Field) -> str:
    """The operators that fit the field, for an error's hint."""
    return f"operators of {_a_or_an(field.type)}: {' '.join(OPERATORS[field.type])}"


def _a_or_an(field_type: FieldType) -> str:
    return f"an {field_type}" if field_type is FieldType.INSTANT else f"a {field_type}"


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
_LOGIC = {
    **dict.fromkeys(("not", "!", "no"), "what must not hold: --where-not, or none: in a file"),
    "or": "one of several: --where-any, or any: in a file",
    "and": "each --where must hold, and each condition under all: in a file",
}
# at an end of a value, but not after a digit: `5*` and `20%` are names
_WILDCARDS = "*%"
_WILDCARD = re.compile(r"\A[*%]+(?=.)|(?<![0-9*%])[*%]+\Z")
# what a template or a shell should have filled in
_PLACEHOLDER = re.compile(r"\{\{.*\}\}|<%.*%>|\$([a-z_]\w*|\{.*\}|\(.*\))", re.DOTALL | re.I)
# quotes of word processors and of other languages around the whole value
_TYPOGRAPHIC_QUOTES = re.compile(
    r"[“”„‟«»‹›‘’‚‛`´「」『』＂＇].*[“”„‟«»‹›‘’‚‛`´「」『』＂＇]", re.DOTALL
)
_MOST_WORDS = max(len(each.split()) for several in _SAID.values() for each in several)
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
    rest = words[2].strip() if len(words) == 3 else ""
    operator = find_operator(field, words[1], rest)
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
    if hint := _LOGIC.get(word.casefold(), ""):
        raise CriteriaError(f"'{shown(word)}' at the start of a condition", hint=hint)
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
    _refuse_misread(word)
    if ";" in word:
        _refuse_several_values(";", word)
    return word, end


def _after_blanks(text: str, position: int) -> int:
    while position < len(text) and text[position].isspace():
        position += 1
    return position


def _unquoted(operator: Operator, text: str) -> str:
    if not text.startswith(_QUOTES):
        _refuse_misread(text)
        if operator in OF_WHOLE_VALUES and (found := _SEPARATOR.search(text)):
            _refuse_several_values(found[0], text)
        return text
    word, end = _quoted_at(text, 0)
    if text[end:].strip():
        raise CriteriaError(
            f"text after the closing quote: '{shown(text[end:].strip())}'",
            hint="'in' takes several values; a quote inside quotes is doubled",
        )
    return word


def _refuse_misread(text: str) -> None:
    """What stands without quotes, and would mean something else than who wrote it thinks."""
    _refuse_another_condition(text)
    _refuse_pattern(text)
    if _PLACEHOLDER.fullmatch(text):
        raise CriteriaError(
            f"nothing has filled in '{shown(text)}'",
            hint="a shell fills in what is in double quotes; a text that looks so needs quotes",
        )
    if _TYPOGRAPHIC_QUOTES.fullmatch(text):
        raise CriteriaError(
            f"typographic quotes around '{shown(text)}' would be part of the value",
            hint=f'write it without quotes, or "{shown(text)}" if they belong to it',
        )


def _refuse_another_condition(text: str) -> None:
    if found := _ANOTHER_CONDITION.search(text):
        raise CriteriaError(
            f"another condition in the value: '{shown(text[found.start() :].strip())}'",
            hint="one condition at a time, under all or any; a text with such words needs quotes",
        )


def _refuse_pattern(text: str) -> None:
    """No operator knows patterns: `email != *@example.com` would match everybody."""
    if found := _WILDCARD.search(text):
        raise CriteriaError(
            f"'{found[0]}' in the value '{shown(text)}' does not stand for other text",
            hint=f"write '{text}' in quotes to find it as it is"
            if text == found[0]
            else f"in a text, '{_search_for(text)}' finds it; a value with it needs quotes",
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
    separator = operator in OF_WHOLE_VALUES and _SEPARATOR.search(text)
    bracket = USAGES[operator].takes is Takes.SEVERAL and text.startswith(_BRACKETS)
    ambiguous = (
        _WILDCARD.search(text)
        or _ANOTHER_CONDITION.search(text)
        or _TYPOGRAPHIC_QUOTES.fullmatch(text)
        or _PLACEHOLDER.fullmatch(text)
    )
    if quotes or separator or bracket or ambiguous:
        return '"' + text.replace('"', '""') + '"'
    return text
