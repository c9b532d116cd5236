"""The words that servers speak in, as rules and texts are compared: folded, by concept, found fast.

The concepts are in `words.yaml`, in all languages.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from itertools import product

from contactctl.responses.clauses import HEAD_LAST, Languages, holds_word
from contactctl.responses.data import read_data

MAX_DIAGNOSTIC_CHARACTERS = 2_000

_MARKS = re.compile("[\u0300-\u036f]")
_LETTERS = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "ı": "i", "ß": "ss", "æ": "ae", "œ": "oe"})
_STRAIGHT_QUOTES = str.maketrans(
    {"\u0130": "i", "\u2018": "'", "\u2019": "'", "\u201c": '"', "\u201d": '"'}
)
_EAST_ASIAN = "\u3000-\u9fff\uac00-\ud7af\uff00-\uffef"  # sets no spaces around an address
_IN_ADDRESS = rf"[^\s<>(),;:\"'{_EAST_ASIAN}]"
_ADDRESS = re.compile(
    rf"<?(?<!{_IN_ADDRESS}){_IN_ADDRESS}{{1,255}}@{_IN_ADDRESS}{{1,255}}(?<!\.)>?"
)


_JOINED = re.compile(r"(?<![\w.@/?&=-])[a-z\d']{1,40}(?:_[a-z\d'.]{1,40}){2,20}(?![\w.@/?&=-])")


def normalise(diagnostic: str) -> str:
    """Lower case without accents, single spaces, straight quotes, addresses as `<>`, cut to a
    bounded length."""
    text = diagnostic[:MAX_DIAGNOSTIC_CHARACTERS]
    if text.count("_") > 1:  # qmail's filters put it for spaces: "this_user_doesn't_exist"
        text = _JOINED.sub(lambda match: match[0].replace("_", " "), text)
    text = (text if text.isascii() else text.translate(_STRAIGHT_QUOTES)).lower()
    if "@" in text:
        text = _ADDRESS.sub("<>", text)
    text = without_accents(text)
    return " ".join(text.split())


@cache  # several rules name a concept
def folded(phrase: str) -> str:
    """A phrase of a rule as `normalise` writes texts."""
    return " ".join(without_accents(phrase.lower()).split())


def without_accents(text: str) -> str:
    """Letters of lower case without their marks: many servers write none. Marks that make another
    letter of an Indic or Japanese one stay."""
    if text.isascii():
        return text
    bare = _MARKS.sub("", unicodedata.normalize("NFD", text))
    return unicodedata.normalize("NFC", bare).translate(_LETTERS)


@cache
def words_by_concept() -> Mapping[str, Sequence[str]]:
    """The words of `words.yaml` for each concept, of all languages, each once."""
    found: dict[str, dict[str, None]] = {}
    for concepts in _words_by_language().values():
        for concept, words in concepts.items():
            each = (form for word in words for form in forms_of(word))
            found.setdefault(concept, {}).update(dict.fromkeys(each))
    return {concept: tuple(words) for concept, words in found.items()}


@cache
def _concepts_by_word() -> Mapping[str, frozenset[str]]:
    """The concepts that each word of `words.yaml` stands for."""
    found: dict[str, set[str]] = {}
    for concept, words in words_by_concept().items():
        for word in words:
            found.setdefault(folded(word), set()).add(concept)
    return {word: frozenset(concepts) for word, concepts in found.items()}


def concepts_in(text: str, held: Iterable[str]) -> set[str]:
    """What a normalised text speaks of; `held` are the words that it holds."""
    by_word = _concepts_by_word()
    return {
        concept
        for word in held
        if (concepts := by_word.get(word)) and holds_word(text, word)
        for concept in concepts
    }


@cache
def languages_of(word: str) -> Languages:
    """The languages that a word of `words.yaml` is one of."""
    found = _languages_by_word().get(word, set())
    others = found.difference(HEAD_LAST, ["en"])
    return Languages("en" in found, not found.isdisjoint(HEAD_LAST), bool(others))


@cache
def _languages_by_word() -> Mapping[str, set[str]]:
    found: dict[str, set[str]] = {}
    for language, concepts in _words_by_language().items():
        for word in (
            form for words in concepts.values() for each in words for form in forms_of(each)
        ):
            found.setdefault(folded(word), set()).add(language)
    return found


@cache
def _words_by_language() -> Mapping[str, Mapping[str, Sequence[str]]]:
    words: Mapping[str, Mapping[str, Sequence[str]]] = read_data("words.yaml")
    return words


def forms_of(word: str) -> Iterator[str]:
    """`{not,never} known` is "not known" and "never known"."""
    pieces = re.split(r"\{(.*?)\}", word)
    choices = [piece.split(",") if n % 2 else [piece] for n, piece in enumerate(pieces)]
    yield from map("".join, product(*choices))


_PIECE_LENGTH = 4


class PhraseIndex:
    """Finds phrases by the rarest piece of each: one pass over the text rules most of them out."""

    def __init__(self, phrases: Iterable[str]) -> None:
        pieces_by_phrase = {phrase: _pieces(phrase) for phrase in phrases}
        uses = Counter(piece for pieces in pieces_by_phrase.values() for piece in pieces)
        self._by_piece: dict[str, list[str]] = {}
        self._short = [phrase for phrase, pieces in pieces_by_phrase.items() if not pieces]
        self._short_ascii = [phrase for phrase in self._short if phrase.isascii()]
        for phrase, pieces in pieces_by_phrase.items():
            if pieces:
                rarest = min(pieces, key=uses.__getitem__)
                self._by_piece.setdefault(rarest, []).append(phrase)

    def found_in(self, text: str) -> set[str]:
        """The phrases that `text` holds."""
        short = self._short_ascii if text.isascii() else self._short
        found = {phrase for phrase in short if phrase in text}
        for piece in self._by_piece.keys() & _pieces(text):
            for phrase in self._by_piece[piece]:
                if phrase in text:
                    found.add(phrase)
        return found


def _pieces(text: str) -> set[str]:
    """Every run of a few characters in it; none in a shorter text."""
    return {text[at : at + _PIECE_LENGTH] for at in range(len(text) - _PIECE_LENGTH + 1)}
