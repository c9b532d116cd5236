"""An Excel workbook as the text of an import: one sheet, its cells as a person sees them."""

import csv
import re
import shlex
import zipfile
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time
from io import TextIOWrapper
from typing import IO, Any

from contactctl.domain.errors import InputError
from contactctl.domain.text import show_safely

SAVE_AS_CSV = "save the sheet as CSV (UTF-8), and import that"

Row = Sequence[object]

_STYLES = "xl/styles.xml"
_SHOWN_WITH_ZEROS = re.compile(rb"""formatCode=["']0{2,}["']""")


def write_sheet(stream: IO[bytes], copy: IO[bytes], name: str, sheet: str | None) -> None:
    """Write a sheet as CSV: the one called so, or else the only one that holds anything.

    Rows end as the header does: a workbook does not store what is empty behind. InputError for a
    workbook that cannot be read, and for a formula whose result is not stored with it.
    """
    book = _load(stream, name, data_only=True)
    title = _chosen(book, name, sheet)
    text = TextIOWrapper(copy, encoding="utf-8", newline="", write_through=True)
    if title:
        rows = _rows_as_seen(book[title], stream)
        if _has_formulas(stream):
            rows = _without_open_formulas(rows, _load(stream, name, data_only=False)[title], name)
        _write(rows, csv.writer(text))
    text.flush()
    text.detach()


def _load(stream: IO[bytes], name: str, *, data_only: bool) -> Any:
    stream.seek(0)
    try:
        import openpyxl  # noqa: PLC0415  (an extra)
    except ImportError:
        raise InputError(
            f"{name} is an Excel workbook (.xlsx), and the package openpyxl is not installed",
            hint=f"pip install 'contactctl[xlsx]', or {SAVE_AS_CSV}",
        ) from None
    try:
        book = openpyxl.load_workbook(stream, read_only=True, data_only=data_only)
    except Exception as error:  # openpyxl lets through whatever its parsers meet
        raise InputError(f"{name}: a broken workbook: {error}", hint=SAVE_AS_CSV) from error
    for sheet in book.worksheets:
        if hasattr(sheet, "reset_dimensions"):  # not a chart
            sheet.reset_dimensions()  # some writers say A1 and mean everything
    return book


def _chosen(book: Any, name: str, asked: str | None) -> str | None:
    """The title of the sheet to read; None for an empty workbook."""
    filled = [sheet.title for sheet in book.worksheets if _holds_something(sheet)]
    titles = ", ".join(f"'{show_safely(title)}'" for title in filled)
    if asked is not None:
        if asked not in filled:
            raise InputError(
                f"{name} has no sheet '{show_safely(asked)}' with cells", hint=f"it has {titles}"
            )
        return asked
    if len(filled) > 1:
        raise InputError(
            f"{name} has more than one sheet: {titles}",
            hint=f"--sheet {shlex.quote(show_safely(filled[0]))} reads one",
        )
    return filled[0] if filled else None


def _holds_something(sheet: Any) -> bool:
    rows = sheet.iter_rows(values_only=True) if hasattr(sheet, "iter_rows") else ()
    return any(value is not None for row in rows for value in row)


def _rows_as_seen(sheet: Any, stream: IO[bytes]) -> Iterator[Row]:
    """The values; of a number that is shown with leading zeros, its text."""
    with zipfile.ZipFile(stream) as archive:
        names = archive.namelist()
        styles = archive.read(_STYLES) if _STYLES in names else b""
    if not _SHOWN_WITH_ZEROS.search(styles):
        return sheet.iter_rows(values_only=True)  # type: ignore[no-any-return]  # twice as fast
    return ([_with_zeros(cell) for cell in row] for row in sheet.iter_rows())


def _with_zeros(cell: Any) -> object:
    value, shown_as = cell.value, getattr(cell, "number_format", None) or ""
    is_whole = isinstance(value, int | float) and not isinstance(value, bool) and value % 1 == 0
    if is_whole and len(shown_as) > 1 and not shown_as.strip("0"):
        return str(int(value)).zfill(len(shown_as))
    return value


def _has_formulas(stream: IO[bytes]) -> bool:
    with zipfile.ZipFile(stream) as archive:
        names = [name for name in archive.namelist() if name.startswith("xl/worksheets/")]
        return any(_holds(archive, name, (b"<f>", b"<f ", b":f>", b":f ")) for name in names)


def _holds(archive: zipfile.ZipFile, name: str, marks: Sequence[bytes]) -> bool:
    before = b""
    with archive.open(name) as sheet:
        while chunk := sheet.read(1 << 20):
            if any(mark in before + chunk for mark in marks):
                return True
            before = chunk[-2:]
    return False


def _without_open_formulas(rows: Iterator[Row], formulas: Any, name: str) -> Iterator[Row]:
    """The rows as they are; InputError at a formula that no spreadsheet program has computed."""
    for values, cells in zip(rows, formulas.iter_rows(), strict=True):
        for value, cell in zip(values, cells, strict=True):
            if value is None and cell.data_type == "f":
                raise InputError(
                    f"{name}, cell {cell.coordinate}: a formula without a stored result",
                    hint=f"open it in a spreadsheet program and save it, or {SAVE_AS_CSV}",
                )
        yield values


def _write(rows: Iterator[Row], writer: Any) -> None:
    width = 0
    for row in rows:
        cells = [_text(value) for value in row]
        while cells and not cells[-1]:
            cells.pop()
        width = width or len(cells)
        writer.writerow(cells and cells + [""] * (width - len(cells)))


def _text(value: object) -> str:
    """A cell as its text: dates as in ISO 8601, whole numbers without a point."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, datetime):
        is_date = value.time() == time()
        return value.date().isoformat() if is_date else value.isoformat(" ")
    return value.isoformat() if isinstance(value, date | time) else str(value)
