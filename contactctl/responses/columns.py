"""Which key of a row of the generic form says what: by the names of formats/generic.yaml, without
case, spaces and signs. A name that looks mistyped, or seems a time that nobody has named, is an
error."""

import re
from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from contactctl.domain.text import show_safely
from contactctl.responses.data import read_data
from contactctl.responses.fields import instant_of, text_of
from contactctl.responses.formats.paths import is_filled, word_of

FIELDS = (
    *("email", "category", "event", "status", "diagnostic", "occurred_at", "group", "channel"),
    *("id", "user_agent"),
)
_LIKE_ANYTHING = ("id", "event")  # fields whose names many others look like
_MISTYPED_ABOVE = 0.8  # likeness from which on an unknown name is taken for a mistyped field
_MOST_LAYOUTS = 256
_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
_DATE = re.compile(r"\d{1,4}[-/. ]\w{1,9}[-/. ]\d{2,4}\b|\w{3,9} \d{1,2},? \d{4}\b")
_DATE_AND_HOUR = re.compile(r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}[T ] ?\d{1,2}:\d\d")

Layout = Mapping[str, Sequence[str]]
"""The keys of each field, best first; `further` are those of other texts that may say why, those of
`machine` say whether no person opened or clicked."""


class Columns:
    """The keys of rows. `renamed` are names that the user speaks of, `told` the fields that they
    are given."""

    def __init__(self, renamed: Iterable[str], told: Iterable[str]) -> None:
        self._renamed = frozenset(map(plain, renamed))
        self._told = frozenset(told)
        self._layouts: dict[tuple[str, ...], Layout] = {}

    def fit(self, row: Mapping[str, object]) -> bool:
        """Whether a document has, or seems to have, an address where the generic form has it."""
        if "email" in self._told or tuple(row) in self._layouts:
            return True
        names = [plain(name) for name in names_of("email")]
        keys = [plain(key) for key in row if plain(key) not in self._renamed]
        return any(
            key in names or get_close_matches(key, names, n=1, cutoff=_MISTYPED_ABOVE)
            for key in keys
        )

    def layout(self, keys: tuple[str, ...]) -> Layout:
        """The keys of each field. Raises ValueError for a name that looks mistyped."""
        found = self._layouts.get(keys)
        if found is None:
            found = self._find_layout(keys)
            if len(self._layouts) < _MOST_LAYOUTS:
                self._layouts[keys] = found
        return found

    def tell_failure(self, row: Mapping[str, object]) -> bool:
        """Whether the name of a filled key says that something failed; a `reason` does not."""
        return "diagnostic" in self._told or any(
            is_filled(row[key]) and plain(key) != "reason"
            for key in self.layout(tuple(row)).get("diagnostic", ())
        )

    def tell_machine(self, row: Mapping[str, object]) -> bool:
        """Whether a key of the row says that no person opened or clicked."""
        keys = self.layout(tuple(row)).get("machine", ())
        return any(word_of(row[key]) in ("true", "1", "yes", "t") for key in keys)

    def refuse_unnamed_time(self, row: Mapping[str, object]) -> None:
        """Raises ValueError for the first key that may be the time of a row without one."""
        for key, value in row.items():
            if plain(key) not in self._renamed and _seems_a_time(key, value):
                name = show_safely(key[:60])
                raise ValueError(
                    f"is '{name}' its time? --map '{name}=occurred_at' says so,"
                    f" --map '{name}=' leaves it out"
                )

    def _find_layout(self, keys: tuple[str, ...]) -> Layout:
        by_name = {plain(key): key for key in reversed(keys) if plain(key) not in self._renamed}
        layout: dict[str, Sequence[str]] = {}
        for field in FIELDS:
            given = [by_name[name] for name in map(plain, names_of(field)) if name in by_name]
            if given and field not in self._told:
                layout[field] = given
        also, machine = (
            [by_name[name] for name in map(plain, _data(part)) if name in by_name]
            for part in ("also", "machine")
        )
        if "diagnostic" not in self._told:
            layout["further"] = [*layout.get("diagnostic", ())[1:], *also]
        layout["machine"] = machine
        self._refuse_mistyped(keys, layout)
        return layout

    def _refuse_mistyped(self, keys: Iterable[str], layout: Layout) -> None:
        missing = {
            plain(name): field
            for field in FIELDS
            if field not in layout and field not in self._told and field not in _LIKE_ANYTHING
            for name in names_of(field)
        }
        used = {key for given in layout.values() for key in given}
        known = {plain(name) for field in FIELDS for name in names_of(field)}
        for key in keys:
            if key in used or plain(key) in self._renamed or plain(key) in known:
                continue
            if close := get_close_matches(plain(key), missing, n=1, cutoff=_MISTYPED_ABOVE):
                name = show_safely(key[:60])
                raise ValueError(
                    f"unknown key '{name}': did you mean '{missing[close[0]]}'?"
                    f" --map '{name}=FIELD' says so, --map '{name}=' leaves it out"
                )


def names_of(field: str) -> Sequence[str]:
    """The name of a field, and what senders call it."""
    return [field, *_data("names").get(field, ())]


def plain(name: str) -> str:
    """A name as it is compared: `Email Address`, `email_address` and `EmailAddress` are one."""
    return "".join(character for character in name.casefold() if character.isalnum())


def words_of(name: str) -> list[str]:
    """The words of a name: of `Email Address`, `email_address` and `emailAddress` the same two."""
    return [word.lower() for word in _WORD.findall(name)]


def _seems_a_time(key: str, value: object) -> bool:
    """By the first or the last word of its name and a date in it, or by a date with its hour."""
    if not is_filled(value) or isinstance(value, bool):
        return False
    words, text = words_of(key), text_of(value)[:40]
    if set(words) & set(_data("no_times")):
        return False
    if _DATE_AND_HOUR.match(text):
        return True
    is_called_so = bool(words) and not {words[0], words[-1]}.isdisjoint(_data("times"))
    return is_called_so and (instant_of(value) is not None or _DATE.search(text) is not None)


def _data(part: str) -> Any:
    return read_data("formats/generic.yaml")[part]
