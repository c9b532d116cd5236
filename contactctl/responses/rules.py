"""The text rules that give a diagnostic its category: read from rules.yaml and from the config."""

import re
import unicodedata
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.resources import files
from typing import Any

from contactctl.domain.errors import ConfigError
from contactctl.domain.responses import Category

_KEYS = (
    *("id", "category", "why", "text", "pattern", "near", "needs", "ignore"),
    *("permanent", "not_counted"),
)
Pair = tuple[tuple[str, ...], tuple[str, ...]]  # one word of each stands in a clause
_MAX_GAP = 60  # characters between them
_END_OF_CLAUSE = re.compile(r"[;:!。！]|\.(?= )|--")
_SHORT_WORD = 4  # "full" is not the start of "fully", nor "no" of "now"
_MARKS = re.compile("[\u0300-\u036f]")
_LETTERS = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "ı": "i", "ß": "ss", "æ": "ae", "œ": "oe"})
_ID = re.compile(r"[a-z0-9]+(?:[-.][a-z0-9]+)*\Z")


@dataclass(frozen=True)
class Rule:
    """One text rule: matches when any phrase of `texts` or any regex of `patterns` is found.

    Both are compared with the normalised diagnostic (see `classify.normalise`): lower case without
    accents, one space between words, addresses replaced by `<>`. Every match of a pattern holds one
    of `needs` (when given), so that most texts need no regex. Each of `near` is two lists of words,
    of which one each stands in a clause, in either order; both look past the phrases of `ignore`.
    A `permanent` rule is passed over when the failure is temporary (4xx). `not_counted` is empty,
    or the reason why a response of this rule does not count (`echo`).
    """

    id: str
    category: Category
    texts: tuple[str, ...] = ()
    patterns: tuple[re.Pattern[str], ...] = ()
    needs: tuple[str, ...] = ()
    near: tuple[Pair, ...] = ()
    ignore: tuple[str, ...] = ()
    why: str = ""
    permanent: bool = False
    not_counted: str = ""

    def matches(self, text: str, held: Collection[str] | None = None) -> bool:
        """Whether this rule's words are in a normalised diagnostic. `held` are words that the text
        is known to hold; without it all are looked for."""
        held = [word for word in self._words if word in text] if held is None else held
        if not self._texts.isdisjoint(held):
            return True
        pairs = [
            pair
            for pair in self._pairs
            if not pair[1].isdisjoint(held) and not pair[0].isdisjoint(held)
        ]
        if not pairs and not self.patterns:
            return False
        for phrase in self.ignore:
            text = text.replace(phrase, "-")
        if any(pattern.search(text) for pattern in self.patterns):
            return True
        return any(_stand_near(these, those, text, held) for these, those in pairs)

    @cached_property
    def _texts(self) -> frozenset[str]:
        return frozenset(self.texts)

    @cached_property
    def _pairs(self) -> list[tuple[frozenset[str], frozenset[str]]]:
        return [(frozenset(these), frozenset(those)) for these, those in self.near]

    @cached_property
    def _words(self) -> frozenset[str]:
        return self._texts.union(*(words for pair in self._pairs for words in pair))


def _stand_near(
    these: Collection[str], those: Collection[str], text: str, held: Collection[str]
) -> bool:
    """Whether a held word of each list stands in one clause, not too far from each other."""
    places = list(_places(those, text, held))
    return bool(places) and any(
        _is_gap(text, min(first[1], second[1]), max(first[0], second[0]))
        for first in _places(these, text, held)
        for second in places
    )


def _places(words: Collection[str], text: str, held: Collection[str]) -> Iterator[tuple[int, int]]:
    for word in held:
        if word in words:
            yield from (match.span() for match in _word(word).finditer(text))


def _is_gap(text: str, start: int, end: int) -> bool:
    """A full stop inside a host name ends no clause."""
    return start <= end <= start + _MAX_GAP and not _END_OF_CLAUSE.search(text, start, end)


@cache
def load_builtin_rules() -> tuple[Rule, ...]:
    """The built-in rules, in the order in which they are tried."""
    import yaml  # noqa: PLC0415 - only who classifies pays for it

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    text = files("contactctl.responses").joinpath("rules.yaml").read_text(encoding="utf-8")
    builtin = yaml.load(text, Loader=loader)  # noqa: S506 - safe loaders
    return parse_rules(builtin["rules"], origin="rules.yaml")


def parse_rules(mappings: Sequence[Any], *, origin: str = "config") -> tuple[Rule, ...]:
    """Rules from mappings with the keys of a rule.

    `text` and `pattern` are a string or a list of strings. Raises ConfigError naming `origin` and
    the rule.
    """
    rules = tuple(
        _parse_rule(mapping, f"{origin}: rule {number}")
        for number, mapping in enumerate(mappings, start=1)
    )
    _refuse_duplicate_ids(rules, origin)
    return rules


def _parse_rule(mapping: Any, place: str) -> Rule:
    if not isinstance(mapping, Mapping):
        raise ConfigError(f"{place}: not a mapping", hint="write `id:`, `category:` and `text:`")
    _refuse_unknown_keys(mapping, place)
    texts = _strings(mapping, "text", place)
    patterns = _strings(mapping, "pattern", place)
    needs = _strings(mapping, "needs", place)
    near = _near(mapping, place)
    if not texts and not patterns and not near:
        raise ConfigError(f"{place}: neither text nor pattern", hint="give at least one phrase")
    return Rule(
        id=_rule_id(mapping, place),
        category=_category(mapping, place),
        texts=tuple(_normal(text) for text in texts),
        patterns=tuple(_compiled(pattern, place) for pattern in patterns),
        needs=tuple(_normal(word) for word in needs),
        near=near,
        ignore=tuple(_normal(phrase) for phrase in _strings(mapping, "ignore", place)),
        why=str(mapping.get("why", "")),
        permanent=_flag(mapping, "permanent", place),
        not_counted=_not_counted(mapping, place),
    )


def _normal(phrase: str) -> str:
    return " ".join(without_accents(phrase.lower()).split())


def without_accents(text: str) -> str:
    """Letters of lower case without their marks: many servers write none. Marks that make another
    letter of an Indic or Japanese one stay."""
    if text.isascii():
        return text
    bare = _MARKS.sub("", unicodedata.normalize("NFD", text))
    return unicodedata.normalize("NFC", bare).translate(_LETTERS)


def _refuse_unknown_keys(mapping: Mapping[Any, Any], place: str) -> None:
    for key in mapping:
        if key not in _KEYS:
            raise ConfigError(f"{place}: unknown key {key!r}", hint=f"keys: {', '.join(_KEYS)}")


def _rule_id(mapping: Mapping[Any, Any], place: str) -> str:
    rule_id = mapping.get("id")
    if not isinstance(rule_id, str) or not _ID.match(rule_id):
        raise ConfigError(
            f"{place}: id {rule_id!r} is no rule id", hint="lower-case words joined by hyphens"
        )
    return rule_id


def _category(mapping: Mapping[Any, Any], place: str) -> Category:
    slugs = [category.value for category in Category]
    slug = mapping.get("category")
    if slug not in slugs:
        raise ConfigError(f"{place}: unknown category {slug!r}", hint=f"one of {', '.join(slugs)}")
    return Category(slug)


def _not_counted(mapping: Mapping[Any, Any], place: str) -> str:
    reason = mapping.get("not_counted", "")
    if reason not in ("", "echo"):
        raise ConfigError(f"{place}: not_counted {reason!r}", hint="leave it out, or write echo")
    return str(reason)


def _flag(mapping: Mapping[Any, Any], key: str, place: str) -> bool:
    value = mapping.get(key, False)
    if not isinstance(value, bool):
        raise ConfigError(f"{place}: {key} {value!r}", hint="write true or false")
    return value


def _near(mapping: Mapping[Any, Any], place: str) -> tuple[Pair, ...]:
    """Two lists of words, or a list of such pairs."""
    value = mapping.get("near", [])
    return tuple(_pair(pair, place) for pair in (value if _holds_pairs(value) else [value]))


def _holds_pairs(value: Any) -> bool:
    return isinstance(value, list) and all(
        isinstance(pair, list) and all(isinstance(words, list) for words in pair) for pair in value
    )


def _pair(value: Any, place: str) -> Pair:
    if not isinstance(value, list) or len(value) != 2:
        raise ConfigError(f"{place}: near must be two lists of texts", hint="[[user], [unknown]]")
    these, those = (_strings({"near": list(_flat(words))}, "near", place) for words in value)
    return tuple(map(_normal, these)), tuple(map(_normal, those))


def _flat(words: Any) -> Iterator[Any]:
    """The words of a list that may hold lists."""
    for word in words if isinstance(words, list) else [words]:
        if isinstance(word, list):
            yield from _flat(word)
        else:
            yield word


@cache
def _word(word: str) -> re.Pattern[str]:
    """A word, or the start of one; scripts without spaces have no starts of words."""
    start = r"\b" if word[0].isascii() else ""
    end = r"\b" if word.isascii() and len(word) <= _SHORT_WORD else ""
    return re.compile(f"{start}{re.escape(word)}{end}(?!'s)")


def _strings(mapping: Mapping[Any, Any], key: str, place: str) -> list[str]:
    value = mapping.get(key, [])
    values = [value] if isinstance(value, str) else value
    if not isinstance(values, list) or not all(isinstance(v, str) and v.strip() for v in values):
        raise ConfigError(
            f"{place}: {key} must be text or a list of texts", hint="quote numbers and empty text"
        )
    return values


def _compiled(pattern: str, place: str) -> re.Pattern[str]:
    try:
        return re.compile(without_accents(pattern), re.IGNORECASE)
    except re.error as error:
        raise ConfigError(
            f"{place}: pattern {pattern!r}: {error}", hint="a Python regular expression"
        ) from error


def _refuse_duplicate_ids(rules: Sequence[Rule], origin: str) -> None:
    seen: set[str] = set()
    for rule in rules:
        if rule.id in seen:
            raise ConfigError(f"{origin}: rule id {rule.id} twice", hint="give each its own id")
        seen.add(rule.id)
