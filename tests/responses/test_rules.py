"""The rules as data: the built-in file, and rules from a config."""

import re
from typing import Any

import pytest

from contactctl.domain.errors import ConfigError
from contactctl.domain.responses import Category
from contactctl.responses.classify import Classifier, default_classifier
from contactctl.responses.rules import Rule, load_builtin_rules, parse_rules
from contactctl.responses.vocabulary import normalise

RULES = load_builtin_rules()
SIMPLE = {"id": "house", "category": "blocked", "text": "go away"}


def test_builtin_rule_says_why() -> None:
    for rule in RULES:
        assert len(rule.why) > 15, rule
        assert rule.texts or rule.patterns or rule.near, rule


def test_builtin_phrases_can_match_a_normalised_text() -> None:
    for rule in RULES:
        assert [
            phrase for phrase in (*rule.texts, *rule.needs) if normalise(phrase) != phrase
        ] == [], rule


def test_builtin_phrases_do_not_repeat_each_other() -> None:
    for rule in RULES:
        assert [
            (longer, shorter)
            for longer in rule.texts
            for shorter in rule.texts
            if shorter != longer and shorter in longer
        ] == [], rule


def test_builtin_patterns_are_bounded_and_spared_most_texts() -> None:
    for rule in RULES:
        assert bool(rule.patterns) == bool(rule.needs), rule
        for pattern in rule.patterns:
            assert not re.search(r"(?<!\\)[*+](?!\))", pattern.pattern.replace("[\\w-]*\\.", "")), (
                rule
            )


def test_no_phrase_is_hidden_by_an_earlier_rule_of_the_same_strictness() -> None:
    for rule in RULES:
        earlier = RULES[: RULES.index(rule)]
        hidden = [
            (phrase, other.id)
            for phrase in rule.texts
            for other in earlier
            if other.category != rule.category and not other.permanent and phrase in other.texts
        ]

        assert hidden == [], rule


def test_only_plain_statements_make_an_address_invalid() -> None:
    weak = ("denied", "rejected", "blocked", "failed", "unavailable", "disabled", "550", "error")
    phrases = [
        phrase
        for rule in RULES
        if rule.category is Category.INVALID_ADDRESS
        for phrase in rule.texts
        if phrase in weak
    ]

    assert phrases == []


def test_parse_one_text_or_several() -> None:
    one, several = parse_rules(
        [SIMPLE, {"id": "b", "category": "transient", "text": ["X  Y", "z"], "why": "because"}]
    )

    assert one == Rule("house", Category.BLOCKED, ("go away",))
    assert (several.texts, several.why) == (("x y", "z"), "because")


def test_parse_every_key() -> None:
    (rule,) = parse_rules(
        [
            {
                "id": "a.b-c",
                "category": "invalid-address",
                "pattern": r"gone \d+",
                "needs": "gone",
                "permanent": True,
                "not_counted": "echo",
            }
        ]
    )

    assert rule.matches("he is gone 17")
    assert not rule.matches("he is gone")
    assert (rule.needs, rule.permanent, rule.not_counted) == (("gone",), True, "echo")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"id": None}, "id None"),
        ({"id": "Not An Id"}, "is no rule id"),
        ({"category": "bounced"}, "unknown category 'bounced'"),
        ({"category": None}, "unknown category None"),
        ({"colour": "red"}, "unknown key 'colour'"),
        ({"text": []}, "neither text nor pattern"),
        ({"text": ""}, "text must be"),
        ({"text": [550]}, "text must be"),
        ({"text": 550}, "text must be"),
        ({"pattern": "("}, "pattern '\\('"),
        ({"permanent": "yes"}, "permanent 'yes'"),
        ({"not_counted": "never"}, "not_counted 'never'"),
    ],
)
def test_bad_rules_name_their_place(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=f"contactctl.yaml: rule 2.*{message}") as caught:
        parse_rules([SIMPLE, {**SIMPLE, "id": "other", **change}], origin="contactctl.yaml")

    assert caught.value.hint


def test_a_rule_that_is_no_mapping() -> None:
    with pytest.raises(ConfigError, match="rule 1: not a mapping"):
        parse_rules(["go away"])


def test_ids_are_unique() -> None:
    with pytest.raises(ConfigError, match="house twice"):
        parse_rules([SIMPLE, SIMPLE])


@pytest.mark.parametrize(
    ("text", "is_found"),
    [
        ("no parcel of that name", True),
        ("the parcel at ship.example.org was not known", True),
        ("a parcel. not known", False),
        ("parcels not known", True),
        ("now a parcel", False),
        ("the parcel's owner is not known", False),
    ],
)
def test_words_near_each_other_in_either_order(text: str, is_found: bool) -> None:
    mapping = {"id": "x", "category": "unknown", "near": [["parcel"], ["no", "not known"]]}
    (rule,) = parse_rules([mapping])

    assert Classifier([rule]).classify(diagnostic=text).by_text is is_found
    assert rule.matches(text) is is_found


@pytest.mark.parametrize("near", ["x", [["a"]], [["a"], [1]]])
def test_near_is_lists_of_words(near: object) -> None:
    with pytest.raises(ConfigError, match="near"):
        parse_rules([{"id": "x", "category": "unknown", "near": near}])


def test_several_pairs_of_words() -> None:
    near = [[["parcel"], ["lost"]], [["letter"], ["torn"]]]
    (rule,) = parse_rules([{"id": "x", "category": "unknown", "near": near}])

    assert rule.near == ((("parcel",), ("lost",)), (("letter",), ("torn",)))
    assert rule.matches("a torn letter")
    assert not rule.matches("a torn parcel")
    assert not rule.matches("the parcel is -- this letter is long -- lost")


@pytest.mark.parametrize(
    ("text", "is_found"),
    [
        ("Paket nicht gefunden", True),
        ("gefunden wurde das Paket nicht", True),
        ("Paket gefunden", False),
        ("Paket nicht gefunden worden ist es: nein", True),
        ("Paket gefunden, sagt er; nicht hier", False),
    ],
)
def test_three_lists_of_words(text: str, is_found: bool) -> None:
    near = [["paket"], ["nicht", "kein"], ["gefunden", "bekannt"]]
    (rule,) = parse_rules([{"id": "x", "category": "unknown", "near": near}])

    assert Classifier([rule]).classify(diagnostic=text).by_text is is_found


def test_lists_of_words_hold_concepts_and_phrases_are_looked_past() -> None:
    near = [[["parcel", "box"], ["lost", "gone"]]]
    mapping = {"id": "x", "category": "unknown", "near": near, "ignore": "post box"}
    (rule,) = parse_rules([mapping])

    assert rule.near == ((("parcel", "box"), ("lost", "gone")),)
    assert rule.matches("the box is gone")
    assert not rule.matches("the post box is gone")
    (rule,) = parse_rules([mapping | {"near": [["$mailbox"], ["lost"]]}])
    assert rule.matches("postfach lost")
    with pytest.raises(ConfigError, match="unknown concept"):
        parse_rules([mapping | {"near": [["$mailbx"], ["lost"]]}])


@pytest.mark.parametrize(
    ("text", "category"),
    [
        ("550 attachment was removed and mail for the user refused", None),
        ("550 anhang entfernt, nachricht fur den empfanger abgelehnt", None),
        ("550 the user was removed, attachments are refused", Category.INVALID_ADDRESS),
        ("550 sender not known to recipient", None),
        ("550 the address that the message was sent to is not known", Category.INVALID_ADDRESS),
        ("550 the server could not find the user", Category.INVALID_ADDRESS),
        ("recipient server has left the connection open", None),
    ],
)
def test_what_was_removed_or_not_known_is_the_nearest_of_its_kind(
    text: str, category: Category | None
) -> None:
    found = default_classifier().by_words(text)
    is_invalid = found is not None and found.category is Category.INVALID_ADDRESS
    assert is_invalid is (category is Category.INVALID_ADDRESS)
