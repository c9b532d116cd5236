"""Rows of another database as an import takes them: every value as the text of a cell."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

from contactctl.domain.criteria.fields import FieldCatalogue, FieldType
from contactctl.domain.name_cells import list_cell
from contactctl.domain.sources import DatabaseSource, kept_cursor, not_to_come
from contactctl.domain.text import trim
from contactctl.operations.importing.columns import ColumnNames, distinct_names
from contactctl.operations.importing.json_objects import Cell, number_text
from contactctl.operations.importing.options import ImportOptions, parse_rule
from contactctl.operations.importing.presets import plain
from contactctl.operations.importing.rows import Batch, FileRows
from contactctl.store.source_database import Reading, id_text

_TEXT_TYPES = {str, type(None)}
_NO_POSITION = (None, "infinity")  # Postgres's last instant would hide every later row


def options_of(
    source: DatabaseSource, reading: Reading, catalogue: FieldCatalogue
) -> ImportOptions:
    """How the rows are read. The columns of id and cursor are no news where they are no fields."""
    named = {plain(name) for name in source.columns}
    own = [reading.columns[reading.column(name)] for name in (source.key, source.cursor) if name]
    not_fields = [
        name
        for name in own
        if plain(name) not in named and (plain(name) == "id" or not catalogue.by_name(plain(name)))
    ]
    return ImportOptions(
        renames=dict(source.columns),
        ignored=frozenset((*source.ignored, *not_fields)),
        inactive=tuple(parse_rule(text) for text in source.inactive_when),
        date_formats=tuple(source.date_formats),
        separators=source.separators,
        nulls=frozenset(source.nulls),
        empty_clears=source.empty_clears,
        update_only=source.update_only,
    )


class SourceRows:
    """The rows of a source in batches; `position` is where the one yielded last ends."""

    def __init__(self, reading: Reading, now: datetime, kept: Mapping[str, Any]) -> None:
        self.position = dict(kept)
        self._reading = reading
        self._now = now
        self._key_at = reading.column(reading.source.key)
        cursor = reading.source.cursor
        self._cursor_at = reading.column(cursor) if cursor else None

    def file_rows(self, since: Any, options: ImportOptions, catalogue: FieldCatalogue) -> FileRows:
        """The rows as those of a file, from a cursor on or all of them. Raises UsageError."""
        names = ColumnNames(options, catalogue)
        header = distinct_names(self._reading.columns)
        columns = names.header(header)
        sets = [bool(each.field and each.field.type is FieldType.SET) for each in columns]
        return FileRows(columns, header, self._batches(since, options, sets), False, names)

    def _batches(self, since: Any, options: ImportOptions, sets: Sequence[bool]) -> Iterator[Batch]:
        number = 0
        for rows in self._reading.rows(since, options.batch_rows):
            columns = list(zip(*rows, strict=True))
            batch = Batch(list(range(number + 1, number + 1 + len(rows))))
            number += len(rows)
            rows.clear()  # whoever else holds the list: all of it is in the columns
            batch.external_ids = _ids(columns[self._key_at])
            batch.rows = list(zip(*map(_cells, columns, sets), strict=False))
            self._note(columns)
            del columns
            yield batch
        if number == 0:
            yield Batch()

    def _note(self, columns: Sequence[Sequence[Any]]) -> None:
        """Rows come in the cursor's order, those without one before or behind all others."""
        if self._cursor_at is None:
            return
        last = next((v for v in reversed(columns[self._cursor_at]) if v not in _NO_POSITION), None)
        if last is not None:
            self.position["cursor"] = kept_cursor(not_to_come(last, self._now))


def _ids(values: Sequence[Any]) -> list[str]:
    if {*map(type, values)} == {int}:
        return list(map(str, values))
    return ["" if value is None else id_text(value) for value in values]


def _cells(values: Sequence[Any], is_set: bool) -> Sequence[Cell]:
    """A column's values as text: what is missing is empty."""
    types = {*map(type, values)}
    if types <= _TEXT_TYPES:
        texts = [value or "" for value in values]
        return [text.strip() if text.isascii() else trim(text) for text in texts]
    is_list = list in types and is_set
    forms = {each: _list_cell if is_list and each is list else _form(each) for each in types}
    return [forms[type(value)](value) for value in values]


def _form(of: type) -> Callable[[Any], str]:
    return _FORMS.get(of, lambda value: trim(str(value)))


def _list_cell(value: list[Any]) -> str:
    if all(isinstance(each, str) for each in value):
        return list_cell([trim(each) for each in value])
    return _json_cell(value)


def _json_cell(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)


_FORMS: Mapping[type, Callable[[Any], str]] = {
    type(None): lambda _: "",
    str: trim,
    int: str,
    bool: lambda value: "true" if value else "false",
    float: number_text,
    Decimal: "{:f}".format,
    datetime: datetime.isoformat,
    date: date.isoformat,
    time: time.isoformat,
    bytes: lambda value: trim(value.decode("utf-8", "replace")),
    list: _json_cell,
    dict: _json_cell,
}
