"""The rows of a CSV file as objects, with their places."""

import csv
from collections.abc import Iterator
from typing import BinaryIO

from contactctl.domain.errors import InputError
from contactctl.domain.responses import Rejection
from contactctl.responses.json_stream import JsonValue, bounded_lines

DELIMITERS = ",;\t|"
_LONGEST_CELL = 1 << 17
_SEPARATOR_LINE = "sep="  # the first line of spreadsheets' exports may name the delimiter
_HINT = "the first line names the columns: email, and one of category, status, diagnostic"


class CsvRows:
    """The rows of a CSV file; the delimiter is that of the header.

    Raises InputError where the file is not UTF-8, has a line of more than 1 MiB, or where its
    header names a column twice.
    """

    def __init__(self, stream: BinaryIO, name: str) -> None:
        csv.field_size_limit(_LONGEST_CELL)  # of the process: others may have set another one
        self._name = name
        self._lines = _text_lines(stream, name)
        self._first_line = 1
        header_line = next(self._lines, "")
        delimiter = ""
        if header_line.lower().startswith(_SEPARATOR_LINE):
            delimiter = header_line[len(_SEPARATOR_LINE) :].rstrip("\r\n")[:1]
            header_line = next(self._lines, "")
            self._first_line = 2
        self._delimiter = delimiter or max(DELIMITERS, key=header_line.count)
        self.header = _header(header_line, self._delimiter, name, self._first_line)

    def read(self, columns: list[str]) -> Iterator[JsonValue | Rejection]:
        """The rows under these names for the columns of the header; a short row lacks values."""
        rows = csv.reader(self._lines, delimiter=self._delimiter)
        filled = [""] * len(columns)
        while True:
            place = f"{self._name}:{rows.line_num + 1 + self._first_line}"
            try:
                row = next(rows, None)
            except csv.Error as error:
                yield Rejection(place, f"unreadable row: {error}")
                continue
            if row is None:
                return
            if len(row) > len(columns):
                reason = f"{len(row)} values under {len(columns)} columns"
                yield Rejection(place, reason, self._delimiter.join(row).encode())
            elif row:
                yield JsonValue(place, dict(zip(columns, row + filled[len(row) :], strict=True)))


def _text_lines(stream: BinaryIO, name: str) -> Iterator[str]:
    for number, line in bounded_lines(stream):
        if line is None:
            raise InputError(f"{name}:{number}: a line of more than 1 MiB", hint="is it CSV?")
        try:
            text = line.decode("utf-8-sig" if number == 1 else "utf-8")
        except UnicodeDecodeError:
            raise InputError(f"{name}:{number}: not UTF-8", hint="save it as UTF-8") from None
        yield text


def _header(line: str, delimiter: str, name: str, number: int) -> list[str]:
    place = f"{name}:{number}"
    try:
        columns = [cell.strip() for cell in next(csv.reader([line], delimiter=delimiter), [])]
    except csv.Error as error:
        raise InputError(f"{place}: unreadable header: {error}", hint=_HINT) from None
    folded = [column.casefold() for column in columns]
    for column in folded:
        if column and folded.count(column) > 1:
            raise InputError(f"{place}: column {column!r} twice", hint="keep one of them")
    return columns
