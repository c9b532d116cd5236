"""What an event means, in words and tables of a mapping, compiled to one function.

An outcome in words:

    invalid-address              one of the six categories: the event alone decides
    text or transient            the server's words decide; the category where they say nothing
    blocked, echo                recorded, and not counted for that reason
    delivered, opened, clicked   a sign of life; `opened by machine` where nobody looked
    unsubscribed, resubscribed   what a person wishes; `unsubscribed, echo` what was known before
    nothing                      no response

A table looks a value up: `{by: PATH, is: {VALUE: ...}, starts: {...}, contains: {...}, else: ...}`;
behind each value stands an outcome, another table, or a list of tables, of which the first that
knows the value decides. `a | b` stands for either value.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any

from contactctl.domain.criteria.fields import did_you_mean
from contactctl.domain.responses import ActivityKind, Category
from contactctl.responses.formats.paths import Row, Scope, top_level_keys, value_getter, word_of

NOT_COUNTED = ("delayed", "echo", "own-refusal", "auto-reply")
# what a person does is not passed over because a sender has a new name for it
A_PERSON_S = re.compile(
    r"unsub|opt(?:ed)?[-_. ]?out|subscription|preference|complain|abuse|spam[-_. ]?report",
    re.IGNORECASE,
)
_TABLE_KEYS = ("by", "is", "starts", "contains", "else")
_TEXT_FIRST = "text or "
_MACHINE = " by machine"
_CATEGORIES = [category.value for category in Category]
_WORDS = [*_CATEGORIES, *ActivityKind, "unsubscribed", "resubscribed", "nothing"]


class Kind(Enum):
    """What follows from an event."""

    RESPONSE = "response"
    ACTIVITY = "activity"
    UNSUBSCRIBE = "unsubscribe"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an event means. `rule` names the values that led here, of alternatives the first one."""

    kind: Kind
    category: Category = Category.UNKNOWN
    not_counted: str = ""
    text_first: bool = False
    activity: ActivityKind = ActivityKind.DELIVERED
    by_machine: bool = False
    resubscribed: bool = False
    rule: str = ""


Decide = Callable[[Row], Outcome | str]
"""A row's outcome, or the values that the tables do not know, joined by hyphens."""


def compile_outcome(value: object, scope: Scope, name: str) -> Decide:
    """The function that says what follows from a row, with rules that begin with `name.`.

    Raises ValueError for a mistake.
    """
    return _as_function(_compile(value, scope, (name,)))


def table_paths(value: object) -> Iterator[str]:
    """The top-level keys that the tables of an outcome look at."""
    if isinstance(value, list):
        for table in value:
            yield from table_paths(table)
    elif isinstance(value, Mapping):
        if "by" in value:
            yield from top_level_keys(value["by"])
        for key in ("is", "starts", "contains"):
            for below in (value.get(key) or {}).values():
                yield from table_paths(below)
        yield from table_paths(value.get("else"))


def parse_outcome(text: str) -> Outcome:
    """An outcome in words. Raises ValueError that names the word."""
    words = " ".join(text.lower().split())
    if words == "text":
        words = f"{_TEXT_FIRST}{Category.UNKNOWN}"
    text_first = words.startswith(_TEXT_FIRST)
    word, comma, not_counted = words.removeprefix(_TEXT_FIRST).partition(", ")
    if comma and not_counted not in NOT_COUNTED:
        raise ValueError(_unknown("reason for not counting", not_counted, list(NOT_COUNTED)))
    if word in _CATEGORIES:
        return Outcome(Kind.RESPONSE, Category(word), not_counted, text_first)
    kind = word.removesuffix(_MACHINE)
    if word == "unsubscribed" and not text_first and not_counted in ("", "echo"):
        return Outcome(Kind.UNSUBSCRIBE, not_counted=not_counted)
    if not text_first and not comma:
        if kind in list(ActivityKind):
            by_machine = word.endswith(_MACHINE)
            return Outcome(Kind.ACTIVITY, activity=ActivityKind(kind), by_machine=by_machine)
        if word == "resubscribed":
            return Outcome(Kind.UNSUBSCRIBE, resubscribed=True)
        if word == "nothing":
            return Outcome(Kind.NOTHING)
    raise ValueError(_unknown("outcome", text, _WORDS))


def _compile(value: object, scope: Scope, trail: tuple[str, ...]) -> Outcome | Decide:
    """`trail` is the format's name and the values on the way here."""
    if isinstance(value, str):
        return replace(parse_outcome(value), rule=_rule(trail))
    if isinstance(value, list) and value:
        return _first_that_knows([_as_function(_compile(each, scope, trail)) for each in value])
    if isinstance(value, Mapping):
        return _table(value, scope, trail)
    raise ValueError("must be an outcome such as invalid-address, or a table with 'by' and 'is'")


def _as_function(node: Outcome | Decide) -> Decide:
    return (lambda _row: node) if isinstance(node, Outcome) else node


def _first_that_knows(tables: list[Decide]) -> Decide:
    def decide(row: Row) -> Outcome | str:
        found: Outcome | str = ""
        for table in tables:
            found = table(row)
            if type(found) is not str:
                break
        return found

    return decide


def _table(table: Mapping[str, Any], scope: Scope, trail: tuple[str, ...]) -> Decide:
    for key in table:
        if key not in _TABLE_KEYS:
            hint = did_you_mean(str(key), list(_TABLE_KEYS)) or f"keys: {', '.join(_TABLE_KEYS)}"
            raise ValueError(f"unknown key '{key}' in a table; {hint}")
    if "by" not in table:
        raise ValueError("a table needs 'by': the path of the value to look up")
    get = value_getter(table["by"], scope)
    exact = _entries(table, "is", scope, trail)
    starts = tuple(_entries(table, "starts", scope, trail).items())
    contains = tuple(_entries(table, "contains", scope, trail).items())
    otherwise = _compile(table["else"], scope, trail) if "else" in table else None
    known = "".join(f"{value}-" for value in trail[1:])

    def decide(row: Row) -> Outcome | str:
        value = get(row)
        word = value.strip().lower() if type(value) is str else word_of(value)
        node = exact.get(word)
        if node is None:
            node = _by_part(word, starts, contains) if starts or contains else None
            if node is None:
                node = otherwise
                if node is None:
                    return known + word
        return node if type(node) is Outcome else node(row)  # type: ignore[operator]

    return decide


_Entries = tuple[tuple[str, Outcome | Decide], ...]


def _by_part(word: str, starts: _Entries, contains: _Entries) -> Outcome | Decide | None:
    if not word:
        return None
    for start, entry in starts:
        if word.startswith(start):
            return entry
    for part, entry in contains:
        if part in word:
            return entry
    return None


def _entries(
    table: Mapping[str, Any], kind: str, scope: Scope, trail: tuple[str, ...]
) -> dict[str, Outcome | Decide]:
    given = table.get(kind, {})
    if not isinstance(given, Mapping):
        raise ValueError(f"'{kind}' must map values to outcomes")
    entries: dict[str, Outcome | Decide] = {}
    for key, value in given.items():
        words = [word_of(word) for word in (key.split("|") if isinstance(key, str) else [key])]
        entry = _compile(value, scope, (*trail, words[0]) if words[0] else trail)
        entries |= dict.fromkeys(words, entry)
    return entries


def _rule(trail: tuple[str, ...]) -> str:
    name, *values = trail
    return f"{name}.{re.sub(r'[^a-z0-9._]+', '-', '-'.join(values)).strip('-') or 'event'}"


def _unknown(what: str, word: str, known: list[str]) -> str:
    hint = did_you_mean(word, known) or f"one of {', '.join(known)}"
    return f"unknown {what} '{word}'; {hint}"
