"""Paths into a document, compiled to functions: `data.email`, `items[].reason`, `"a key.b"`.

`[]` stands for each element of a list, `*` for each value of an object. Paths of one mapping that
begin alike up to a `[]` speak of the same element: a row is the document, followed by the element
of each `[]` on the way to the address.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from operator import itemgetter

Row = tuple[object, ...]
Get = Callable[[Row], object]
Steps = tuple[str, ...]
Test = Callable[[Mapping[str, object]], bool]

_EACH, _ANY = "[]", "*"
_KEY = r'(?:"[^"]+"|[^".\[\]]+)'
_PATH = re.compile(rf"{_KEY}(?:\[\])*(?:\.{_KEY}(?:\[\])*)*")
_STEP = re.compile(rf"{_KEY}|\[\]")


def parse_path(text: str) -> Steps:
    """The steps of a path. Raises ValueError for what is not one."""
    text = text.strip()
    if not _PATH.fullmatch(text):
        raise ValueError(f"'{text}' is not a path such as data.email or items[].email")
    return tuple(step.strip('"').strip() for step in _STEP.findall(text))


def texts_of(value: object) -> list[str]:
    """A text as a list of one, a list of texts as it is. Raises ValueError for anything else."""
    texts = [value] if isinstance(value, str) else value
    if not isinstance(texts, list) or not texts or not all(isinstance(t, str) for t in texts):
        raise ValueError("must be a path or a list of paths")
    return texts


class Scope:
    """The lists on the way to the address, and the rows of a document that follow from them."""

    def __init__(self, paths: Sequence[Steps]) -> None:
        longest = max(paths, key=lambda steps: steps.count(_EACH), default=())
        ends = [number for number, step in enumerate(longest, 1) if step == _EACH]
        self._prefixes: list[Steps] = [(), *(longest[:end] for end in ends)]
        self._ways = [
            self._prefixes[number][len(self._prefixes[number - 1]) : -1]
            for number in range(1, len(self._prefixes))
        ]
        self.depth = len(self._ways)
        """How many lists are entered."""

    def rows(self, document: Mapping[str, object]) -> list[Row]:
        """One row an element; where a list is missing or empty, one with None in its place."""
        if self.depth == 1:
            return [(document, item) for item in _elements(_follow(document, self._ways[0]))]
        rows: list[Row] = [(document,)]
        for way in self._ways:
            rows = [(*row, item) for row in rows for item in _elements(_follow(row[-1], way))]
        return rows

    def level(self, steps: Steps) -> int:
        """The innermost list that a path goes through."""
        return max(
            number for number, prefix in enumerate(self._prefixes) if steps[: len(prefix)] == prefix
        )

    def getter(self, steps: Steps) -> Get:
        """What a path finds in a row; of a list off the way to the address, its first value."""
        level = self.level(steps)
        rest = steps[len(self._prefixes[level]) :]
        if not rest:
            return itemgetter(level)
        if _EACH in rest or _ANY in rest:
            return lambda row: next(filter(is_filled, values_at(row[level], rest)), None)
        if level == 0 and len(rest) <= 2:
            return _from_document(*rest)
        return lambda row: _follow(row[level], rest)


def _from_document(key: str, inner_key: str | None = None) -> Get:
    """The usual paths, in half the time."""
    if inner_key is None:
        return lambda row: row[0].get(key)  # type: ignore[attr-defined]

    def get(row: Row) -> object:
        inner = row[0].get(key)  # type: ignore[attr-defined]
        return inner.get(inner_key) if isinstance(inner, dict) else None

    return get


def value_getter(value: object, scope: Scope) -> Get:
    """A path, `=text` for a constant, or a list of them: the first that finds something."""
    texts = texts_of(value)
    getters = [_getter(text, scope) for text in texts]
    if len(getters) == 1:
        return getters[0]

    def first_filled(row: Row) -> object:
        for get in getters:
            found = get(row)
            if is_filled(found):
                return found
        return None

    return first_filled


def values_at(value: object, steps: Steps) -> list[object]:
    """Every value that a path finds; a value where a list is expected counts as a list of one."""
    found = [value]
    for step in steps:
        if step == _EACH:
            found = [
                item for each in found for item in (each if isinstance(each, list) else [each])
            ]
        elif step == _ANY:
            found = [item for each in found if isinstance(each, dict) for item in each.values()]
        else:
            found = [each.get(step) for each in found if isinstance(each, dict)]
    return found


def is_filled(value: object) -> bool:
    """Whether a value says something: not null, not an empty text, list or object."""
    return bool(value) or (value is not None and isinstance(value, (bool, int, float)))


def word_of(value: object) -> str:
    """A value as it is compared: lower case, `true` and `false`, numbers as text; else empty."""
    if isinstance(value, str):
        return value.strip().lower()
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int) and value.bit_length() < 256 else ""


def compile_test(conditions: object) -> Test:
    """Whether any of some conditions holds: `email and created and no event`, `Type = Bounce`."""
    alternatives = [_all_terms(text) for text in texts_of(conditions)]
    if len(alternatives) == 1:
        return alternatives[0]

    def any_holds(document: Mapping[str, object]) -> bool:
        for holds in alternatives:  # noqa: SIM110 - a generator takes three times as long
            if holds(document):
                return True
        return False

    return any_holds


def anchors(conditions: object) -> frozenset[str] | None:
    """Keys of which a document has one wherever a condition holds; None if none is sure."""
    found = set()
    for text in texts_of(conditions):
        terms = [term.strip() for term in text.split(" and ")]
        sure = [term.partition(" = ")[0] for term in terms if not term.startswith("no ")]
        if not sure:
            return None
        found.add(parse_path(sure[0])[0])
    return frozenset(found)


def top_level_keys(value: object) -> Iterator[str]:
    """The keys of a document that paths, or conditions, start from."""
    for text in texts_of(value):
        for term in text.split(" and "):
            path = term.partition(" = ")[0].strip().removeprefix("no ")
            if not path.startswith("="):
                yield parse_path(path)[0]


def _getter(text: str, scope: Scope) -> Get:
    if text.startswith("="):
        constant = text[1:].strip()
        return lambda _row: constant
    return scope.getter(parse_path(text))


def _all_terms(text: str) -> Test:
    needed: set[str] = set()
    refused: set[str] = set()
    tests: list[Test] = []
    for term in text.split(" and "):
        path, equals, values = term.partition(" = ")
        is_refused = path.strip().startswith("no ")
        steps = parse_path(path.strip().removeprefix("no "))
        if equals:
            tests.append(_equals(steps, values))
        elif len(steps) == 1:
            (refused if is_refused else needed).add(steps[0])
        else:
            tests.append(_has_not(steps) if is_refused else _has(steps))
    return _conjunction(frozenset(needed), frozenset(refused), tests)


def _conjunction(needed: frozenset[str], refused: frozenset[str], tests: list[Test]) -> Test:
    def holds(document: Mapping[str, object]) -> bool:
        for key in needed:
            if document.get(key) is None:
                return False
        if refused and not refused.isdisjoint(document):
            return False
        for test in tests:  # noqa: SIM110 - a generator takes three times as long
            if not test(document):
                return False
        return True

    return holds


def _equals(steps: Steps, values: str) -> Test:
    accepted = frozenset(word_of(value) for value in values.split("|"))
    if _EACH in steps or _ANY in steps:
        return lambda document: any(word_of(f) in accepted for f in values_at(document, steps))
    if len(steps) == 1:
        key = steps[0]
        return lambda document: word_of(document.get(key)) in accepted
    return lambda document: word_of(_follow(document, steps)) in accepted


def _has(steps: Steps) -> Test:
    if _EACH in steps or _ANY in steps:
        return lambda document: any(map(is_filled, values_at(document, steps)))
    return lambda document: is_filled(_follow(document, steps))


def _has_not(steps: Steps) -> Test:
    has = _has(steps)
    return lambda document: not has(document)


def _elements(value: object) -> list[object]:
    items = value if isinstance(value, list) else [value]
    return items or [None]


def _follow(value: object, keys: Steps) -> object:
    for key in keys:
        if not isinstance(value, dict):
            return None
        value = value.get(key)
    return value
