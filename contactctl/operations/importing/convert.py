"""A batch's columns -> rows as the store takes them in. Whole columns at a time, for speed."""

import json
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from contactctl.domain.contact_values import parse_text
from contactctl.domain.emails import email_key
from contactctl.domain.fields import Field, FieldType
from contactctl.domain.spreadsheet import undo_defuse
from contactctl.domain.text import fold
from contactctl.domain.values import MAX_TEXT
from contactctl.operations.importing.columns import FileColumn
from contactctl.operations.importing.options import Reject
from contactctl.operations.importing.rows import Batch, Cell
from contactctl.store.contact_columns import FOLDED_COLUMNS, GIVEN_COLUMNS
from contactctl.store.staged import Staged, stored_instant
from contactctl.store.staging import Layout, stored_date

KEY = 2  # where a staged row holds its email key
_SUPPRESSED = "the address is suppressed: its contact was erased"
_REMEMBERED = 4_000  # different texts of a column whose values are kept: dates, plans, tags

Cells = Sequence[Cell]
Read = Callable[[str], Any]
Failures = dict[int, str]


@dataclass(frozen=True, slots=True)
class ColumnReader:
    """One column of the file: where it is, its field, and what reads its text."""

    at: int
    field: Field
    parse: Read


@dataclass(frozen=True, slots=True)
class Plan:
    """How every row of one file is read. Columns are in the order in which they are stored."""

    email: ColumnReader
    values: tuple[ColumnReader, ...]
    attributes: tuple[ColumnReader, ...]
    tags: ColumnReader | None
    groups: ColumnReader | None
    clears: bool
    from_spreadsheet: bool

    @property
    def layout(self) -> Layout:
        names = tuple(reader.field.name for reader in self.values)
        return Layout(names, has_attributes=bool(self.attributes), clears=self.clears)


@dataclass(slots=True)
class Converted:
    """A batch as rows to be put in. Tags and groups are by position; groups by name."""

    rows: list[Staged] = field(default_factory=list)
    tags: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    groups: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    rejects: list[Reject] = field(default_factory=list)


def make_plan(
    columns: Sequence[FileColumn],
    reading: Callable[[FileColumn, Field], Read],
    *,
    clears: bool,
    from_spreadsheet: bool,
) -> Plan:
    """The plan for a file with these columns; `reading` gives what reads a column."""
    readers = {
        column.field.name: ColumnReader(at, column.field, reading(column, column.field))
        for at, column in enumerate(columns)
        if column.field
    }
    return Plan(
        email=readers["email"],
        values=tuple(readers[name] for name in GIVEN_COLUMNS if name in readers),
        attributes=tuple(reader for reader in readers.values() if reader.field.is_attribute),
        tags=readers.get("tag"),
        groups=readers.get("group"),
        clears=clears,
        from_spreadsheet=from_spreadsheet,
    )


def convert(plan: Plan, batch: Batch) -> Converted:
    """The batch's rows, those that cannot be read among the rejects, in the file's order."""
    if not batch.rows:
        return Converted(rejects=batch.rejects)
    return _Conversion(plan, batch).result()


def rows_not_suppressed(converted: Converted, batch: Batch, keys: AbstractSet[str]) -> Converted:
    """The rows whose address is not among these email keys; the others join the rejects."""
    positions = {row[0] for row in converted.rows if row[KEY] in keys}
    if not positions:
        return converted
    suppressed = [Reject(batch.lines[at], _SUPPRESSED, batch.original(at)) for at in positions]
    return Converted(
        [row for row in converted.rows if row[0] not in positions],
        {at: tags for at, tags in converted.tags.items() if at not in positions},
        {at: groups for at, groups in converted.groups.items() if at not in positions},
        sorted([*converted.rejects, *suppressed], key=lambda reject: reject.line),
    )


class _Conversion:
    """One batch on its way; `failures` collects the first reason against each row."""

    def __init__(self, plan: Plan, batch: Batch) -> None:
        self.plan = plan
        self.batch = batch
        self.cells: list[Cells] = list(zip(*batch.rows, strict=True))
        self.failures: Failures = {}

    def result(self) -> Converted:
        columns = [range(len(self.batch.rows)), *self._addresses()]
        for reader in self.plan.values:
            columns += self._value(reader)
        if self.plan.attributes:
            columns += self._attributes()
        if self.plan.clears:
            columns.append(self._cleared())
        tags = self._names(self.plan.tags)
        groups = self._names(self.plan.groups)
        rows: list[Staged] = list(zip(*columns, strict=True))
        if self.failures:
            rows = [row for at, row in enumerate(rows) if at not in self.failures]
        return Converted(rows, tags, groups, self._rejects())

    def _addresses(self) -> list[Sequence[Any]]:
        emails = self._trimmed(self.plan.email)
        keys = self._read("email", emails, email_key)
        for at, email in enumerate(emails):
            if not email:
                self.failures.setdefault(at, "no email")
        return [emails, keys, [key and key.rpartition("@")[2] for key in keys]]

    def _value(self, reader: ColumnReader) -> list[Sequence[Any]]:
        cells = self._trimmed(reader)
        if reader.field.name not in FOLDED_COLUMNS:
            return [self._read(reader.field.name, cells, reader.parse)]
        values = self._texts(reader.field.name, cells)
        if "".join(filter(None, values)).isascii():
            return [values, [value and value.lower() for value in values]]
        return [values, [value and fold(value) for value in values]]

    def _texts(self, name: str, cells: Cells) -> Sequence[str | None]:
        """The cells as text; a look at all of them at once spares one at each."""
        joined = "".join(filter(None, cells))
        longest = max(map(len, filter(None, cells)), default=0)
        if joined.isascii() and "\0" not in joined and longest <= MAX_TEXT:
            return [cell or None for cell in cells]
        return self._read(name, cells, parse_text)

    def _attributes(self) -> list[Sequence[Any]]:
        """The JSON of the attributes, and of the folded texts among them, row by row."""
        values, folded = [], []
        for reader in self.plan.attributes:
            cells = self._trimmed(reader)
            pairs = self._read(reader.field.name, cells, reader.parse)
            if self.plan.clears:
                nothing = _json_pair(reader.field, None)
                pairs = [
                    nothing if cell == "" else pair for cell, pair in zip(cells, pairs, strict=True)
                ]
            values.append([pair and pair[0] for pair in pairs])
            if _is_text(reader.field):
                folded.append([pair and pair[1] for pair in pairs])
        return [
            _json_objects(values, len(self.batch.rows)),
            _json_objects(folded, len(self.batch.rows)),
        ]

    def _cleared(self) -> list[int]:
        masks = [0] * len(self.batch.rows)
        for bit, reader in enumerate(self.plan.values):
            for at, cell in enumerate(self._trimmed(reader)):
                if cell == "":
                    masks[at] |= 1 << bit
        return masks

    def _names(self, reader: ColumnReader | None) -> dict[int, tuple[str, ...]]:
        if reader is None:
            return {}
        found = self._read(reader.field.name, self._trimmed(reader), reader.parse)
        return {at: names for at, names in enumerate(found) if names and at not in self.failures}

    def _read(self, name: str, cells: Cells, parse: Read) -> list[Any]:
        """Every cell read, None where there is nothing; a cell that does not fit fails its row."""
        try:
            return [parse(cell) if cell else None for cell in cells]
        except ValueError:
            return [self._read_one(name, at, cell, parse) for at, cell in enumerate(cells)]

    def _read_one(self, name: str, at: int, cell: Cell, parse: Read) -> Any:
        try:
            return parse(cell) if cell else None
        except ValueError as error:
            self.failures.setdefault(at, f"{name}: {error}")
            return None

    def _trimmed(self, reader: ColumnReader) -> Cells:
        cells = self.cells[reader.at]
        if not self.plan.from_spreadsheet:
            return cells  # trimmed where they were read
        trimmed = list(map(str.strip, cells))  # type: ignore[arg-type]
        if "'" in "".join(trimmed):
            return list(map(undo_defuse, trimmed))
        return trimmed

    def _rejects(self) -> list[Reject]:
        unread = [
            Reject(self.batch.lines[at], reason, self.batch.original(at))
            for at, reason in self.failures.items()
        ]
        return sorted([*self.batch.rejects, *unread], key=lambda reject: reject.line)


def value_parser(known: Field, parse: Read) -> Read:
    """A parser whose results are what staged rows hold; it remembers what it has seen."""
    if known.type is FieldType.SET:
        return lru_cache(_REMEMBERED)(parse)
    if known.is_attribute:
        return lru_cache(_REMEMBERED)(lambda text: _json_pair(known, parse(text)))
    if known.type is FieldType.DATE:
        return lru_cache(_REMEMBERED)(lambda text: stored_date(parse(text)))
    if known.type is FieldType.INSTANT:
        return lru_cache(_REMEMBERED)(lambda text: stored_instant(parse(text)))
    return parse


def _is_text(known: Field) -> bool:
    return known.type in (FieldType.TEXT, FieldType.CHOICE)


def _json_pair(known: Field, value: Any) -> tuple[str, str]:
    """`"name": value` as in the attributes, and as in the folded attributes."""
    name = json.dumps(known.attribute)
    plain = value.isoformat() if known.type is FieldType.DATE and value is not None else value
    folded = fold(plain) if isinstance(plain, str) else plain
    return f"{name}: {json.dumps(plain)}", f"{name}: {json.dumps(folded)}"


def _json_objects(columns: list[list[str | None]], rows: int) -> list[str]:
    if not columns:
        return ["{}"] * rows
    return ["{" + ", ".join(filter(None, pairs)) + "}" for pairs in zip(*columns, strict=True)]
