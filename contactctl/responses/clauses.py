"""What is said of whom in a clause: "the user is unknown", or "the attachment for the user".

Servers write in all languages, so this is no grammar. What holds in most: a word is said of the
noun before it that no preposition governs ("mail *for the user* was removed"), of the noun that
follows at once ("no such *user*"), and of the last noun of a compound ("user *database*").
"""

import re
from collections.abc import Callable, Collection, Iterator, Sequence
from functools import cache, lru_cache
from typing import NamedTuple

_MAX_GAP = 60  # characters between them
_END_OF_CLAUSE = re.compile(r"[;:!。！]|\.(?= )|--")
_SHORT_WORD = 4  # "full" is not the start of "fully", nor "no" of "now"
_AFTER_CYRILLIC = "\u0530"  # Latin, Greek and Cyrillic words stand between spaces

_ENGLISH = "for|to|of|in|on|at|from|with|by|into|about|via|during|without|has|have"
_OTHERS = (
    "fur|an|von|vom|bei|beim|des|im|in|zu|zum|zur|mit|auf|durch|vor|dem|unserem|diesem|einem|ihrem"
    "|pour|de|du|des|a|au|aux|sur|dans|par|chez|en|avec"
    "|para|del|al|por|con|per|di|della|dell'|dello|alla|allo|all'|nel|nella|sul|sulla|da|dal"
    "|do|da|dos|em|no|na|ao|com|pelo|pela|voor|van|aan|naar|op|bij|met|door|til|for|av|af|pa"
    "|till|i|fran|fra|med|dla|do|od|z|ze|w|we|pro|od|k|ke|ve|v|s|для|к|от|на|в|во|с|со|по|у"
    "|за|pentru|din|pe|prin|hat|tiene|ha|tem|heeft|har|ma"
)
_GOVERNED, _GOVERNED_IN_ENGLISH = (
    re.compile(rf"(?:^|[^\w'])(?:{words})(?:(?<=')| )(?:[\w']{{1,9}}(?:(?<=')| ))?['\"<]?\Z")
    for words in (f"{_ENGLISH}|{_OTHERS}", _ENGLISH)
)
_AT_ONCE = re.compile(r"\w{0,12}['\"()]{0,2} ?((?:[^\W\d]{1,9} ){0,2})['\"<(]?\Z")
_LINKS = frozenset(
    f"{_ENGLISH}|{_OTHERS}|and|or|but|und|oder|et|ou|y|o|e|och|og|i|oraz|и"
    "|ten|til|is|was|are|ist|est|es|er|har|has".split("|")
) - {"a"}
_NEW_SUBJECT = re.compile(
    r"\b(?:because|since|weil|denn|parce qu|car |porque|perche|omdat|eftersom|fordi|poniewaz"
    r"|protoze|потому|так как)|,"
)
_STRANDED = re.compile(r"\b(?:to|for|at)(?: \w{1,9}){0,2} ?\Z")
_OBJECT = re.compile(
    r"\w{0,6} (?:you|your|vous|votre|vos|sie|ihre[mnr]?|lei|usted|su correo|sus|вас|ваш\w*|u|uw)\b"
)

_RELATIVE = re.compile(
    r"\w{0,6},? (?:who|that|which|qui|que|che|quien|die|der|som|ktory|который)\b"
)
# where something is: "sunucuda", "palvelimella", "サーバーに"
_PLACE = re.compile(r"(?:[dt][ae]|lla|ssa|[oe]n|b[ae]n)\b|ー?[にで上中里内에]")

HEAD_LAST = ("hu", "fi", "et", "tr", "zh", "ja", "ko")

Span = tuple[int, int]


class Languages(NamedTuple):
    """Whether a word is one in English, in a language in which the last of several nouns is the
    one that is meant (`HEAD_LAST`), and in any other."""

    english: bool
    head_last: bool
    others: bool


class Noun(NamedTuple):
    """A noun in a text; `is_meant` tells whoever a rule speaks of from other things."""

    start: int
    end: int
    is_meant: bool
    languages: Languages

    @property
    def span(self) -> Span:
        """Where it stands."""
        return self.start, self.end

    @property
    def is_head_by_place(self) -> bool:
        """Whether the nearest noun of several is meant: other languages put what it belongs to
        behind it ("der Empfänger der Nachricht")."""
        return self.languages.english or self.languages.head_last


def stand_near(
    lists: Sequence[Collection[str]],
    text: str,
    held: Collection[str],
    not_of: Collection[str],
    languages_of: Callable[[str], Languages],
) -> bool:
    """Whether a held word of each list stands in one clause with one of the first, not too far
    from it; with `not_of`, words for other things, the last must be said of the first."""
    others = [list(_places(words, text, held)) for words in lists[1:]]
    if not all(others):
        return False
    if not not_of:
        firsts: Iterator[Span] = (span for _, span in _found(lists[0], text, held))
        return any(all(_near_one(text, first, each) for each in others) for first in firsts)
    nouns = _nouns(text, lists[0], not_of, held, languages_of)
    for said in others[-1]:
        noun = subject_of(said, nouns, text)
        if (
            noun
            and noun.is_meant
            and not _OBJECT.match(text, said[1])
            and all(_near_one(text, noun.span, each) for each in others[:-1])
        ):
            return True
    return False


def subject_of(said: Span, nouns: Sequence[Noun], text: str) -> Noun | None:
    """The noun that the words at `said` are said of; None where none is near."""
    within = (n for n in nouns if n.is_meant and said[0] <= n.start and n.end <= said[1])
    if noun := next(within, None):
        return noun  # "never had an account"
    near = [noun for noun in nouns if _is_near(text, noun.span, said)]
    before = [noun for noun in near if noun.start < said[0]]
    after = [noun for noun in near if noun.start > said[0]]
    if before and _RELATIVE.match(text, before[-1].end, said[0]):
        return before[-1]
    if after and after[0].is_meant and _follows_at_once(text[said[1] : after[0].start]):
        return after[0]
    free = [noun for noun in before if not _is_governed(noun, text)]
    last = before[-1].end if before else 0
    while free and not free[-1].is_meant and _is_elsewhere(text, free[-1].end, last, said[0]):
        free.pop()
    if free:
        return free[-1] if free[-1].is_head_by_place else free[0]
    free = [noun for noun in after if not _is_governed(noun, text)]
    return next(iter([*free, *before, *after]), None)


def _nouns(
    text: str,
    meant: Collection[str],
    others: Collection[str],
    held: Collection[str],
    languages_of: Callable[[str], Languages],
) -> list[Noun]:
    """The nouns of a text; where words overlap the longest, of a compound the last."""
    found = [
        (Noun(start, _end_of_word(text, end), is_meant, languages_of(word)), len(word))
        for is_meant, words in ((True, meant), (False, others))
        for word, (start, end) in _found(words, text, held)
    ]
    # "adresse" is French or German, though "adress" is how English servers misspell it
    found.sort(key=lambda each: (each[0].start, -each[0].end, -each[1], not each[0].is_meant))
    nouns: list[Noun] = []
    for noun, _ in found:
        if nouns and noun.start < nouns[-1].end:
            continue
        if nouns and text[nouns[-1].end : noun.start] in (" ", "-", " e-"):  # "adresse e-mail"
            if _is_genitive(nouns[-1], noun, text):
                continue
            if noun.languages.english and nouns[-1].languages.english:
                nouns.pop()
        nouns.append(noun)
    return nouns


def _is_genitive(noun: Noun, next_one: Noun, text: str) -> bool:
    """Whether the second of two nouns belongs to the first: "serwer odbiorcy"."""
    if text[noun.end - 1] == ">":
        return True  # "mail from:<> user": whose address it is
    are_english = noun.languages.english and next_one.languages.english
    are_head_last = noun.languages.head_last and next_one.languages.head_last
    return not are_english and not are_head_last


def _is_governed(noun: Noun, text: str) -> bool:
    if noun.languages.head_last and _PLACE.search(text, noun.end - 3, noun.end + 2):
        return True
    if noun.languages == (False, True, False):
        return False  # these languages have no prepositions
    governed = _GOVERNED if noun.languages.others else _GOVERNED_IN_ENGLISH
    return bool(governed.search(text, max(0, noun.start - 24), noun.start))


def _follows_at_once(between: str) -> bool:
    match = _AT_ONCE.match(between)
    return match is not None and _LINKS.isdisjoint(match[1].split())


def _is_elsewhere(text: str, thing: int, last_noun: int, said: int) -> bool:
    """Whether a clause of its own ends between another thing and what is said: "the address you
    sent your message to", "message refused, because"."""
    return bool(_STRANDED.search(text, last_noun, said) or _NEW_SUBJECT.search(text, thing, said))


def holds_word(text: str, word: str) -> bool:
    """Whether a text holds a word as such, and not within another."""
    return bool(_word(word).search(text))


def _found(words: Collection[str], text: str, held: Collection[str]) -> Iterator[tuple[str, Span]]:
    for word in held:
        if word in words:
            for match in _word(word).finditer(text):
                yield word, match.span()


def _places(words: Collection[str], text: str, held: Collection[str]) -> Iterator[Span]:
    return (span for _, span in _found(words, text, held))


def _near_one(text: str, one: Span, places: Sequence[Span]) -> bool:
    return any(_is_near(text, one, place) for place in places)


def _is_near(text: str, one: Span, other: Span) -> bool:
    """Whether two places are close and in one clause. A full stop inside a host name ends none."""
    start, end = min(one[1], other[1]), max(one[0], other[0])
    return start <= end <= start + _MAX_GAP and not _END_OF_CLAUSE.search(text, start, end)


@lru_cache(maxsize=64)
def _end_of_word(text: str, at: int) -> int:
    while at < len(text) and (text[at].isalpha() and text[at] < _AFTER_CYRILLIC):
        at += 1
    return at


@cache
def _word(word: str) -> re.Pattern[str]:
    """A word, or the start of one; scripts without spaces have no starts of words. A short one is
    whole."""
    has_spaces = word[0] < _AFTER_CYRILLIC
    longest = _SHORT_WORD if word.isascii() else _SHORT_WORD - 1
    start = r"\b" if has_spaces else ""
    end = r"\b" if has_spaces and len(word) <= longest else ""
    return re.compile(f"{start}{re.escape(word)}{end}(?!'s)")
