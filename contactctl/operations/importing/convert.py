"""A batch's columns -> rows as the store takes them in. Whole columns at a time, for speed."""

import json
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from functools import lru_cache
from shlex import quote
from typing import Any

from contactctl.domain.contact_values import parse_text
from contactctl.domain.contacts import MembershipState, Status
from contactctl.domain.criteria.fields import Field, FieldType
from contactctl.domain.criteria.values import MAX_TEXT
from contactctl.domain.emails import bare_address, email_key
from contactctl.domain.text import fold, text_of_formula, trim, undo_defuse
from contactctl.operations.importing.columns import STATE_BY_FIELD, STATUS_FIELDS, FileColumn
from contactctl.operations.importing.json_objects import Cell
from contactctl.operations.importing.options import ImportOptions, InactiveRule, Reject
from contactctl.operations.importing.presets import plain
from contactctl.operations.importing.rows import Batch
from contactctl.operations.importing.status import Inactive, inactive_rows
from contactctl.operations.importing.told import NULL_WORDS, Told
from contactctl.store.fields import FOLDED_COLUMNS, GIVEN_COLUMNS
from contactctl.store.imports import Layout
from contactctl.store.staged import Staged, stored_date, stored_instant

KEY = 2  # where a staged row holds its email key
SUPPRESSED = "the address is suppressed (`contactctl suppressions check` asks)"
FORMER = "a contact had this address before (`contactctl contacts show` shows which)"
UNKNOWN_ADDRESS = "no contact has this address (--update-only)"
ADDRESS_TAKEN = "another contact has this address"
NO_ID = "no id"
ID_TWICE = "the id occurs twice, with another address: it must name one contact"
_LONGEST_ID = 255
_REMEMBERED = 4_000  # different texts of a column whose values are kept: dates, plans, tags

Cells = Sequence[Cell]
Read = Callable[[str], Any]
Failures = dict[int, str]
Names = Mapping[int, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class ColumnReader:
    """One column of the file: where it is, its field, and what reads its text.

    `latest` is the last stored value that is not still to come, of a field that tells the past.
    """

    at: int
    field: Field
    parse: Read
    latest: str | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """How every row of one file is read. Columns are in the order in which they are stored.

    `names` maps the fields that hold several names (tag, group and the group_ ones) to their
    readers, `status` those that say whether a contact is inactive. `rules` do so too, by the place
    of their column; `all_inactive` is the reason why every contact of the file is. `nulls` are
    cells that mean nothing.
    """

    email: ColumnReader
    values: tuple[ColumnReader, ...]
    attributes: tuple[ColumnReader, ...]
    names: Mapping[str, ColumnReader]
    status: Mapping[str, ColumnReader]
    rules: tuple[tuple[int, InactiveRule], ...]
    all_inactive: str | None
    created: ColumnReader | None
    clears: bool
    from_spreadsheet: bool
    nulls: frozenset[str] = frozenset()

    @property
    def layout(self) -> Layout:
        names = tuple(reader.field.name for reader in self.values)
        return Layout(
            names,
            has_attributes=bool(self.attributes),
            clears=self.clears,
            has_created=self.created is not None,
        )


@dataclass(slots=True)
class Converted:
    """A batch as rows to be put in, with the names of their tags, and of their groups by the state
    of the membership, by position.

    `inactive` says which rows are of contacts that must not get mail; the status of those at
    `active` says that they may. `external_ids` are those of a source.
    """

    rows: list[Staged] = field(default_factory=list)
    tags: Names = field(default_factory=dict)
    groups: Mapping[MembershipState, Names] = field(default_factory=dict)
    inactive: Mapping[int, Inactive] = field(default_factory=dict)
    active: frozenset[int] = frozenset()
    rejects: list[Reject] = field(default_factory=list)
    external_ids: Sequence[str] = ()

    def besides(self, position: int) -> tuple[object, ...]:
        """What a row says besides its values."""
        every = (self.tags, *self.groups.values(), self.inactive)
        external_id = self.external_ids[position] if self.external_ids else None
        return (*(each.get(position) for each in every), external_id)


def make_plan(
    columns: Sequence[FileColumn],
    reading: Callable[[FileColumn, Field], Read],
    options: ImportOptions,
    *,
    from_spreadsheet: bool,
    latest: Mapping[str, str],
) -> Plan:
    """The plan for a file with these columns; `reading` gives what reads a column.

    `latest` has the last value that is not still to come, of each field that tells the past.
    """
    readers = {
        column.field.name: ColumnReader(
            at,
            column.field,
            reading(column, column.field),
            latest.get(column.field.name),
        )
        for at, column in enumerate(columns)
        if column.field
    }
    places = {plain(column.name): at for at, column in enumerate(columns)}
    rules = [
        (places[plain(rule.column)], rule)
        for rule in (*options.inactive, *options.preset.inactive)
        if plain(rule.column) in places
    ]
    return Plan(
        email=readers["email"],
        values=tuple(readers[name] for name in GIVEN_COLUMNS if name in readers),
        attributes=tuple(reader for reader in readers.values() if reader.field.is_attribute),
        names={name: readers[name] for name in ("tag", *STATE_BY_FIELD) if name in readers},
        status={name: readers[name] for name in STATUS_FIELDS if name in readers},
        rules=tuple(rules),
        all_inactive=options.inactive_reason if options.all_inactive else None,
        created=readers.get("created"),
        clears=options.empty_clears,
        from_spreadsheet=from_spreadsheet,
        nulls=options.all_nulls,
    )


def convert(plan: Plan, batch: Batch, told: Told) -> Converted:
    """The batch's rows, those that cannot be read among the rejects, in the file's order."""
    if not batch.rows:
        return Converted(rejects=batch.rejects)
    return _Conversion(plan, batch, told).result()


def rows_without(
    converted: Converted, batch: Batch, keys: AbstractSet[str], reason: str
) -> Converted:
    """The rows whose address is not among these email keys; the others join the rejects."""
    positions = {row[0] for row in converted.rows if row[KEY] in keys}
    if not positions:
        return converted
    return rows_without_positions(converted, batch, positions, reason)


def rows_without_positions(
    converted: Converted, batch: Batch, positions: AbstractSet[int], reason: str
) -> Converted:
    """The rows that are not at these positions; the others join the rejects."""
    rejected = [batch.reject(at, reason) for at in positions]
    return replace(
        converted,
        rows=[row for row in converted.rows if row[0] not in positions],
        groups={
            state: {at: names for at, names in groups.items() if at not in positions}
            for state, groups in converted.groups.items()
        },
        rejects=sorted([*converted.rejects, *rejected], key=lambda reject: reject.line),
    )


class _Conversion:
    """One batch on its way; `failures` collects the first reason against each row.

    `empty` are rows without any text: they are nothing, and no failures.
    """

    def __init__(self, plan: Plan, batch: Batch, told: Told) -> None:
        self.plan = plan
        self.told = told
        self.batch = batch
        self.cells: list[Cells] = list(zip(*batch.rows, strict=True))
        self.nested = range(batch.width or len(self.cells), len(self.cells))
        self.failures: Failures = {}
        self.empty: set[int] = set()
        self.trimmed: dict[int, Cells] = {}

    def result(self) -> Converted:
        columns = [range(len(self.batch.rows)), *self._addresses()]
        for reader in self.plan.values:
            columns += self._value(reader)
        if self.plan.attributes:
            columns += self._attributes()
        if self.plan.clears:
            columns.append(self._cleared())
        if self.plan.created:
            columns += self._value(self.plan.created)
        names = {name: self._names(reader) for name, reader in self.plan.names.items()}
        inactive, active = self._inactive()
        self._require_ids(columns[KEY])
        rows: list[Staged] = list(zip(*columns, strict=True))
        if self.failures or self.empty:
            dropped = self.failures.keys() | self.empty
            rows = [row for at, row in enumerate(rows) if at not in dropped]
        return Converted(
            rows,
            names.pop("tag", {}),
            {STATE_BY_FIELD[name]: groups for name, groups in names.items()},
            inactive,
            active,
            self._rejects(),
            self.batch.external_ids,
        )

    def _require_ids(self, keys: Sequence[Any]) -> None:
        """An id of a source names one contact: nobody can tell which of two addresses it has."""
        ids = self.batch.external_ids
        is_plain = all(ids) and "".join(ids).isprintable()
        if is_plain and len({*ids}) == len(ids) and max(map(len, ids), default=0) <= _LONGEST_ID:
            return
        first: dict[str, str] = {}
        for at, (external_id, key) in enumerate(zip(ids, keys, strict=True)):
            if not external_id:
                self.failures.setdefault(at, NO_ID)
            elif len(external_id) > _LONGEST_ID:
                self.failures.setdefault(at, f"an id of more than {_LONGEST_ID} characters")
            elif not external_id.isprintable():
                self.failures.setdefault(at, "an id with a character that cannot be printed")
            elif at not in self.failures and first.setdefault(external_id, key) != key:
                self.failures[at] = ID_TWICE

    def _inactive(self) -> tuple[Mapping[int, Inactive], frozenset[int]]:
        status = {
            name: self._read(name, self._trimmed(reader.at), reader.parse)
            for name, reader in self.plan.status.items()
        }
        rules = [(self._trimmed(at), rule) for at, rule in self.plan.rules]
        found = inactive_rows(len(self.batch.rows), status, rules, self.plan.all_inactive)
        for cells, rule in rules:
            if rule not in self.told.rules_met and any(map(rule.holds_for, cells)):
                self.told.rules_met.add(rule)
        for at, column in {at: rule.column for at, rule in self.plan.rules if rule.values}.items():
            others = (cell for row, cell in enumerate(self._trimmed(at)) if row not in found)
            self.told.take_as_active(column, others)
        said = enumerate(status.get("status", ()))
        active = frozenset(at for at, value in said if value == Status.ACTIVE and at not in found)
        return found, active

    def _addresses(self) -> list[Sequence[Any]]:
        emails = self._trimmed(self.plan.email.at)
        if not {"<", ":"}.isdisjoint("".join(filter(None, emails))):
            emails = [cell and bare_address(cell) for cell in emails]
        keys = self._read("email", emails, email_key)
        for at, email in enumerate(emails):
            if email:
                continue
            if self.batch.records or any(map(trim, filter(None, self.batch.rows[at]))):
                self.failures.setdefault(at, "no email")
            else:
                self.empty.add(at)
        return [emails, keys, [key and key.rpartition("@")[2] for key in keys]]

    def _value(self, reader: ColumnReader) -> list[Sequence[Any]]:
        cells = self._trimmed(reader.at)
        if reader.field.name not in FOLDED_COLUMNS:
            found = self._read(reader.field.name, cells, reader.parse)
            if reader.latest is not None:
                self.told.look_at_dates(reader.field.name, cells, found, reader.latest)
            return [found]
        self.told.look_at_texts(reader.field.name, cells)
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
            cells = self._trimmed(reader.at)
            pairs = self._read(reader.field.name, cells, reader.parse)
            if self.plan.clears:
                nothing = _json_pair(reader.field, None)
                pairs = [
                    nothing if cell == "" else pair for cell, pair in zip(cells, pairs, strict=True)
                ]
            values.append([pair and pair[0] for pair in pairs])
            if reader.field.type in (FieldType.TEXT, FieldType.CHOICE):
                self.told.look_at_texts(reader.field.name, cells)
                folded.append([pair and pair[1] for pair in pairs])
        rows = len(self.batch.rows)
        return [_json_objects(values, rows), _json_objects(folded, rows)]

    def _cleared(self) -> list[int]:
        masks = [0] * len(self.batch.rows)
        for bit, reader in enumerate(self.plan.values):
            for at, cell in enumerate(self._trimmed(reader.at)):
                if cell == "":
                    masks[at] |= 1 << bit
        return masks

    def _names(self, reader: ColumnReader) -> dict[int, tuple[str, ...]]:
        found = self._read(reader.field.name, self._trimmed(reader.at), reader.parse)
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
            null = f" (--null {quote(cell)} reads it as missing)" if cell in NULL_WORDS else ""
            self.failures.setdefault(
                at, f"{name}: {error}{null if '--null' not in str(error) else ''}"
            )
            return None

    def _trimmed(self, at: int) -> Cells:
        """A column's cells without what is around their text; those that mean nothing are empty."""
        if at not in self.trimmed:
            self.trimmed[at] = self._trim(at)
        return self.trimmed[at]

    def _trim(self, at: int) -> Cells:
        texts: Any = self.cells[at]
        if self.plan.from_spreadsheet and at not in self.nested:  # others are trimmed already
            joined = "".join(texts)
            texts = list(map(str.strip if joined.isascii() else trim, texts))
            if '="' in joined:
                texts = list(map(text_of_formula, texts))
            if "'" in joined:
                texts = list(map(undo_defuse, texts))
        if self.plan.nulls and not self.plan.nulls.isdisjoint(texts):
            return ["" if text in self.plan.nulls else text for text in texts]
        return texts  # type: ignore[no-any-return]

    def _rejects(self) -> list[Reject]:
        unread = [self.batch.reject(at, reason) for at, reason in self.failures.items()]
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
