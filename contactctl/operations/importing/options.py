"""What an import is told about its file."""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from contactctl.domain.contact_values import ISO
from contactctl.domain.text import fold, trim

BATCH_ROWS = 10_000  # a transaction each; more is hardly faster, and holds more memory


class FileFormat(StrEnum):
    """What the file holds."""

    CSV = "csv"
    JSONL = "jsonl"


@dataclass(frozen=True, slots=True)
class InactiveRule:
    """The rows whose cell in `column` says that a contact must not get mail.

    Those with one of `values` (folded), or with `negated` those with none of them, an empty cell
    too; without values those with any text. `reason` is a response category, or empty.
    """

    column: str
    values: frozenset[str] = frozenset()
    negated: bool = False
    reason: str = ""

    def holds_for(self, cell: str | None) -> bool:
        text = trim(cell or "")
        if not self.values:
            return text != ""
        return (fold(text) in self.values) is not self.negated

    def __str__(self) -> str:
        values = ",".join(each or '""' for each in sorted(self.values))
        return f"{self.column}{'!=' if self.negated else '='}{values}" if values else self.column


def is_separator(text: str) -> bool:
    """Whether text can separate names: a few characters, none of which a name has often."""
    return 0 < len(text) <= 5 and not any(each.isalnum() or each in '"\r\n' for each in text)


def parse_rule(text: str, reason: str = "") -> InactiveRule:
    """`COLUMN=VALUE,VALUE`, `COLUMN!=VALUE,VALUE` or `COLUMN`; ValueError for anything else.

    A value that holds a comma is written in double quotes, an empty cell as `""`.
    """
    column, equals, values = text.partition("=")
    negated = column.endswith("!")
    column = column.removesuffix("!").strip()
    named = [value.strip() for value in next(csv.reader([values], skipinitialspace=True), [])]
    if not column:
        raise ValueError("no column")
    if equals and not any(named) and '"' not in values:
        raise ValueError('no value after = (an empty cell is written "")')
    return InactiveRule(column, frozenset(map(fold, named)), negated, reason)


@dataclass(frozen=True, slots=True)
class Preset:
    """How another program's export is read. `columns` maps a column to a field, first choice first.

    All of `known_by` are in the header of such an export; `note` says what it does not tell.
    """

    name: str
    about: str = ""
    known_by: frozenset[str] = frozenset()
    columns: Mapping[str, str] = field(default_factory=dict)
    ignored: frozenset[str] = frozenset()
    separators: Mapping[str, str] = field(default_factory=dict)
    date_formats: tuple[str, ...] = ()
    nulls: frozenset[str] = frozenset()
    inactive: tuple[InactiveRule, ...] = ()
    note: str = ""


NO_PRESET = Preset("")


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """How a file is read; of a workbook its `sheet`. Names of columns ignore case.

    `renames` maps a column of the file to a field. `column_date_formats` maps a column to its
    date formats, `date_formats` hold for the others (domain.contact_values). `separators` maps
    tag and group to what separates names in their cells. `nulls` are cells that mean nothing.
    Who is new and fulfils one of `inactive` is created inactive; with `all_inactive` everybody
    new is, for `inactive_reason` (a response category, or empty). `update_only`: nobody is
    created. All rows are given `tags` and `groups` besides their own.
    """

    format: FileFormat | None = None
    delimiter: str | None = None
    encoding: str = "utf-8-sig"
    sheet: str | None = None
    renames: Mapping[str, str] = field(default_factory=dict)
    ignored: frozenset[str] = frozenset()
    ignore_unknown: bool = False
    date_formats: tuple[str, ...] = ()
    column_date_formats: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    separators: Mapping[str, str] = field(default_factory=dict)
    nulls: frozenset[str] = frozenset()
    inactive: tuple[InactiveRule, ...] = ()
    all_inactive: bool = False
    inactive_reason: str = ""
    update_only: bool = False
    preset: Preset = NO_PRESET
    empty_clears: bool = False
    create_groups: bool = True
    tags: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    batch_rows: int = BATCH_ROWS

    @property
    def default_date_formats(self) -> tuple[str, ...]:
        return self.date_formats or self.preset.date_formats or (ISO,)

    @property
    def all_nulls(self) -> frozenset[str]:
        return self.nulls | self.preset.nulls

    @property
    def expects_other_columns(self) -> bool:
        """Whether columns that are no fields are no surprise: so it was said, or by a preset."""
        return self.ignore_unknown or bool(self.preset.name)

    def separator(self, field_name: str) -> str | None:
        """What separates the names in a cell of this field; None: nothing was said."""
        plain = field_name.partition("_")[0]  # group_active is separated as group
        return self.separators.get(plain) or self.preset.separators.get(plain)


@dataclass(frozen=True, slots=True)
class Reject:
    """A row that is not imported: where it starts, why, and what it held.

    `place` names it where it is not a line of a file.
    """

    line: int
    reason: str
    cells: tuple[str, ...] = ()
    place: str = ""


class Rejects(Protocol):
    """Where rejected rows go: first the names of their cells, then each as it is met."""

    def begin(self, names: Sequence[str]) -> None: ...

    def add(self, reject: Reject) -> None: ...
