"""What servers say, and what it means: whose problem it is, and whether time heals it."""

from itertools import chain

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contactctl.domain.responses import Category
from contactctl.responses.classify import (
    Classification,
    Classifier,
    default_classifier,
)
from contactctl.responses.rules import load_builtin_rules, parse_rules
from contactctl.responses.status import find_codes
from contactctl.responses.vocabulary import MAX_DIAGNOSTIC_CHARACTERS, normalise

CLASSIFIER = default_classifier()

STATUSES = {
    "5.1.1": "invalid-address",
    "5.1.2": "invalid-address",
    "5.1.3": "invalid-address",
    "5.1.7": "blocked",
    "5.1.8": "blocked",
    "5.1.9": "communication-failure",
    "4.1.1": "invalid-address",
    "4.1.2": "communication-failure",
    "4.1.8": "blocked",
    "5.2.0": "blocked",
    "5.2.1": "transient",
    "5.2.2": "transient",
    "4.2.2": "transient",
    "5.2.3": "transient",
    "5.2.4": "blocked",
    "5.3.0": "communication-failure",
    "5.3.2": "invalid-address",
    "4.3.2": "communication-failure",
    "5.3.4": "transient",
    "5.4.4": "invalid-address",
    "4.4.4": "communication-failure",
    "4.4.7": "communication-failure",
    "5.5.0": "communication-failure",
    "5.6.1": "blocked",
    "5.7.1": "blocked",
    "5.7.13": "transient",
    "5.7.17": "invalid-address",
    "5.7.18": "invalid-address",
    "5.7.27": "invalid-address",
    "5.7.606": "blocked",
    "5.0.0": "unknown",
    "4.0.0": "unknown",
}


@pytest.mark.parametrize("status", STATUSES)
def test_enhanced_status_decides_without_words(status: str) -> None:
    found = CLASSIFIER.classify(diagnostic="", status=status)

    assert found == Classification(Category(STATUSES[status]), f"status-{status}", status)


@pytest.mark.parametrize(
    ("reply_code", "category"),
    [
        ("421", "communication-failure"),
        ("552", "transient"),
        ("550", "unknown"),
        ("556", "invalid-address"),
    ],
)
def test_reply_code_decides_last(reply_code: str, category: str) -> None:
    found = CLASSIFIER.classify(diagnostic="", reply_code=reply_code)

    assert found == Classification(Category(category), f"reply-{reply_code}")


@pytest.mark.parametrize("said", ["", "2.0.0", "250 OK", "hello", "200", "999"])
def test_nothing_said_is_no_category(said: str) -> None:
    assert CLASSIFIER.classify(diagnostic=said, reply_code="250") == Classification(None)


def test_success_status_says_nothing() -> None:
    assert CLASSIFIER.classify(diagnostic="", status="2.1.5").category is None


def test_words_win_over_codes() -> None:
    found = CLASSIFIER.classify(diagnostic="552 5.2.2 Over quota", status="5.1.1", reply_code="550")

    assert (found.category, found.rule) == (Category.TRANSIENT, "mailbox-full")
    assert found.status == "5.1.1"


def test_a_status_in_the_text_beats_an_empty_or_general_one() -> None:
    assert CLASSIFIER.classify(diagnostic="550 5.1.1 oh", status="5.0.0").status == "5.1.1"
    assert CLASSIFIER.classify(diagnostic="550 5.1.1 oh", status="5.7.1").status == "5.7.1"


def test_the_same_words_in_a_temporary_failure_do_not_end_an_address() -> None:
    said = "Host or domain name not found"

    assert CLASSIFIER.classify(diagnostic=said, status="5.4.4").rule == "domain-unknown"
    assert CLASSIFIER.classify(diagnostic=said, status="4.4.3").rule == "domain-unknown-now"


@pytest.mark.parametrize(
    "supposed",
    [
        "The address may not exist",
        "550 recipient address may be invalid",
        "550 perhaps the user does not exist",
        "550 Die Adresse existiert möglicherweise nicht",
        "550 le destinataire n'existe peut-être pas",
        "550 es posible: quizás el usuario no existe",
        "550 возможно, пользователь не существует",
        "550 宛先が存在しない可能性があります",
        "This account may have been deleted",
        "Either the mailbox does not exist or it is closed",
        "The address may not exist, or the mailbox is full.",
    ],
)
def test_what_is_supposed_ends_no_address(supposed: str) -> None:
    assert CLASSIFIER.classify(diagnostic=supposed).category is not Category.INVALID_ADDRESS


@pytest.mark.parametrize(
    "said",
    [
        "550 the mailbox might be unavailable: user unknown",
        "Sun, 3 May 2026: 550 user unknown",
        "550 The mailbox could not be found",
        "The account or domain may not exist, they may be blacklisted",
    ],
)
def test_what_is_said_beside_suppositions_counts(said: str) -> None:
    assert CLASSIFIER.classify(diagnostic=said).category is Category.INVALID_ADDRESS


def test_an_echo_does_not_count() -> None:
    found = CLASSIFIER.classify(diagnostic="address is on the suppression list for your account")

    assert (found.category, found.not_counted) == (Category.INVALID_ADDRESS, "echo")


def test_extra_rules_come_first() -> None:
    extra = parse_rules([{"id": "house", "category": "blocked", "text": "user unknown"}])

    found = default_classifier(extra).classify(diagnostic="550 User unknown")

    assert (found.category, found.rule) == (Category.BLOCKED, "house")


def test_extra_rules_see_a_bounded_text() -> None:
    extra = parse_rules([{"id": "end", "category": "blocked", "text": "the very end"}])
    text = "x" * MAX_DIAGNOSTIC_CHARACTERS + " the very end"

    assert Classifier(extra).classify(diagnostic=text).category is None


@pytest.mark.parametrize(
    "text",
    [
        "550-5.1.1 The user\n550-5.1.1 does not\n550 5.1.1 exist",
        "550-The user\n550-does not\n550  exist",
        "host said: 550-5.1.1 The user does 550-5.1.1 not 550 5.1.1 exist",
    ],
)
def test_a_reply_of_several_lines_is_one_sentence(text: str) -> None:
    assert CLASSIFIER.classify(diagnostic=text).rule == "user-unknown"


def test_an_extra_pattern_needs_no_hints() -> None:
    extra = parse_rules([{"id": "cat", "category": "blocked", "pattern": "gr[ae]y cat"}])

    assert Classifier(extra).classify(diagnostic="550 The Grey Cat").rule == "cat"


def test_normalise() -> None:
    text = "550-5.1.1\t<Kari@Example.ORG>\r\n can\u2019t be found"

    assert normalise(text) == "550-5.1.1 <> can't be found"


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("550 5.1.1 no", ("550", "5.1.1")),
        ("550-5.1.1 no", ("550", "5.1.1")),
        ("550 #5.1.1 no", ("550", "5.1.1")),
        ("no mailbox here (#5.1.1)", ("", "5.1.1")),
        ("5.1.0 - unknown address error 550-'5.7.1 denied'", ("550", "5.7.1")),
        ("421 try later", ("421", "")),
        ("host mx [192.5.1.1]: 550 no", ("550", "")),
        ("queue id 4550123", ("", "")),
        ("", ("", "")),
    ],
)
def test_find_codes(text: str, codes: tuple[str, str]) -> None:
    assert find_codes(text) == codes


@pytest.mark.parametrize(
    ("text", "category", "rule"),
    [
        ("550 There is nobody registered under it", "invalid-address", "concepts-nobody-not_known"),
        ("450 There is nobody registered under it", None, "reply-450"),
        ("550 Perhaps there is nobody registered under it", None, "reply-550"),
        ("550 There is nobody registered under it: message", None, "reply-550"),
        ("550 user address", None, "reply-550"),
        ("550 user is known here", None, "reply-550"),
        ("550 You are listed. Get off the list, sender", "blocked", "concepts-sender"),
        ("550 error", None, "reply-550"),
        ("450 4.0.0 Temporary failure", None, "reply-450"),
    ],
)
def test_what_a_refusal_speaks_of_votes_where_no_rule_knows_its_words(
    text: str, category: str | None, rule: str
) -> None:
    said = CLASSIFIER.classify(diagnostic=text)

    assert (said.category, said.rule) == (category or "unknown", rule)
    assert not said.by_text


_PHRASES = [
    phrase
    for rule in load_builtin_rules()
    for phrase in (*rule.texts, *rule.needs)
    if " may " not in f" {phrase} "  # what is only supposed ends no address
]
_WORDS = st.sampled_from(
    [*_PHRASES, "550", "4.4.1", "sender", "<>", "192.0.2.1 is", "account", "."]
)


@given(st.lists(_WORDS, max_size=6))
def test_looking_rules_up_by_phrase_changes_nothing(words: list[str]) -> None:
    text = normalise(" ".join(words))
    by_code = (rule for rule in CLASSIFIER.rules if rule.has_code(text, rule.codes))
    by_words = (rule for rule in CLASSIFIER.rules if rule.matches(text))
    first = next(chain(by_code, by_words), None)

    permanent = CLASSIFIER.classify(diagnostic=text, status="5.0.1")

    assert permanent.rule == (first.id if first else permanent.rule)
    assert permanent.by_text == (first is not None)
