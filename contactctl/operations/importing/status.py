"""Which columns look as if they said whether somebody may get mail (consent_columns.yaml)."""

import re
import unicodedata
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, fields
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

from contactctl.config.strict_yaml import load_strict_file
from contactctl.domain.contacts import Origin, Status
from contactctl.domain.text import fold
from contactctl.operations.importing.options import InactiveRule

_WORDS_FILE = Path(__file__).with_name("consent_columns.yaml")
_CAPITAL_WITHIN = re.compile(r"(?<=[a-z])(?=[A-Z])")
_NO_LETTER = re.compile(r"[\W_]+")
_MOST_WORDS_OF_A_STATE = 5


def looks_like_consent(name: str) -> bool:
    """Whether a column of this name may say who gets mail, whatever is in it."""
    known = _known()
    words = _words(name)
    joined = "".join(words)
    return (
        joined in known.names
        or not known.words.isdisjoint(words)
        or _has_beginning(words, known.parts)
        or (any(state in joined for state in known.states) and _is_about_mail(words))
    )


def answers_about_mail(name: str, cells: Set[str]) -> bool:
    """Whether a column is about mail by its name, and all its cells say yes or no, or nothing."""
    answers = _answers(cells) - {""}
    return bool(answers) and _is_about_mail(_words(name)) and bool(_pairs_with(answers))


def answers_a_question(cells: Set[str]) -> bool:
    """Whether a column says yes of some, and no or nothing of the others.

    It may say who gets mail, whatever it is called: nobody knows all names of such a column.
    `NO` alone is a country.
    """
    answers = _answers(cells)
    return len(answers) > 1 and any(pair[0] in answers for pair in _pairs_with(answers - {""}))


def looks_like_opt_out(value: str) -> bool:
    """Whether a cell says that somebody must not get mail, whatever its column is called.

    `Unqualified - opted out` says so too; a text of more words may tell of something else.
    """
    words = _words(value)
    said = _known().values
    if len(words) > _MOST_WORDS_OF_A_STATE:
        return False
    return " ".join(words) in said or any(
        f"{one} {other}" in said for one, other in pairwise(words)
    )


def _answers(cells: Set[str]) -> Set[str]:
    """The cells as they are compared; where all of them begin with a yes or a no, that alone.

    Forms answer `Yes, please`.
    """
    answers = set(map(_as_compared, cells))
    first_words = {each.partition(" ")[0] for each in answers}
    are_words = all(len(each) != 1 for each in first_words)
    return first_words if are_words and _pairs_with(first_words - {""}) else answers


def _pairs_with(answers: Set[str]) -> list[Sequence[str]]:
    """The yes and no of the languages in which all of this are answers."""
    return [pair for pair in _known().answers if answers <= set(pair)]


def _is_about_mail(words: Sequence[str]) -> bool:
    about = _known().about
    joined = "".join(words)
    return any(word.startswith(about) for word in words) or any(
        each in joined for each in about if not each.isascii()
    )


def _has_beginning(words: Sequence[str], parts: tuple[str, ...]) -> bool:
    """Whether a word, or the rest of the name from one on, begins so.

    Scripts other than the Latin may have no blanks: there it may stand anywhere.
    """
    joined = "".join(words)
    return any("".join(words[at:]).startswith(parts) for at in range(len(words))) or any(
        each in joined for each in parts if not each.isascii()
    )


@dataclass(frozen=True, slots=True)
class _Known:
    """The lists of consent_columns.yaml, as names and cells are compared."""

    names: frozenset[str]
    words: frozenset[str]
    parts: tuple[str, ...]
    states: tuple[str, ...]
    about: tuple[str, ...]
    answers: Sequence[Sequence[str]]
    values: frozenset[str]


@cache
def _known() -> _Known:
    keys = tuple(each.name for each in fields(_Known))
    read = load_strict_file(_WORDS_FILE, _WORDS_FILE.name).as_mapping(keys)

    def texts(key: str) -> list[str]:
        return [item.text for item in read[key].as_list()]

    def beginnings(key: str) -> tuple[str, ...]:
        return tuple("".join(_words(text)) for text in texts(key))

    def pairs(key: str) -> list[list[str]]:
        return [
            [_as_compared(item.text) for item in pair.as_list()] for pair in read[key].as_list()
        ]

    return _Known(
        names=frozenset(beginnings("names")),
        words=frozenset(beginnings("words")),
        parts=beginnings("parts"),
        states=beginnings("states"),
        about=beginnings("about"),
        answers=pairs("answers"),
        values=frozenset(map(_as_compared, texts("values"))),
    )


def _as_compared(value: str) -> str:
    """A cell without case, accents and punctuation; one that is nothing but signs as it is."""
    return " ".join(_words(value)) or value.strip()


def _words(name: str) -> list[str]:
    """`OptedOut_of e-mail` -> opted, out, of, e, mail; without accents."""
    spaced = _CAPITAL_WITHIN.sub(" ", name)
    decomposed = unicodedata.normalize("NFD", fold(spaced))
    bare = "".join(each for each in decomposed if not unicodedata.combining(each))
    return _NO_LETTER.sub(" ", unicodedata.normalize("NFC", bare)).split()


# Which rows of a file are of contacts that must not get mail, and why


Cells = Sequence[str | None]

# deactivations of these origins have no category of their own
_WITHOUT_CATEGORY = {Origin.BULK.value, Origin.INDIVIDUAL.value, Origin.UNSUBSCRIBE.value}


@dataclass(frozen=True, slots=True)
class Inactive:
    """Why a contact is inactive: response categories, or empty text where none is known.

    `since` is an instant as staged rows hold it; None: nobody has said.
    """

    reasons: tuple[str, ...]
    since: str | None = None


def inactive_rows(
    rows: int,
    status: Mapping[str, Sequence[Any]],
    rules: Sequence[tuple[Cells, InactiveRule]],
    all_inactive: str | None,
) -> dict[int, Inactive]:
    """By position, every row that something calls inactive.

    `status` maps the status fields that the file has to their values: any of them that says so is
    enough, whatever the others say. `rules` come with the cells of their column.
    """
    reasons: dict[int, set[str]] = {}
    if all_inactive is not None:
        reasons = {at: {all_inactive} for at in range(rows)}
    for cells, rule in rules:
        for at, cell in enumerate(cells):
            if rule.holds_for(cell):
                reasons.setdefault(at, set()).add(rule.reason)
    for at, value in enumerate(status.get("status", ())):
        if value == Status.INACTIVE:
            reasons.setdefault(at, set())
    for name in ("deactivation_category", "deactivation_origin", "deactivated"):
        for at, value in enumerate(status.get(name, ())):
            if value:
                reasons.setdefault(at, set()).update(_reasons_in(name, value))
    since = status.get("deactivated")
    return {
        at: Inactive(tuple(sorted(_without_doubt(found))), since[at] if since else None)
        for at, found in reasons.items()
    }


def _reasons_in(name: str, value: Any) -> Sequence[str]:
    if name == "deactivation_category":
        return tuple(value)
    if name == "deactivation_origin":
        return ("bulk",) if not _WITHOUT_CATEGORY.isdisjoint(value) else ()
    return ()


def _without_doubt(reasons: set[str]) -> set[str]:
    """A reason without a category says nothing beside one with, unless the origins tell of both."""
    named = reasons - {"", "bulk"}
    return named | {""} if not named or "bulk" in reasons else named
