"""Text for people: aligned columns, no boxes, nothing that a pipe would have to strip."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice

from contactctl.domain.text import show_safely
from contactctl.output.console import Console
from contactctl.output.paint import BOLD, DIM, paint
from contactctl.output.presentation import (
    Bars,
    Block,
    Column,
    Heading,
    KeyValues,
    Presentation,
    Row,
    Rows,
    RowsTable,
    Table,
    Text,
    Verbatim,
)
from contactctl.output.textwidth import cut, pad, width_of
from contactctl.output.values import to_people

_GAP = "  "
_MEASURED_ROWS = 500
_NARROWEST = 6
_BAR_WIDTH = 40


def write(presentation: Presentation, console: Console, command: str) -> None:  # noqa: ARG001
    """Write the blocks to stdout, a blank line between them."""
    lines = block_lines(presentation, console.width, cuts=console.stdout_is_tty)
    for kind, line in lines:
        console.stdout.write(paint(line, kind, console.colours_stdout) + "\n")


def block_lines(presentation: Presentation, width: int, *, cuts: bool) -> Iterator[tuple[str, str]]:
    """Style and text of each line. `cuts` shortens long cells so that a row fits `width`."""
    for number, block in enumerate(presentation.blocks):
        if number and not isinstance(presentation.blocks[number - 1], Heading):
            yield "", ""
        yield from _lines_of(block, presentation.rows, width if cuts else None)


def _lines_of(block: Block, rows: Rows | None, width: int | None) -> Iterator[tuple[str, str]]:
    match block:
        case Heading(text):
            yield BOLD, to_people(text)
        case Text(text):
            yield from (("", to_people(line) if line else "") for line in text.split("\n"))
        case Verbatim(text):
            yield from (("", line) for line in text.rstrip("\n").split("\n"))
        case KeyValues(pairs):
            yield from _pair_lines(pairs)
        case Table(columns, items, empty):
            yield from _table_lines(columns, items, empty, width)
        case RowsTable(empty):
            if rows is not None:
                shown = [column for column in rows.columns if column.for_people]
                yield from _table_lines(shown, rows.items, empty, width)
        case Bars(numbers):
            yield from _bar_lines(numbers)


def _pair_lines(pairs: Sequence[tuple[str, object]]) -> Iterator[tuple[str, str]]:
    labels = [show_safely(label) for label, _ in pairs]
    widest = max(map(width_of, labels), default=0)
    for label, (_, value) in zip(labels, pairs, strict=True):
        yield "", f"{pad(label, widest)}{_GAP}{to_people(value)}"


def _table_lines(
    columns: Sequence[Column], items: Iterable[Row], empty: str, width: int | None
) -> Iterator[tuple[str, str]]:
    """Header and rows; column widths come from the first rows, so that the rest can stream."""
    remaining = iter(items)
    measured = [_cells(columns, item) for item in islice(remaining, _MEASURED_ROWS)]
    if not measured:
        yield DIM, empty
        return
    headings = [column.heading for column in columns]
    widths = _fit(_natural_widths([headings, *(texts for texts, _ in measured)]), width)
    right = [all(numeric[at] for _, numeric in measured) for at in range(len(columns))]
    yield BOLD, _line(headings, widths, right, width is not None)
    for texts, _ in chain(measured, (_cells(columns, item) for item in remaining)):
        yield "", _line(texts, widths, right, width is not None)


def _cells(columns: Sequence[Column], item: Row) -> tuple[list[str], list[bool]]:
    values = [item.get(column.key) for column in columns]
    numeric = [isinstance(value, int | float) and not isinstance(value, bool) for value in values]
    return [to_people(value) for value in values], numeric


def _natural_widths(lines: Sequence[Sequence[str]]) -> list[int]:
    return [max(map(width_of, column)) for column in zip(*lines, strict=True)]


def _fit(widths: list[int], total: int | None) -> list[int]:
    """Shrink the widest columns, one character at a time, until the row fits into `total`."""
    fitted = list(widths)
    if total is None:
        return fitted
    excess = sum(fitted) + len(_GAP) * (len(fitted) - 1) - total
    while excess > 0 and max(fitted) > _NARROWEST:
        fitted[fitted.index(max(fitted))] -= 1
        excess -= 1
    return fitted


def _line(texts: Sequence[str], widths: Sequence[int], right: Sequence[bool], cuts: bool) -> str:
    cells = [cut(text, width) if cuts else text for text, width in zip(texts, widths, strict=True)]
    padded = [
        pad(cell, width, right=to_the_right)
        for cell, width, to_the_right in zip(cells, widths, right, strict=True)
    ]
    return _GAP.join(padded).rstrip()


def _bar_lines(numbers: Sequence[tuple[str, int]]) -> Iterator[tuple[str, str]]:
    most = max((number for _, number in numbers), default=0) or 1
    widest = max((width_of(to_people(label)) for label, _ in numbers), default=0)
    digits = max((len(str(number)) for _, number in numbers), default=0)
    for label, number in numbers:
        bar = "#" * round(number / most * _BAR_WIDTH)
        yield "", f"{pad(to_people(label), widest)}{_GAP}{number:>{digits}}{_GAP}{bar}".rstrip()
