"""What the user of an import is told, or asked, of whatever may be a mistake.

Most of it is told when every row was read. A column that may say who must not get mail stops an
import until its meaning is known.
"""

import json
import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from shlex import quote

from contactctl.domain.contact_values import DateReader
from contactctl.domain.contacts import Status
from contactctl.domain.criteria.fields import did_you_mean
from contactctl.domain.criteria.values import shown
from contactctl.domain.errors import InputError, UsageError
from contactctl.domain.text import fold, show_safely, trim
from contactctl.operations.importing.columns import ColumnNames
from contactctl.operations.importing.options import ImportOptions, InactiveRule
from contactctl.operations.importing.presets import plain, preset_for
from contactctl.operations.importing.rows import Batch, FileRows
from contactctl.operations.importing.status import (
    answers_a_question,
    answers_about_mail,
    looks_like_opt_out,
)

# what programs write where there is nothing; as these spell it, it is hardly anybody's name
NULL_WORDS = frozenset(
    (
        *("NULL", "null", r"\N", "(null)", "<null>", "None", "none", "nil", "undefined"),
        *("N/A", "n/a", "#N/A", "NaN", "nan", "(No value)", "0000-00-00", "0000-00-00 00:00:00"),
        *("#REF!", "#NAME?", "#VALUE!", "#DIV/0!", "#NUM!", "#NULL!", "#GETTING_DATA"),
    )
)
# 4.79E+10, a column that was too narrow, a long number that a script took for a fraction, letters
# that became question marks, a web page's way of writing &
_SPOILED = re.compile(
    r"^(?:[-+]?[0-9](?:[.,][0-9]+)?E\+[0-9]{1,3}|#{3,}|[0-9]{7,}\.0|\?{3,}"
    r"|.*&(?:amp|quot|apos|lt|gt|nbsp|#x?[0-9a-fA-F]{2,6});.*)$",
    re.MULTILINE,
)
_TRACES = ("E+", "###", ".0", "???", "&")
# the first byte of a UTF-8 character and a second one, each read as a letter of its own; a letter
# that could not be read
_MISREAD = re.compile("[\u00c2-\u00f4][\u0080-\u00bf\u0152-\u2122]|\ufffd")
# no mailing is so old: what programs write for "never" (Unix, spreadsheets, SQL Server)
_NEVER_BEFORE = "1971"
_MOST_VALUES = 20  # different ones of a column that are kept

Counts = defaultdict[str, Counter[str]]  # of cells, by column


@dataclass(slots=True)
class Told:
    """Counts cells by column as they are read: null words in texts, texts that another program
    has changed, dates to come and dates that mean never, and the values of the columns that say
    who is inactive in rows that are not."""

    null_words: Counts = field(default_factory=lambda: defaultdict(Counter))
    spoiled: Counts = field(default_factory=lambda: defaultdict(Counter))
    to_come: Counter[str] = field(default_factory=Counter)
    too_old: Counts = field(default_factory=lambda: defaultdict(Counter))
    taken_as_active: Counts = field(default_factory=lambda: defaultdict(Counter))
    rules_met: set[InactiveRule] = field(default_factory=set)

    def look_at_texts(self, name: str, cells: Collection[str | None]) -> None:
        text = "\n".join(filter(None, cells))
        found = _SPOILED.findall(text) if any(trace in text for trace in _TRACES) else []
        if not text.isascii() and _MISREAD.search(text):
            found += [cell for cell in cells if cell and _is_misread(cell)]
        if found:
            self.spoiled[name].update(found)
        if not NULL_WORDS.isdisjoint(cells):
            self.null_words[name].update(cell for cell in cells if cell in NULL_WORDS)

    def look_at_dates(
        self, name: str, cells: Sequence[str | None], values: Sequence[str | None], latest: str
    ) -> None:
        """`latest` is the last one that has come, as the values are stored: they sort as text."""
        if max(filter(None, values), default="") > latest:
            self.to_come[name] += sum(value is not None and value > latest for value in values)
        if min(filter(None, values), default=latest) < _NEVER_BEFORE:
            pairs = zip(cells, values, strict=True)
            old = [cell for cell, value in pairs if cell and value and value < _NEVER_BEFORE]
            self.too_old[name].update(old)

    def take_as_active(self, column: str, cells: Iterable[str | None]) -> None:
        values = self.taken_as_active[column]
        for cell, number in Counter(cells).items():
            if cell in values or len(values) < _MOST_VALUES:
                values[cell or ""] += number

    def notes(
        self, names: ColumnNames, options: ImportOptions, dates: Mapping[str, DateReader]
    ) -> list[str]:
        """One sentence for each kind of thing; `dates` are the readers of the date columns."""
        address = show_safely(names.address_column)
        return [
            *([f"'{address}' gives the email"] if address else []),
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
                f"'{name}' has texts that another program has changed, stored as they are:"
                f" {_values(texts)}"
                for name, texts in self.spoiled.items()
                if texts
            ),
            *(
                f"'{name}' has dates that may mean never: {_values(texts)};"
                f" --null {quote(next(iter(texts)))} reads it as missing"
                for name, texts in self.too_old.items()
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


def _is_misread(text: str) -> bool:
    """Whether it is UTF-8 that was read as another encoding, or has lost a letter."""
    if "\ufffd" in text:
        return True
    for encoding in ("cp1252", "latin-1"):
        try:
            return text.encode(encoding).decode() != text
        except UnicodeError:
            continue
    return False


def _values(values: Counter[str]) -> str:
    most = values.most_common(_MOST_VALUES)
    named = [(f"'{shown(value)}'" if value else "no value", n) for value, n in most]
    return ", ".join(f"{value} ({number:,})" for value, number in named)


# A column that may say who must not get mail stops an import until its meaning is known


_SHOWN_VALUES = 6
_OURS = {"", *map(str, Status)}


def refuse_undecided(rows: FileRows, first: Batch, options: ImportOptions) -> None:
    """InputError when the first rows have such a column, or a status of another program's.

    Later rows with a status that is not ours are rejected one by one.
    """
    _require_keys(rows, first, options)
    undecided = {name: _different_values(rows, first, name) for name in rows.known.undecided}
    unsaid = {}
    for name in () if options.all_inactive else rows.known.unknown:
        cells = set(_cells(rows, first, name)) - options.all_nulls
        if any(map(looks_like_opt_out, cells)) or answers_about_mail(name, cells):
            undecided[name] = _different_values(rows, first, name)
        elif not options.expects_other_columns and answers_a_question(cells):
            unsaid[name] = _different_values(rows, first, name)
    nulls = options.all_nulls
    for column in rows.columns:
        if column.field and column.field.name == "status":
            values = _different_values(rows, first, column.name)
            if not {fold(value) for value in values if value not in nulls} <= _OURS:
                undecided[column.name] = values
    if undecided:
        looks = "looks" if len(undecided) == 1 else "look"
        raise InputError(
            f"{_listed(undecided)} {looks} like consent or status",
            hint=_hint(rows, {**undecided, **unsaid}),
        )
    if unsaid:
        raise InputError(
            f"{_listed(unsaid)} may say who gets mail: all cells answer yes or no",
            hint=_hint(rows, unsaid),
        )


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"'{show_safely(name)}'" for name in names)


def _hint(rows: FileRows, undecided: dict[str, list[str]]) -> str:
    preset = preset_for(rows.names, saying=undecided)
    known = f"--preset {preset} knows what it means; or " if preset else ""
    name, values = max(undecided.items(), key=_telling)
    listed = ", ".join(f"'{shown(value)}'" if value else '""' for value in values)
    it_has = f" (it has {listed})" if listed else ""
    ignored = " ".join(f"--ignore {quote(show_safely(each))}" for each in undecided)
    return (
        f"{known}name the values that mean inactive with"
        f" --inactive-when {quote(f'{show_safely(name)}=VALUE,VALUE')}{it_has},"
        f" or leave out what does not say so with {ignored}"
    )


def _telling(undecided: tuple[str, list[str]]) -> tuple[bool, bool]:
    """How much a column with these values says of who must not get mail."""
    _, values = undecided
    return any(map(looks_like_opt_out, values)), any(values)


def _different_values(rows: FileRows, batch: Batch, name: str) -> list[str]:
    """Some of the different values of a column, as they come."""
    found: dict[str, None] = {}
    for value in _cells(rows, batch, name):
        found.setdefault(trim(value))
        if len(found) == _SHOWN_VALUES:
            break
    return list(found)


def _cells(rows: FileRows, batch: Batch, name: str) -> Iterator[str]:
    if not batch.records:  # no objects, or each of them is rejected
        for at, column in enumerate(rows.columns):
            yield from (row[at] or "" for row in batch.rows if column.name == name)
        return
    for record in batch.records:
        value = {plain(key): each for key, each in json.loads(record).items()}.get(plain(name))
        yield value if isinstance(value, str) else json.dumps(value) if value is not None else ""


def _require_keys(rows: FileRows, first: Batch, options: ImportOptions) -> None:
    """UsageError for a rule on a key that no object has; a header is asked when it is read."""
    if not first.records:
        return
    places = {plain(column.name): at for at, column in enumerate(rows.columns)}
    for rule in options.inactive:
        at = places[plain(rule.column)]
        if all(row[at] is None for row in first.rows):
            raise UsageError(
                f"--inactive-when: no object has the key '{show_safely(rule.column)}'",
                hint=did_you_mean(rule.column, _keys(first.records))
                or "keys are those of the file",
            )


def _keys(records: Sequence[str]) -> list[str]:
    return sorted({key for record in records[:100] for key in json.loads(record)})
