"""What hundreds of servers say, one line each, with the category it belongs to."""

from pathlib import Path

import pytest
import yaml

from contactctl.domain.responses import Category
from contactctl.responses.classify import default_classifier

CLASSIFIER = default_classifier()
FOLDER = Path(__file__).parent.parent / "helpers" / "diagnostics"


def _lines(name: str) -> list[str]:
    return (FOLDER / f"{name}.txt").read_text(encoding="utf-8").splitlines()


@pytest.mark.parametrize(
    "category", ["invalid-address", "transient", "blocked", "communication-failure"]
)
def test_words_of_a_category(category: str) -> None:
    found = {text: CLASSIFIER.classify(diagnostic=text) for text in _lines(category)}

    assert len(found) > 200
    assert {text: one.rule for text, one in found.items() if one.category != category} == {}


PAIRS = yaml.safe_load((FOLDER / "pairs.yaml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("category", PAIRS)
def test_who_and_what_is_said_of_it(category: str) -> None:
    who, said = PAIRS[category]["who"], PAIRS[category]["said"]
    texts = [f"550 {saying.format(noun)}" for noun in who for saying in said]
    found = {text: CLASSIFIER.classify(diagnostic=text) for text in texts}

    assert {text: one.rule for text, one in found.items() if one.category != category} == {}


@pytest.mark.parametrize(
    ("accented", "plain"),
    [
        ("550 L'adresse électronique n'est pas référencée: boîte inconnue", "boite inconnue"),
        ("550 Użytkownik nie został znaleziony", "Uzytkownik nie zostal znaleziony"),
        ("552 Kvóta překročena", "Kvota prekrocena"),
        ("550 Kullanıcı bulunamadı", "Kullanici bulunamadi"),
    ],
)
def test_accents_are_looked_past(accented: str, plain: str) -> None:
    one, other = (CLASSIFIER.classify(diagnostic=text) for text in (accented, f"550 {plain}"))

    assert one.rule == other.rule != ""
    assert one.by_text


def test_words_that_must_not_end_an_address() -> None:
    found = {text: CLASSIFIER.classify(diagnostic=text) for text in _lines("never-invalid-address")}
    unwanted = Category.INVALID_ADDRESS

    assert {text: one.rule for text, one in found.items() if one.category is unwanted} == {}


@pytest.mark.parametrize(
    ("said", "status", "reply_code"),
    [
        ("invalid address", "5.1.7", ""),
        ("550 5.1.8 unknown domain", "", ""),
        ("user unknown", "", "535"),
        ("530 no such user", "", ""),
    ],
)
def test_codes_about_the_sender_keep_the_recipient(said: str, status: str, reply_code: str) -> None:
    found = CLASSIFIER.classify(diagnostic=said, status=status, reply_code=reply_code)

    assert found.category == "blocked"


def test_temporary_by_its_words_alone() -> None:
    assert CLASSIFIER.classify(diagnostic="domain not found").rule == "domain-unknown"
    assert (
        CLASSIFIER.classify(diagnostic="temporary: domain not found").rule == "domain-unknown-now"
    )
