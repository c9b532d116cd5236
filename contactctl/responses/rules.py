"""The text rules that give a diagnostic its category: read from rules.yaml and from the config.

Refusals that are about the sender, not about the recipient, are in `sender_side.yaml`.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, lru_cache
from typing import Any

from contactctl.domain.errors import ConfigError
from contactctl.domain.responses import Category, Response
from contactctl.responses.clauses import stand_near
from contactctl.responses.data import read_data
from contactctl.responses.vocabulary import (
    folded,
    forms_of,
    languages_of,
    without_accents,
    words_by_concept,
)

_KEYS = (
    *("id", "category", "why", "text", "pattern", "near", "not_of", "needs", "ignore"),
    *("permanent", "not_counted"),
)
Near = tuple[tuple[str, ...], ...]  # lists of words, two or more: one of each stands in a clause
_ID = re.compile(r"[a-z0-9]+(?:[-.][a-z0-9]+)*\Z")


@dataclass(frozen=True)
class Rule:
    """One text rule: matches when any phrase of `texts` or any regex of `patterns` is found, or one
    of `codes`, which are a server's own and stand alone.

    All are compared with the normalised diagnostic (see `vocabulary.normalise`): lower case without
    accents, one space between words, addresses replaced by `<>`. Every match of a pattern holds one
    of `needs` (when given), so that most texts need no regex. Each of `near` is two lists of words
    or more, of which one each stands in a clause, in any order: who, "not", "is known". With
    `not_of`, words for other things, the last must be said of the first: not "the file for the user
    was removed". Both look past the phrases of `ignore`.
    A `permanent` rule is passed over when the failure is temporary (4xx). `not_counted` is empty,
    or the reason why a response of this rule does not count (`echo`).
    """

    id: str
    category: Category
    texts: tuple[str, ...] = ()
    patterns: tuple[re.Pattern[str], ...] = ()
    codes: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    near: tuple[Near, ...] = ()
    not_of: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    why: str = ""
    permanent: bool = False
    not_counted: str = ""
    _texts: frozenset[str] = field(init=False, repr=False, compare=False)
    _not_of: frozenset[str] = field(init=False, repr=False, compare=False)
    _near: tuple[tuple[frozenset[str], ...], ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Keep the words as sets, in which they are looked up."""
        object.__setattr__(self, "_texts", frozenset(self.texts))
        object.__setattr__(self, "_not_of", frozenset(self.not_of))
        object.__setattr__(self, "_near", tuple(tuple(map(frozenset, each)) for each in self.near))

    def matches(self, text: str) -> bool:
        """Whether this rule's codes or words are in a normalised diagnostic."""
        near = (words for lists in self._near for words in lists)
        words = self._texts.union(self._not_of, self.codes, *near)
        held = {word for word in words if word in text}
        return self.has_code(text, held) or self.has_words(text, held)

    def has_code(self, text: str, held: Collection[str]) -> bool:
        """Whether one of the codes among the words that a text holds stands alone there."""
        return any(
            re.search(rf"(?<!\w){re.escape(code)}(?!\w)", text)
            for code in self.codes
            if code in held
        )

    def has_words(self, text: str, held: Collection[str]) -> bool:
        """Whether this rule's words are in a text, where `held` are the words that it holds."""
        if not self._texts.isdisjoint(held):
            return True
        near = [lists for lists in self._near if not any(words.isdisjoint(held) for words in lists)]
        if not near and not self.patterns:
            return False
        for phrase in self.ignore:
            text = text.replace(phrase, "-")
        if any(pattern.search(text) for pattern in self.patterns):
            return True
        return any(stand_near(lists, text, held, self._not_of, languages_of) for lists in near)


@cache
def load_builtin_rules() -> tuple[Rule, ...]:
    """The built-in rules, in the order in which they are tried, with servers' own codes."""
    codes: dict[str, list[str]] = {}
    for vendor in read_data("codes.yaml")["vendors"]:
        for rule_id, each in vendor["codes"].items():
            codes.setdefault(rule_id, []).extend(form for code in each for form in forms_of(code))
    rules = parse_rules(read_data("rules.yaml")["rules"], origin="rules.yaml")
    return tuple(replace(rule, codes=tuple(codes.get(rule.id, ()))) for rule in rules)


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
    texts = _normal_words(mapping, "text", place)
    patterns = _strings(mapping, "pattern", place)
    needs = _strings(mapping, "needs", place)
    near = _near(mapping, place)
    if not texts and not patterns and not near:
        raise ConfigError(f"{place}: neither text nor pattern", hint="give at least one phrase")
    return Rule(
        id=_rule_id(mapping, place),
        category=_category(mapping, place),
        texts=_shortest(texts),
        patterns=tuple(_compiled(pattern, place) for pattern in patterns),
        needs=tuple(folded(word) for word in needs),
        near=near,
        not_of=_normal_words(mapping, "not_of", place),
        ignore=_normal_words(mapping, "ignore", place),
        why=str(mapping.get("why", "")),
        permanent=_flag(mapping, "permanent", place),
        not_counted=_not_counted(mapping, place),
    )


def _shortest(phrases: Sequence[str]) -> tuple[str, ...]:
    """The phrases without those that hold another, which is found anyway."""
    return tuple(
        each
        for each in dict.fromkeys(phrases)
        if not any(other in each for other in phrases if other != each)
    )


def _normal_words(mapping: Mapping[Any, Any], key: str, place: str) -> tuple[str, ...]:
    return tuple(map(folded, _with_concepts(_strings(mapping, key, place), place)))


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


def _near(mapping: Mapping[Any, Any], place: str) -> tuple[Near, ...]:
    """Lists of words that stand near each other, or a list of such."""
    value = mapping.get("near", [])
    return tuple(_lists(lists, place) for lists in (value if _holds_several(value) else [value]))


def _holds_several(value: Any) -> bool:
    return isinstance(value, list) and all(
        isinstance(lists, list) and all(isinstance(words, list) for words in lists)
        for lists in value
    )


def _lists(value: Any, place: str) -> Near:
    if not isinstance(value, list) or len(value) < 2:
        raise ConfigError(f"{place}: near must be lists of texts", hint="[[user], [unknown]]")
    lists = (_strings({"near": words}, "near", place) for words in value)
    return tuple(tuple(map(folded, _with_concepts(words, place))) for words in lists)


def _with_concepts(words: Iterable[str], place: str) -> Iterator[str]:
    """The words, in place of `$mailbox` those of that concept."""
    for word in words:
        if not word.startswith("$"):
            yield word
        elif word[1:] in words_by_concept():
            yield from words_by_concept()[word[1:]]
        else:
            concepts = ", ".join(sorted(words_by_concept()))
            raise ConfigError(f"{place}: unknown concept {word}", hint=f"concepts: {concepts}")


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


# Refusals that are about the sender, not about the recipient (`sender_side.yaml`)


SENDER_SIDE = "sender-side"  # response.not_counted
_MOST_KNOWN = 4096


@dataclass(frozen=True, slots=True)
class SenderFault:
    """What of the sender was refused (`host`, `authentication`, ...), and what to repair."""

    about: str
    repair: str
    rules: frozenset[str]
    statuses: frozenset[str]


def is_sender_side(response: Response) -> bool:
    """Whether the refusal says nothing about its recipient."""
    if response.category is not Category.BLOCKED:
        return False
    return fault_of(response.rule, response.status) is not None


@lru_cache(_MOST_KNOWN)
def fault_of(rule: str, status: str) -> SenderFault | None:
    """What was refused by a rule of that id and that enhanced status; None: the recipient."""
    detail = status.partition(".")[2]
    return next(
        (fault for fault in _faults() if rule in fault.rules or detail in fault.statuses), None
    )


def reasons_by_fault(
    reasons: Iterable[tuple[str, str]],
) -> dict[SenderFault, list[tuple[str, str]]]:
    """The (rule, status) that speak of each fault."""
    found: dict[SenderFault, list[tuple[str, str]]] = {}
    for rule, status in reasons:
        fault = fault_of(rule, status)
        if fault is not None:
            found.setdefault(fault, []).append((rule, status))
    return found


@cache
def _faults() -> tuple[SenderFault, ...]:
    return tuple(
        SenderFault(
            each["about"],
            each["repair"],
            frozenset(each["rules"]),
            frozenset(each["statuses"]),
        )
        for each in read_data("sender_side.yaml")
    )
