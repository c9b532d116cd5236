"""Every regular expression that reads a mail takes time in proportion to its text.

This is read from the expressions themselves: a backtracking matcher is slow where a repeat begins
each attempt of a search, where one repeat may give characters to the next, and where a repeat is
inside another without anything between two rounds.
"""

import importlib
import pkgutil
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest

from contactctl.responses import mail
from contactctl.responses.rules import load_builtin_rules

# the parser of the standard library has no types
_parser: Any = importlib.import_module("re._parser")
op: Any = importlib.import_module("re._constants")
Node = tuple[Any, Any]
_ALL = frozenset(range(0x180))
_LONG = 300  # what repeats no more often costs no more than so many steps at each character
_REPEATS = (op.MAX_REPEAT, op.MIN_REPEAT)
_MODULES = (
    "contactctl.responses.classify",
    "contactctl.responses.clauses",
    "contactctl.responses.status",
    "contactctl.responses.vocabulary",
)


def _chars(node: Node) -> frozenset[int]:
    """The characters that one node matches, or that a group or a repeat holds."""
    kind, value = node
    if kind is op.LITERAL:
        return frozenset((value,))
    if kind is op.NOT_LITERAL:
        return _ALL - {value}
    if kind is op.ANY:
        return _ALL - {ord("\n")}
    if kind is op.RANGE:
        return frozenset(range(value[0], min(value[1], max(_ALL)) + 1))
    if kind is op.CATEGORY:
        test = _CATEGORIES[value]
        return frozenset(each for each in _ALL if test(chr(each)))
    if kind is op.IN:
        each = [_chars(one) for one in value if one[0] is not op.NEGATE]
        found = frozenset().union(*each)
        return _ALL - found if value[0][0] is op.NEGATE else found
    return frozenset().union(*(_chars(one) for body in _bodies(node) for one in body))


_CATEGORIES: dict[Any, Callable[[str], bool]] = {
    op.CATEGORY_DIGIT: str.isdigit,
    op.CATEGORY_NOT_DIGIT: lambda char: not char.isdigit(),
    op.CATEGORY_SPACE: str.isspace,
    op.CATEGORY_NOT_SPACE: lambda char: not char.isspace(),
    op.CATEGORY_WORD: lambda char: char.isalnum() or char == "_",
    op.CATEGORY_NOT_WORD: lambda char: not (char.isalnum() or char == "_"),
}

_CATEGORY_WORD = frozenset(each for each in _ALL if _CATEGORIES[op.CATEGORY_WORD](chr(each)))


def _bodies(node: Node) -> Sequence[Sequence[Node]]:
    kind, value = node
    if kind in (*_REPEATS, op.POSSESSIVE_REPEAT):
        return [value[2]]
    if kind is op.SUBPATTERN:
        return [value[3]]
    if kind is op.BRANCH:
        return list(value[1])
    if kind in (op.ASSERT, op.ASSERT_NOT):
        return [value[1]]
    return [value] if kind is op.ATOMIC_GROUP else []


def _may_be_empty(node: Node) -> bool:
    kind, value = node
    if kind in (*_REPEATS, op.POSSESSIVE_REPEAT):
        return value[0] == 0 or all(map(_may_be_empty, value[2]))
    if kind in (op.AT, op.ASSERT, op.ASSERT_NOT):
        return True
    return bool(_bodies(node)) and any(all(map(_may_be_empty, body)) for body in _bodies(node))


def _is_long(node: Node) -> bool:
    return node[0] in _REPEATS and node[1][1] > _LONG


def _is_variable(node: Node) -> bool:
    return node[0] in _REPEATS and node[1][0] != node[1][1]


def _within(body: Sequence[Node]) -> Iterator[Node]:
    """Every node below, at any depth; what is atomic gives nothing back."""
    for node in body:
        yield node
        if node[0] not in (op.POSSESSIVE_REPEAT, op.ATOMIC_GROUP):
            for inner in _bodies(node):
                yield from _within(inner)


def _first(body: Sequence[Node]) -> Iterator[Node]:
    """The nodes with which a match may begin."""
    for node in body:
        yield node
        for inner in _bodies(node) if node[0] not in _REPEATS else ():
            yield from _first(inner)
        if not _may_be_empty(node):
            return


def _sequences(body: Sequence[Node]) -> Iterator[Sequence[Node]]:
    yield body
    for node in _within(body):
        yield from _bodies(node)


def _starts(node: Node) -> frozenset[int]:
    """The characters with which a node begins."""
    bodies = _bodies(node)
    firsts = [one for body in bodies for one in _first(body)] if bodies else []
    return frozenset().union(*map(_starts, firsts)) if bodies else _chars(node)


def _begins_slowly(body: Sequence[Node], barred: frozenset[int] = frozenset()) -> bool:
    """Whether each place of a long run is a new beginning; none is inside a run of what is `barred`
    before."""
    for node in body:
        kind, value = node
        if kind is op.AT and value is not op.AT_BOUNDARY:
            return False
        if kind is op.AT:
            barred |= _CATEGORY_WORD
        elif kind is op.ASSERT and value[0] < 0:
            barred |= _ALL - _chars(node)
        elif kind in (*_REPEATS, op.POSSESSIVE_REPEAT):
            is_last = node is body[-1]  # and cannot fail further on
            if value[1] > _LONG and not is_last and not _chars(node) <= barred:
                return True
        elif any(_begins_slowly(inner, barred) for inner in _bodies(node)):
            return True
        if not _may_be_empty(node):
            return False
    return False


def _faults(pattern: re.Pattern[Any], *, is_searched: bool) -> Iterator[str]:
    written = pattern.pattern
    text = written.decode("latin-1") if isinstance(written, bytes) else written
    tree = list(_parser.parse(text, pattern.flags & ~op.SRE_FLAG_UNICODE))
    if is_searched and _begins_slowly(tree):
        yield "begins with a repeat"
    for body in _sequences(tree):
        for number, node in enumerate(body):
            if not _is_long(node):
                continue
            for follower in _first(list(body)[number + 1 :]):
                if _is_long(follower) and _chars(node) & _starts(follower):
                    yield "two repeats of the same characters"
    for node in _within(tree):
        if node[0] in _REPEATS and node[1][1] > 1:
            inner = [each for each in _within(node[1][2]) if _is_variable(each) and each[1][1] > 1]
            between = [each for each in node[1][2] if not _may_be_empty(each)]
            repeated = frozenset().union(*map(_chars, inner)) if inner else frozenset()
            if inner and all(_chars(each) & repeated for each in between):
                yield "a repeat in a repeat with nothing between"


def _patterns() -> Iterator[tuple[str, re.Pattern[Any], bool]]:
    """(name, pattern, whether it is looked for anywhere) of the rules, and of all modules that read
    mails."""
    for rule in load_builtin_rules():
        for number, pattern in enumerate(rule.patterns):
            yield f"{rule.id}.{number}", pattern, True
    found = pkgutil.walk_packages(mail.__path__, f"{mail.__name__}.")
    for name in (*_MODULES, *(each.name for each in found)):
        for key, value in vars(importlib.import_module(name)).items():
            if isinstance(value, re.Pattern):
                yield f"{name.rpartition('.')[2]}.{key}", value, key not in _AT_A_PLACE


# Compared at one place, and not looked for.
_AT_A_PLACE = ("_DELIVERED", "_REFUSED_RECIPIENT", "_REPLY", "_RULE", "_ENCODED", "_MBOX_FROM")


def test_no_expression_is_slower_than_its_text_is_long() -> None:
    faults = {
        name: found
        for name, pattern, is_searched in _patterns()
        if (found := sorted(set(_faults(pattern, is_searched=is_searched))))
    }

    assert faults == {}


@pytest.mark.parametrize(
    ("expression", "fault"),
    [
        (r"\bx(?:a+)+b", "a repeat in a repeat with nothing between"),
        (r"\bx(?:\w+[ \t]?)*:", "a repeat in a repeat with nothing between"),
        (r"reason:\n[ \t]*\n?[ \t]*\S", "two repeats of the same characters"),
        (r"(?!\*+@)\S", "begins with a repeat"),
        (r"(?:[^.;]|\.(?! ))*may", "begins with a repeat"),
        (r"x\s*(?:<>)?\s+y", "two repeats of the same characters"),
    ],
)
def test_slow_expressions_are_known_by_their_form(expression: str, fault: str) -> None:
    assert fault in _faults(re.compile(expression), is_searched=True)


@pytest.mark.parametrize(
    "expression",
    [r"x\s*+(?:<>)?\s+y", r"\b[\w-]{1,63}(?:\.[\w-]{1,63}){0,10}", r"x(?:\n[ \t]*\S+)*+", r"^a*b"],
)
def test_fast_expressions_are_not_blamed(expression: str) -> None:
    assert list(_faults(re.compile(expression), is_searched=True)) == []
