"""CSV and JSON lines -> batches of rows, all of the same width."""

import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TextIO

from contactctl.domain.contact_values import NAME_SEPARATORS
from contactctl.domain.errors import InputError, UsageError
from contactctl.domain.fields import ATTRIBUTE_PREFIX, Field, FieldCatalogue, FieldType
from contactctl.domain.strict_json import STRICT
from contactctl.domain.values import shown_json
from contactctl.operations.importing.columns import ColumnNames, FileColumn, importable_fields
from contactctl.operations.importing.options import FileFormat, ImportOptions, Reject
from contactctl.operations.importing.source import Source

_DELIMITERS = (",", ";", "\t")
_LONGEST_CELL = 1 << 20
_LONGEST_LINE = 1 << 22
_BATCH_BYTES = 4 << 20

Cell = str | None


@dataclass(slots=True)
class Batch:
    """Rows in the file's order, the line each starts on, and what could not become a row.

    A cell is text; empty text was given as empty, None was not given at all (JSON lines, whose
    text is kept in `records`).
    """

    lines: list[int] = field(default_factory=list)
    rows: list[Sequence[Cell]] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)
    records: list[str] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.rows) + len(self.rejects)

    def original(self, at: int) -> tuple[str, ...]:
        """A row as the file has it: its cells, or the line of JSON."""
        if self.records:
            return (self.records[at],)
        return tuple(cell or "" for cell in self.rows[at])


@dataclass(frozen=True, slots=True)
class FileRows:
    """A file's columns, and its rows in batches.

    `names` head the cells of a reject. `from_spreadsheet`: text may be defused. `left_out` maps
    columns without a field to the reason; with JSON lines it grows with the batches.
    """

    columns: Sequence[FileColumn]
    names: Sequence[str]
    batches: Iterator[Batch]
    from_spreadsheet: bool
    left_out: Mapping[str, str]


def read_rows(source: Source, options: ImportOptions, catalogue: FieldCatalogue) -> FileRows:
    """The rows of a CSV or JSON lines file; InputError when its header cannot be used."""
    names = ColumnNames(options, catalogue)
    if (options.format or _detect_format(source)) is FileFormat.CSV:
        return _read_csv(source, options, names)
    fields = importable_fields(catalogue)
    columns = [FileColumn(known.name, known) for known in fields]
    batches = _json_batches(source, names, fields, _batch_rows(source, options))
    return FileRows(columns, ["record"], batches, False, names.left_out)


def _batch_rows(source: Source, options: ImportOptions) -> int:
    """How many rows to hold at once: fewer where lines are long, so that memory stays flat."""
    bytes_per_line = source.size // (source.lines + 1) + 1
    return max(1, min(options.batch_rows, _BATCH_BYTES // bytes_per_line))


def _detect_format(source: Source) -> FileFormat:
    """JSON lines start with an object; no header of ours starts with a brace."""
    start = source.text().read(1000).lstrip()
    return FileFormat.JSONL if start.startswith("{") else FileFormat.CSV


def _read_csv(source: Source, options: ImportOptions, names: ColumnNames) -> FileRows:
    if source.longest_line > _LONGEST_LINE:
        raise InputError(
            f"{source.name} has a line of {source.longest_line:,} bytes; the limit is"
            f" {_LONGEST_LINE:,}",
            hint="is this a text file with one contact per line?",
        )
    delimiter = options.delimiter or _detect_delimiter(source)
    csv.field_size_limit(_LONGEST_CELL)
    reader = csv.reader(source.text(), delimiter=delimiter, strict=True)
    try:
        header = next(reader, [])
    except csv.Error as error:
        raise InputError(f"{source.name}, line 1: {error}") from error
    if not header:
        raise InputError(f"{source.name} has no header", hint="its first line names the columns")
    columns = names.header([name.strip() for name in header])
    batches = _csv_batches(reader, len(columns), _batch_rows(source, options))
    return FileRows(columns, [column.name for column in columns], batches, True, names.left_out)


def _detect_delimiter(source: Source) -> str:
    """The only one of , ; TAB outside quotes in the header; a comma when there is none."""
    line = source.text().readline(_LONGEST_CELL)
    outside_quotes = "".join(line.split('"')[::2])
    found = [delimiter for delimiter in _DELIMITERS if delimiter in outside_quotes]
    if len(found) > 1:
        raise InputError(
            f"{source.name}: more than one of comma, semicolon and TAB in the header",
            hint="say which one separates with --delimiter",
        )
    return found[0] if found else ","


def _csv_batches(reader: Any, width: int, size: int) -> Iterator[Batch]:
    at_end = False
    while not at_end:
        batch = Batch()
        while not at_end and len(batch) < size:
            at_end = _fill(batch, reader, width, size)
        yield batch


def _fill(batch: Batch, reader: Any, width: int, size: int) -> bool:
    """Read rows into the batch until it is full or one is broken; whether the file has ended."""
    lines, rows, rejects = batch.lines, batch.rows, batch.rejects
    start = reader.line_num + 1
    try:
        for row in reader:
            if len(row) == width:
                lines.append(start)
                rows.append(row)
            elif row:
                reason = f"{len(row)} cells where the header has {width}"
                rejects.append(Reject(start, reason, tuple(row)))
            if len(lines) + len(rejects) >= size:
                return False
            start = reader.line_num + 1
    except csv.Error as error:
        rejects.append(Reject(start, _csv_problem(error, start, reader.line_num)))
        return False
    return True


def _csv_problem(error: csv.Error, start: int, end: int) -> str:
    lines = f" (lines {start} to {end})" if end > start else ""
    return f"{error}; is a quote not closed?{lines}"


def _json_batches(
    source: Source, names: ColumnNames, fields: Sequence[Field], size: int
) -> Iterator[Batch]:
    batch = Batch()
    for number, line in _numbered_lines(source.text()):
        if not line.strip():
            continue
        try:
            batch.rows.append(_json_row(line, names, fields))
            batch.lines.append(number)
            batch.records.append(line.rstrip("\r\n"))
        except (ValueError, UsageError, RecursionError) as error:
            batch.rejects.append(Reject(number, _json_problem(error), (line.rstrip("\r\n"),)))
        if len(batch) >= size:
            yield batch
            batch = Batch()
    yield batch


def _numbered_lines(text: TextIO) -> Iterator[tuple[int, str]]:
    """Each line with its number; of one that is too long only the start, so that it is told."""
    number = 0
    while line := text.readline(_LONGEST_LINE):
        number += 1
        yield number, line
        while line and not line.endswith(("\n", "\r")):
            line = text.readline(_LONGEST_LINE)


def _json_row(line: str, names: ColumnNames, fields: Sequence[Field]) -> list[Cell]:
    if len(line) >= _LONGEST_LINE:
        raise ValueError(f"a line is longer than {_LONGEST_LINE:,} characters")
    record = STRICT.decode(line)
    if not isinstance(record, dict):
        raise ValueError("not a JSON object")
    values: dict[str, Any] = {}
    for name, value in _flat(record).items():
        known = names.resolve(name)
        if known is not None:
            if known.name in values:
                raise ValueError(f"the field '{known.name}' is given twice")
            values[known.name] = value
    return [_cell(known, values[known.name]) if known.name in values else None for known in fields]


def _flat(record: Mapping[str, Any]) -> dict[str, Any]:
    """The record with `attributes: {plan: ...}` written as `attributes.plan: ...`."""
    nested = record.get("attributes")
    if not isinstance(nested, dict):
        return dict(record)
    flat = {name: value for name, value in record.items() if name != "attributes"}
    return flat | {f"{ATTRIBUTE_PREFIX}{name}": value for name, value in nested.items()}


def _cell(known: Field, value: Any) -> str:
    """A JSON value as the text that the field's parser reads; ValueError for another type."""
    if value is None:
        return ""
    if known.type is FieldType.SET:
        return _set_cell(known, value)
    if known.type is FieldType.BOOLEAN and isinstance(value, bool):
        return "true" if value else "false"
    if known.type is FieldType.NUMBER and isinstance(value, int | float):
        if not isinstance(value, bool):
            return f"{value:f}" if isinstance(value, float) and "e" in repr(value) else repr(value)
    elif isinstance(value, str) and known.type not in (FieldType.NUMBER, FieldType.BOOLEAN):
        return value.strip()
    raise ValueError(f"{known.name}: {shown_json(value)} where a {known.type} belongs")


def _set_cell(known: Field, value: Any) -> str:
    items = value if isinstance(value, list) else [value]
    for item in items:
        if not isinstance(item, str):
            raise ValueError(f"{known.name}: not a list of texts")
        if isinstance(value, list) and any(mark in item for mark in NAME_SEPARATORS):
            raise ValueError(f"{known.name}: a name cannot hold ; or |, which separate names")
    return NAME_SEPARATORS[0].join(items)


def _json_problem(error: Exception) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"not JSON: {error.msg} (column {error.colno})"
    return "nested too deep" if isinstance(error, RecursionError) else str(error)
