"""Which columns look as if they said whether somebody may get mail (consent_columns.yaml)."""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from contactctl.config.strict_yaml import load_strict_file
from contactctl.domain.contacts import Origin, Status
from contactctl.domain.text import fold
from contactctl.operations.importing.options import InactiveRule

_WORDS_FILE = Path(__file__).with_name("consent_columns.yaml")
_CAPITAL_WITHIN = re.compile(r"(?<=[a-z])(?=[A-Z])")
_NO_LETTER = re.compile(r"[\W_]+")


def looks_like_consent(name: str) -> bool:
    """Whether a column of this name may say who gets mail."""
    known = _known()
    words = _words(name)
    joined = "".join(words)
    return (
        " ".join(words) in known.names
        or not known.words.isdisjoint(words)
        or joined.startswith(known.parts)
        or any(word.startswith(known.parts) for word in words)
        or any("".join(words[at:]).startswith(known.parts) for at in range(1, len(words)))
    )


def looks_like_opt_out(value: str) -> bool:
    """Whether a cell says that somebody must not get mail, whatever its column is called."""
    return " ".join(_words(value)) in _known().values


@dataclass(frozen=True, slots=True)
class _Known:
    names: frozenset[str]
    values: frozenset[str]
    words: frozenset[str]
    parts: tuple[str, ...]


@cache
def _known() -> _Known:
    lists = {
        key: [item.text for item in node.as_list()]
        for key, node in load_strict_file(_WORDS_FILE, _WORDS_FILE.name)
        .as_mapping(("names", "words", "parts", "values"))
        .items()
    }
    values = frozenset(" ".join(_words(value)) for value in lists["values"])
    return _Known(
        frozenset(lists["names"]), values, frozenset(lists["words"]), tuple(lists["parts"])
    )


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
