"""From what a server said to a category: text rules, enhanced status, reply code.

A judgement is remembered.
"""

import re
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from contactctl.domain.responses import Category
from contactctl.responses.data import read_data
from contactctl.responses.rules import Rule, load_builtin_rules
from contactctl.responses.status import find_codes, reply_category, status_category
from contactctl.responses.vocabulary import (
    PhraseIndex,
    concepts_in,
    normalise,
    without_accents,
)

_REMEMBERED_TEXTS = 1_024

_SENDER_REPLIES = ("417", "517", "530", "535", "538")  # 517 is Courier's way to say 5.1.7
_HEDGES = without_accents(
    r"\b(?:(?<!\d )may(?! \d)|might|could(?! not)|perhaps|possibly|maybe|probably|either"
    r"|possible (?:causes?|reasons?)|möglicherweise|vielleicht|eventuell|peut-être"
    r"|quizás?|puede que|talvez|forse|potrebbe"
    r"|misschien|mogelijk|kanske|måske|kanskje|być może|возможно|может)\b|可能|かもしれ|恐れ|가능성"
)
_HEDGE = re.compile(_HEDGES)
_END_OF_CLAUSE = re.compile(r"\.(?= )|[;:!?。]|\.\Z")
# Why a server could not look an address up for now; an address that it did not find is another.
_TROUBLE = re.compile(
    r"\btim(?:ed|e) ?out|offline|lookup|database|datenbank|base de d|\bdns\b|directory|verzeichnis"
    r"|directorio|annuaire|katalog|\bбаз|каталог|volume"
    r"|right now|pour le moment|momentan|por el momento|al momento"
)


@dataclass(frozen=True, slots=True)
class Classification:
    """What a diagnostic means.

    `category` is None, and `rule` empty, where neither text nor codes say anything. `rule` is the
    id of a text rule, `status-5.1.1` or `reply-550`. `status` is the enhanced status that was used:
    the one given, or one found in the text. `not_counted` says why a response of this kind counts
    towards no threshold; `by_text` tells a rule's words from codes alone.
    """

    category: Category | None
    rule: str = ""
    status: str = ""
    not_counted: str = ""
    by_text: bool = False


class _Reading(NamedTuple):
    """What a text's words mean (None where no rule knows them), and its codes."""

    words: Classification | None
    status: str
    reply_code: str


class Classifier:
    """Tries rules in order, `own` ones first, then the codes of all others; the first that matches
    decides.

    A thorough one is for those who want to know what else was said (`mail.failure.judge`).
    """

    def __init__(
        self, rules: Sequence[Rule], own: Sequence[Rule] = (), *, is_thorough: bool = False
    ) -> None:
        self.rules = (*own, *rules)
        self.is_thorough = is_thorough
        self._tries: list[tuple[Rule, Callable[[Rule, str, Collection[str]], bool]]] = [
            *((rule, Rule.has_words) for rule in own),
            *((rule, Rule.has_code) for rule in rules if rule.codes),
            *((rule, Rule.has_words) for rule in rules),
        ]
        self._numbers_by_phrase: dict[str, list[int]] = {}
        self._always_tried: list[int] = []
        for number, (rule, test) in enumerate(self._tries):
            if test is Rule.has_code:
                for code in rule.codes:
                    self._numbers_by_phrase.setdefault(code, []).append(number)
                continue
            pointing = (word for lists in rule.near for word in lists[-1])
            for phrase in (*rule.texts, *rule.needs, *pointing):
                self._numbers_by_phrase.setdefault(phrase, []).append(number)
            alone = (word for lists in rule.near for words in lists[:-1] for word in words)
            for word in (*alone, *rule.not_of):
                self._numbers_by_phrase.setdefault(word, [])  # points to no rule
            if rule.patterns and not rule.needs:
                self._always_tried.append(number)
        self._index = PhraseIndex(self._numbers_by_phrase)
        # servers say the same of many recipients
        self._first_match = lru_cache(maxsize=_REMEMBERED_TEXTS)(self._find_first_match)

    def classify(
        self, *, diagnostic: str, status: str = "", reply_code: str = ""
    ) -> Classification:
        """Classify a server's answer, a DSN's diagnostic code or a provider's reason text."""
        said = self._read(diagnostic, status, reply_code)
        if said.words:
            return said.words
        by_codes = _by_codes(said.status, said.reply_code)
        if by_codes.category not in (None, Category.UNKNOWN):
            return by_codes
        voted = self.by_concepts(diagnostic, status=said.status, reply_code=said.reply_code)
        return voted or by_codes

    def by_concepts(
        self, text: str, *, status: str = "", reply_code: str = ""
    ) -> Classification | None:
        """What a refusal may mean whose words no rule knows: what it speaks of votes for a category
        (`votes.yaml`); None without a clear majority. The rule names what was found."""
        text = normalise(text)
        is_temporary = _is_temporary(text, status or reply_code or find_codes(text)[0])
        is_sure = not (is_temporary or _HEDGE.search(text) or _is_about_sender(status, reply_code))
        concepts = concepts_in(text, self._index.found_in(text))
        category, voters = _vote(concepts, is_temporary=is_temporary, may_be_invalid=is_sure)
        if category is None:
            return None
        return Classification(category, f"concepts-{'-'.join(sorted(voters))}", status)

    def by_words(
        self, text: str, *, status: str = "", reply_code: str = ""
    ) -> Classification | None:
        """What the words of a text mean, codes apart; None where no rule knows them."""
        return self._read(text, status, reply_code).words

    def _read(self, diagnostic: str, status: str, reply_code: str) -> "_Reading":
        text = normalise(diagnostic)
        found_reply, found_status = find_codes(text)
        status = found_status if found_status and _says_little(status) else status
        reply_code = reply_code or found_reply
        text = _without_repeated_codes(text, found_reply, found_status)
        is_temporary = _is_temporary(text, status or reply_code)
        rule = self._first_match(text, is_temporary, _is_about_sender(status, reply_code))
        words = None
        if rule is not None:
            words = Classification(rule.category, rule.id, status, rule.not_counted, by_text=True)
        return _Reading(words, status, reply_code)

    def _find_first_match(
        self, text: str, is_temporary: bool, is_about_sender: bool
    ) -> Rule | None:
        """The rule that decides; None where words about an address may be about the sender's."""
        for rule in self._matching(text):
            if not (is_temporary and rule.permanent):
                if rule.category is not Category.INVALID_ADDRESS:
                    return rule
                if is_about_sender:
                    return None
                if is_temporary and _TROUBLE.search(text):
                    continue
                if not _is_hedged(rule, text):
                    return rule
        return None

    def _matching(self, text: str) -> Iterator[Rule]:
        """The rules that match a text, in order."""
        held = self._index.found_in(text)
        numbers = set(self._always_tried)
        for phrase in held:
            numbers.update(self._numbers_by_phrase[phrase])
        for rule, test in (self._tries[number] for number in sorted(numbers)):
            if test(rule, text, held):
                yield rule


def _vote(
    concepts: Collection[str], *, is_temporary: bool, may_be_invalid: bool
) -> tuple[Category | None, Collection[str]]:
    """The category that a majority of concepts speaks for, and those that do."""
    rules = read_data("votes.yaml")
    weights = {Category(slug): each for slug, each in rules["votes"].items()}
    votes = {
        category: sum(weight for concept, weight in each.items() if concept in concepts)
        for category, each in weights.items()
    }
    votes[Category.COMMUNICATION_FAILURE] += is_temporary
    others = votes[Category.BLOCKED] + votes[Category.COMMUNICATION_FAILURE]
    is_said = all(set(each).intersection(concepts) for each in rules["needed"])
    if others or not may_be_invalid or not is_said:
        votes[Category.INVALID_ADDRESS] = 0
    first, second = sorted(votes, key=votes.__getitem__, reverse=True)[:2]
    if votes[first] - votes[second] < rules["margin"]:
        return None, ()
    return first, [concept for concept in weights[first] if concept in concepts]


@lru_cache(maxsize=4)
def default_classifier(
    extra_rules: tuple[Rule, ...] = (), *, is_thorough: bool = False
) -> Classifier:
    """The built-in rules, after the `extra_rules` of the config; the same ones make one classifier
    in a process, whose index takes a tenth of a second."""
    return Classifier(load_builtin_rules(), extra_rules, is_thorough=is_thorough)


def _is_hedged(rule: Rule, text: str) -> bool:
    """Whether a rule's words are only supposed: "the address may not exist". A known phrase that
    supposes is meant so."""
    if not _HEDGE.search(text):
        return False
    plain = (clause for clause in _END_OF_CLAUSE.split(text) if not _HEDGE.search(clause))
    if rule.matches(" . ".join(plain)):
        return False
    return not any(_HEDGE.search(phrase) and phrase in text for phrase in rule.texts)


def _without_repeated_codes(text: str, reply_code: str, status: str) -> str:
    """A reply of several lines without the codes that open its second and later lines."""
    if not reply_code or f"{reply_code}-" not in text:
        return text
    head, code, rest = text.partition(reply_code)
    with_status = (f" {reply_code}-{status} ", f" {reply_code} {status} ") if status else ()
    for repeated in (*with_status, f" {reply_code}-", f" {reply_code} "):
        rest = rest.replace(repeated, " ")
    return f"{head}{code}{rest}"


def _says_little(status: str) -> bool:
    return not status or status.endswith(".0.0")


def _is_about_sender(status: str, reply_code: str) -> bool:
    """Whether the codes say that the sender's address or credentials were refused."""
    return status.endswith((".1.7", ".1.8")) or reply_code in _SENDER_REPLIES


def _is_temporary(text: str, code: str) -> bool:
    return code.startswith("4") if code else "temporar" in text


def by_status(status: str) -> Classification:
    """What an enhanced status means by itself."""
    return Classification(status_category(status), f"status-{status}", status)


def _by_codes(status: str, reply_code: str) -> Classification:
    by_subject, by_reply = status_category(status), reply_category(reply_code)
    if by_subject is not None and by_subject is not Category.UNKNOWN:
        return by_status(status)
    if by_reply is not None:
        return Classification(by_reply, f"reply-{reply_code}", status)
    return by_status(status) if by_subject is not None else Classification(None, "", status)


# What is thought of a server's words: the classifier's judgement, remembered


CACHED_CLASSIFICATIONS = 4_096

# a long word of letters and digits, or a long number: no word of any language, no reply code
_QUEUE_ID = re.compile(r"\b(?=[a-z]{0,40}\d)[a-z\d]{8,}\b", re.ASCII | re.IGNORECASE)

Classify = Callable[[str, str, str], Classification]
"""(diagnostic, enhanced status, reply code) -> classification."""


def cached(classifier: Classifier) -> Classify:
    """The classifier's judgement, remembered for the texts seen lately.

    Queue ids make texts unlike that mean the same, so that a text not seen is asked for without.
    """

    @lru_cache(maxsize=CACHED_CLASSIFICATIONS)
    def classify_without_ids(diagnostic: str, status: str, reply_code: str) -> Classification:
        return classifier.classify(diagnostic=diagnostic, status=status, reply_code=reply_code)

    @lru_cache(maxsize=CACHED_CLASSIFICATIONS)
    def classify(diagnostic: str, status: str, reply_code: str) -> Classification:
        return classify_without_ids(_QUEUE_ID.sub("#", diagnostic), status, reply_code)

    return classify
