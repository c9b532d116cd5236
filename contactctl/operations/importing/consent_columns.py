"""Which columns look as if they said whether somebody may get mail (consent_columns.yaml)."""

import re
import unicodedata
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from contactctl.config.strict_yaml import load_strict_file
from contactctl.domain.text import fold

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
