"""CSV and JSON lines -> batches of rows, all of the same width."""

import codecs
import csv
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import IO, Any, BinaryIO, TextIO, cast

from contactctl.domain.criteria.fields import FieldCatalogue
from contactctl.domain.errors import InputError, UsageError
from contactctl.domain.plain_data import STRICT
from contactctl.domain.responses import Rejection
from contactctl.domain.text import counted, show_safely
from contactctl.operations.importing.beginning import (
    beginning_of,
    refuse_ambiguous,
    refuse_preamble,
)
from contactctl.operations.importing.columns import (
    ColumnNames,
    FileColumn,
    distinct_names,
    importable_fields,
)
from contactctl.operations.importing.json_objects import (
    Cell,
    JsonKeys,
    attributes_in,
    flat,
    json_problem,
)
from contactctl.operations.importing.options import FileFormat, ImportOptions, Reject
from contactctl.operations.importing.source import Source
from contactctl.responses.json_stream import JsonValue, is_cut_off, read_json

_LONGEST_CELL = 1 << 20
_LONGEST_LINE = 1 << 22
_BATCH_BYTES = 4 << 20


@dataclass(slots=True)
class Batch:
    """Rows in the file's order, the line each starts on, and what could not become a row.

    A cell is text; empty text was given as empty, None was not given at all (JSON lines, whose
    text is kept in `records`). Rows of a database have `external_ids`. Cells from `width` on stand
    within another one in the file.
    """

    lines: list[int] = field(default_factory=list)
    rows: list[Sequence[Cell]] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)
    records: list[str] = field(default_factory=list)
    external_ids: Sequence[str] = ()
    width: int | None = None

    def __len__(self) -> int:
        return len(self.rows) + len(self.rejects)

    def reject(self, at: int, reason: str) -> Reject:
        """Why a row is not imported, with the row."""
        place = f"id {show_safely(self.external_ids[at])}" if self.external_ids else ""
        return Reject(self.lines[at], reason, self.original(at), place)

    def original(self, at: int) -> tuple[str, ...]:
        """A row as the file has it: its cells, or the line of JSON."""
        if self.records:
            return (self.records[at],)
        return _texts(self.rows[at][: self.width])


def _texts(row: Sequence[Cell]) -> tuple[str, ...]:
    return tuple(cell or "" for cell in row)


@dataclass(frozen=True, slots=True)
class FileRows:
    """A file's columns, and its rows in batches.

    `names` head the cells of a reject. `from_spreadsheet`: text may be defused. `known` has
    what is known of the columns' names; with JSON lines it grows with the batches.
    """

    columns: Sequence[FileColumn]
    names: Sequence[str]
    batches: Iterator[Batch]
    from_spreadsheet: bool
    known: ColumnNames


def read_rows(source: Source, options: ImportOptions, catalogue: FieldCatalogue) -> FileRows:
    """The rows of a CSV or JSON lines file; InputError when its header cannot be used."""
    names = ColumnNames(options, catalogue)
    fields = importable_fields(catalogue)
    rules = (*options.inactive, *options.preset.inactive)
    spoken_of = list(dict.fromkeys(rule.column for rule in rules))
    keys = JsonKeys.of(names, fields, spoken_of)
    if (options.format or _detect_format(source)) is FileFormat.CSV:
        return _read_csv(source, options, keys)
    batches = _json_batches(source, keys, _batch_rows(source, options))
    return FileRows(keys.columns, ["record"], batches, False, names)


def _batch_rows(source: Source, options: ImportOptions) -> int:
    """How many rows to hold at once: fewer where lines are long, so that memory stays flat."""
    bytes_per_line = source.size // (source.lines + 1) + 1
    return max(1, min(options.batch_rows, _BATCH_BYTES // bytes_per_line))


def _detect_format(source: Source) -> FileFormat:
    """JSON starts with an object or an array of some; no header of ours does."""
    start = "".join(source.text().read(1000).split())
    is_json = start.startswith(("{", "[{", "[]"))
    return FileFormat.JSONL if is_json else FileFormat.CSV


def _read_csv(source: Source, options: ImportOptions, keys: JsonKeys) -> FileRows:
    if source.longest_line > _LONGEST_LINE:
        raise InputError(
            f"{source.name} has a line of {source.longest_line:,} bytes; the limit is"
            f" {_LONGEST_LINE:,}",
            hint="is this a text file with one contact per line?",
        )
    beginning = beginning_of(source)
    delimiter = options.delimiter or source.delimiter or beginning.delimiter
    csv.field_size_limit(_LONGEST_CELL)
    reader = csv.reader(source.text(), delimiter=delimiter, strict=True, skipinitialspace=True)
    try:
        for _ in range(beginning.skipped):
            next(reader)
        header = distinct_names(next(reader, []))
    except csv.Error as error:
        raise InputError(f"{source.name}, line {beginning.skipped + 1}: {error}") from error
    if not header:
        raise InputError(f"{source.name} has no header", hint="its first line names the columns")
    refuse_preamble(source, beginning)
    if not (options.delimiter or source.delimiter or beginning.sep_line):
        refuse_ambiguous(source, beginning)
    columns = keys.names.header(header)
    batches = _csv_batches(reader, len(columns), _batch_rows(source, options))
    if keys.names.nested in header:
        keys = keys.besides(columns)
        batches = _opened(batches, header.index(keys.names.nested), keys)
        columns = [*columns, *keys.columns]
    return FileRows(columns, header, batches, True, keys.names)


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
            elif len(row) > width and not any(row[width:]):  # commas behind the last column
                lines.append(start)
                rows.append(row[:width])
            elif any(row):
                reason = f"{counted(len(row), 'cell')} where the header has {width}"
                rejects.append(Reject(start, reason, tuple(row)))
            if len(lines) + len(rejects) >= size:
                return False
            start = reader.line_num + 1
    except csv.Error as error:
        rejects.append(Reject(start, _csv_problem(error, start, reader.line_num)))
        return False
    return True


def _opened(batches: Iterator[Batch], at: int, keys: JsonKeys) -> Iterator[Batch]:
    """The batches, with what the JSON of one column holds as further cells of each row."""
    decided = False
    for batch in batches:
        opened = Batch(rejects=batch.rejects)
        for line, row in zip(batch.lines, batch.rows, strict=True):
            try:
                more = keys.cells(attributes_in(row[at] or ""), decided=decided)
            except (ValueError, UsageError, RecursionError) as error:
                opened.rejects.append(Reject(line, json_problem(error), _texts(row)))
                continue
            opened.lines.append(line)
            opened.rows.append([*row, *more])
            opened.width = len(row)
        opened.rejects.sort(key=lambda reject: reject.line)
        yield opened
        decided = True


def _csv_problem(error: csv.Error, start: int, end: int) -> str:
    lines = f" (lines {start} to {end})" if end > start else ""
    return f"{error}; is a quote not closed?{lines}"


def _json_batches(source: Source, keys: JsonKeys, size: int) -> Iterator[Batch]:
    batch, decided = Batch(), False
    for number, line in _json_texts(source):
        if isinstance(line, Rejection):
            raw = line.raw.decode(errors="replace").rstrip()
            batch.rejects.append(Reject(number, line.reason, (raw,)))
            continue
        if not line.strip():
            continue
        try:
            batch.rows.append(_json_row(line, keys, decided=decided))
            batch.lines.append(number)
            batch.records.append(line.rstrip("\r\n"))
        except (ValueError, UsageError, RecursionError) as error:
            batch.rejects.append(Reject(number, json_problem(error), (line.rstrip("\r\n"),)))
        if len(batch) >= size:
            yield batch
            batch, decided = Batch(), True
    yield batch


def _json_texts(source: Source) -> Iterator[tuple[int, str | Rejection]]:
    """Each object as a text of one line, and the line it stands in; or why it cannot be read.

    A file that does not begin with a whole object in one line is an array, or has objects over
    several lines.
    """
    lines = _numbered_lines(source.text())
    first = next((line for _, line in lines if line.strip()), "")
    if first.lstrip().startswith("{") and not is_cut_off(first):
        yield from _numbered_lines(source.text())
        return
    for found in read_json(cast(BinaryIO, _as_utf_8(source)), ""):
        if isinstance(found, JsonValue):
            yield _line_in(found.place), json.dumps(found.value, ensure_ascii=False)
        else:
            yield _line_in(found.source), found


def _as_utf_8(source: Source) -> IO[bytes] | codecs.StreamRecoder:
    """The bytes from the start, as JSON has them (RFC 8259, section 8.1)."""
    source.stream.seek(0)
    if codecs.lookup(source.encoding).name.startswith("utf-8"):
        return source.stream
    return codecs.EncodedFile(source.stream, "utf-8", source.encoding)


def _line_in(place: str) -> int:
    """The line of a place such as `:12[3]` in a stream without a name."""
    return int(place.removeprefix(":").partition("[")[0])


def _numbered_lines(text: TextIO) -> Iterator[tuple[int, str]]:
    """Each line with its number; of one that is too long only the start, so that it is told."""
    number = 0
    while line := text.readline(_LONGEST_LINE):
        number += 1
        yield number, line
        while line and not line.endswith(("\n", "\r")):
            line = text.readline(_LONGEST_LINE)


def _json_row(line: str, keys: JsonKeys, *, decided: bool) -> list[Cell]:
    if len(line) >= _LONGEST_LINE:
        raise ValueError(f"a line is longer than {_LONGEST_LINE:,} characters")
    record = STRICT.decode(line)
    if not isinstance(record, dict):
        raise ValueError("not a JSON object")
    return keys.cells(flat(record), decided=decided)
