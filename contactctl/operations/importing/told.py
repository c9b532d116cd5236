"""What the user of an import is told although every row was read: whatever may be a mistake."""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from shlex import quote

from contactctl.domain.cells import DateReader
from contactctl.domain.criteria.values import shown
from contactctl.operations.importing.options import ImportOptions, InactiveRule

# what programs write where there is nothing; as these spell it, it is hardly anybody's name
NULL_WORDS = frozenset(
    (
        *("NULL", "null", r"\N", "(null)", "<null>", "None", "none", "nil", "undefined"),
        *("N/A", "n/a", "#N/A", "NaN", "nan", "(No value)", "0000-00-00", "0000-00-00 00:00:00"),
        *("#REF!", "#NAME?", "#VALUE!", "#DIV/0!", "#NUM!", "#NULL!", "#GETTING_DATA"),
    )
)
_SHORTENED = re.compile(r"^[-+]?[0-9](?:[.,][0-9]+)?E\+[0-9]{1,3}$", re.MULTILINE)
_MOST_VALUES = 20  # different ones of a column that are kept


@dataclass(slots=True)
class Told:
    """Counts cells by column as they are read: null words in texts, numbers that a spreadsheet has
    shortened, dates to come, and the values of the columns that say who is inactive in rows that
    are not."""

    null_words: dict[str, Counter[str]] = field(default_factory=dict)
    shortened: dict[str, Counter[str]] = field(default_factory=dict)
    to_come: Counter[str] = field(default_factory=Counter)
    taken_as_active: dict[str, Counter[str]] = field(default_factory=dict)
    rules_met: set[InactiveRule] = field(default_factory=set)

    def look_at_texts(self, name: str, cells: Collection[str | None]) -> None:
        text = "\n".join(filter(None, cells))
        if "E+" in text:
            self.shortened.setdefault(name, Counter()).update(_SHORTENED.findall(text))
        if not NULL_WORDS.isdisjoint(cells):
            found = Counter(cell for cell in cells if cell in NULL_WORDS)
            self.null_words.setdefault(name, Counter()).update(found)

    def look_for_dates_to_come(self, name: str, values: Sequence[str | None], latest: str) -> None:
        """`latest` is the last one that has come, as the values are stored: they sort as text."""
        if max(filter(None, values), default="") > latest:
            self.to_come[name] += sum(value is not None and value > latest for value in values)

    def take_as_active(self, column: str, cells: Iterable[str | None]) -> None:
        values = self.taken_as_active.setdefault(column, Counter())
        for cell, number in Counter(cells).items():
            if cell in values or len(values) < _MOST_VALUES:
                values[cell or ""] += number

    def notes(self, options: ImportOptions, dates: Mapping[str, DateReader]) -> list[str]:
        """One sentence for each kind of thing; `dates` are the readers of the date columns."""
        return [
            *([f"{options.preset.name}: {options.preset.note}"] if options.preset.note else []),
            *(
                f"--inactive-when '{rule}' fits no row"
                for rule in options.inactive
                if rule not in self.rules_met
            ),
            *(
                f"taken as active by '{shown(column)}': {_values(values)}"
                for column, values in self.taken_as_active.items()
                if values
            ),
            *(
                f"'{name}' has {_values(words)}, stored as text;"
                f" --null {quote(next(iter(words)))} reads it as missing"
                for name, words in self.null_words.items()
            ),
            *(
                f"'{name}' has numbers that a spreadsheet has shortened, stored as text:"
                f" {_values(texts)}"
                for name, texts in self.shortened.items()
                if texts
            ),
            *(
                f"dates in the future in '{name}': {number:,}"
                for name, number in self.to_come.items()
            ),
            *(
                f"'{name}' has two-digit years: '{shown(text)}' was read as {day}"
                for name, reader in dates.items()
                if reader.two_digit_year
                for text, day in [reader.two_digit_year]
            ),
        ]


def _values(values: Counter[str]) -> str:
    most = values.most_common(_MOST_VALUES)
    named = [(f"'{shown(value)}'" if value else "no value", n) for value, n in most]
    return ", ".join(f"{value} ({number:,})" for value, number in named)
