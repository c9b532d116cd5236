"""How wide a table's columns are on a terminal: full width if there is room.

Numbers, times and words of headings are never cut: a column that shows too little is left out.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from itertools import chain, islice, zip_longest
from typing import TextIO

from contactctl.domain.text import show_safely
from contactctl.output import view
from contactctl.output.console import BOLD, DIM, Console, chop, cut, pad, paint, width_of, wrap
from contactctl.output.values import MISSING, to_people

GAP = "  "
# columns of how many there are, written as in prose: 1,284; other numbers name things
_COUNTS = {
    *("contacts", "contacts_in_force", "members", "active_members", "planned", "changed"),
    *("skipped", "delivered", "bounced", "complained", "held", "rows", "broken", "counted"),
}
_LEAST_WRAPPED = 20
_LEAST_YIELDING = 12
_LEAST_TEXT = 40  # addresses are mostly shorter, and useless when cut
_LEAST_OF_ALL = 3


@dataclass(frozen=True, slots=True)
class Measured:
    """A column, and how many cells its values, its heading and the heading's longest word take.

    `is_exact`: its values are numbers, times, yes or no.
    """

    column: view.Column
    values: int
    heading: int
    word: int
    is_exact: bool

    @property
    def natural(self) -> int:
        return max(self.values, self.heading)

    @property
    def least(self) -> int:
        """The width below which it would show too little."""
        if self.column.wraps:
            return self._at_least(_LEAST_WRAPPED)
        return self._at_least(_LEAST_YIELDING if self.column.yields else _LEAST_TEXT)

    @property
    def least_when_narrow(self) -> int:
        """The same when even the columns that do not give way need more room."""
        return self._at_least(_LEAST_YIELDING)

    def _at_least(self, cells: int) -> int:
        return max(self.values if self.is_exact else min(self.values, cells), self.word)


def row_width(widths: Sequence[int]) -> int:
    """The cells that a row takes."""
    return sum(widths) + len(GAP) * (len(widths) - 1)


def leave_out(measured: Sequence[Measured], total: int) -> list[Measured]:
    """Without as many as it takes for the others to fit into `total`, the last ones first.

    Those that yield are left out before the others show too little, the others only when they could
    hardly be read; the first column always stays, as do those that wrap and those asked for.
    """
    left = list(measured)
    yielding = [each for each in _can_go(left) if each.column.yields]
    while yielding and row_width([each.least for each in left]) > total:
        left.remove(yielding.pop())
    others = _can_go(left)
    while others and row_width([each.least_when_narrow for each in left]) > total:
        left.remove(others.pop())
    return left


def _can_go(measured: Sequence[Measured]) -> list[Measured]:
    return [each for each in measured[1:] if not (each.column.wraps or each.column.kept)]


def fit(measured: Sequence[Measured], total: int) -> list[int]:
    """The widths, made smaller until a row fits into `total` cells.

    Headings give way first, as they can be broken; then text that wraps, as nothing of it is lost;
    then columns that yield; then other text. If that is not enough, text is cut to nearly nothing.
    """
    widths = [each.natural for each in measured]
    ranks: list[tuple[Callable[[Measured], bool], Callable[[Measured], int]]] = [
        (lambda _: True, lambda each: max(each.values, each.word)),
        (lambda each: each.column.wraps, lambda each: each.least),
        (lambda each: each.column.yields, lambda each: each.least),
        (lambda _: True, lambda each: each.least),
        (lambda each: not each.is_exact, lambda _: _LEAST_OF_ALL),
    ]
    for gives_way, least in ranks:
        _shrink(
            widths,
            {at: least(each) for at, each in enumerate(measured) if gives_way(each)},
            row_width(widths) - total,
        )
    return widths


def _shrink(widths: list[int], least: dict[int, int], excess: int) -> None:
    """Take up to `excess` single cells from the places named, always from the widest that can."""
    for _ in range(excess):
        places = [at for at, fewest in least.items() if widths[at] > fewest]
        if not places:
            return
        widths[max(places, key=lambda at: widths[at])] -= 1


# Text for people: aligned columns, no boxes, nothing that a pipe must strip


_MEASURED_ROWS = 500
_NARROWEST_VALUE = 20
_BAR_WIDTH = 40
_ZONE = " UTC"
_NUMBERS = frozenset((int, float, Decimal))
_EXACT = _NUMBERS | {bool, date, datetime}

Tell = Callable[[str], None]


def write_table(presentation: view.Presentation, console: Console, command: str) -> None:  # noqa: ARG001
    """Write the blocks to stdout, a blank line between them."""
    _write_blocks(presentation, console, console.stdout, cuts=console.stdout_is_tty)


def write_above_question(presentation: view.Presentation, console: Console) -> None:
    """Write the blocks to stderr, for a person who is asked below them."""
    _write_blocks(presentation, console, console.stderr, cuts=True)
    print(file=console.stderr)


def _write_blocks(
    presentation: view.Presentation, console: Console, stream: TextIO, *, cuts: bool
) -> None:
    notes: list[str] = []
    is_stderr = stream is console.stderr
    coloured = console.colours_stderr if is_stderr else console.colours_stdout
    for style, line in block_lines(presentation, console.width, cuts=cuts, tell=notes.append):
        stream.write(paint(line, style, coloured) + "\n")
    stream.flush()
    for note in notes:
        console.note(note)


def block_lines(
    presentation: view.Presentation, width: int, *, cuts: bool, tell: Tell = lambda _: None
) -> Iterator[tuple[str, str]]:
    """Style and text of each line. `cuts` wraps text and shortens long cells to fit `width`.

    `tell` is told which columns have no room.
    """
    for number, block in enumerate(presentation.blocks):
        if number and not isinstance(presentation.blocks[number - 1], view.Heading):
            yield "", ""
        yield from _lines_of(block, presentation.rows, width if cuts else None, tell)


def _lines_of(
    block: view.Block, rows: view.Rows | None, width: int | None, tell: Tell
) -> Iterator[tuple[str, str]]:
    match block:
        case view.Heading(text):
            yield BOLD, to_people(text)
        case view.Text(text):
            yield from (("", line) for line in _text_lines(text, width))
        case view.Verbatim(text):
            yield from (("", line) for line in text.rstrip("\n").split("\n"))
        case view.KeyValues(pairs):
            yield from _pair_lines(pairs, width)
        case view.Table(columns, items, empty):
            yield from _table_lines(view.Rows("", columns, items), empty, width, tell)
        case view.RowsTable(empty):
            if rows is not None:
                yield from _table_lines(rows, empty, width, tell)
        case view.Bars(numbers):
            yield from _bar_lines(numbers, width)


def _text_lines(text: str, width: int | None) -> Iterator[str]:
    for line in text.split("\n"):
        safe = to_people(line) if line else ""
        yield from [safe] if width is None else wrap(safe, width, hang=0)


def _pair_lines(
    pairs: Sequence[tuple[str, object]], width: int | None
) -> Iterator[tuple[str, str]]:
    labels = [show_safely(label) for label, _ in pairs]
    widest = max(map(width_of, labels), default=0)
    for label, (_, value) in zip(labels, pairs, strict=True):
        text = to_people(value)
        room = width and max(width - widest - len(GAP), _NARROWEST_VALUE)
        first, *others = [text] if room is None else wrap(text, room)
        yield "", f"{pad(label, widest)}{GAP}{first}"
        yield from (("", f"{' ' * widest}{GAP}{line}") for line in others)


def _table_lines(
    rows: view.Rows, empty: str, width: int | None, tell: Tell
) -> Iterator[tuple[str, str]]:
    """Header and rows; column widths come from the first rows, so that the rest can stream."""
    remaining = iter(rows.items)
    measured = list(islice(remaining, _MEASURED_ROWS))
    if not measured:
        yield DIM, empty
        return
    shown = [_with_zone(column, measured) for column in rows.columns if column.for_people]
    grid = _Grid.of(shown, measured, width)
    if left_out := [c.key for c in shown if _says_something(c, measured) and c not in grid.columns]:
        instead = "--fields" if rows.name else "a wider terminal"
        tell(f"no room for {', '.join(left_out)}; {instead} shows what is left out")
    yield from ((BOLD, line) for line in grid.heading())
    for item in chain(measured, remaining):
        yield from (("", line) for line in grid.lines(item))


@dataclass(frozen=True, slots=True)
class _Grid:
    """The columns shown, their widths, and which stand right; `cuts` when they must fit."""

    columns: Sequence[view.Column]
    widths: Sequence[int]
    right: Sequence[bool]
    cuts: bool

    @classmethod
    def of(
        cls, columns: Sequence[view.Column], items: Sequence[view.Row], width: int | None
    ) -> "_Grid":
        measured = [_measure(column, items) for column in columns]
        widths = [each.natural for each in measured]
        if width is not None and row_width(widths) > width:
            telling = [m for m in measured if m.column.kept or _says_something(m.column, items)]
            measured = leave_out(telling or measured, width)
            widths = fit(measured, width)
        columns = [each.column for each in measured]
        numeric = [_is_numeric(column, items) for column in columns]
        return cls(columns, widths, numeric, width is not None)

    def heading(self) -> Iterator[str]:
        """The titles, those too long for their columns in several lines that end in the last."""
        titles = [column.heading for column in self.columns]
        cells = [
            wrap(title, width, hang=0) if self.cuts else [title]
            for title, width in zip(titles, self.widths, strict=True)
        ]
        most = max(map(len, cells))
        raised = [[""] * (most - len(lines)) + lines for lines in cells]
        yield from map(self._line, zip(*raised, strict=True))

    def lines(self, item: view.Row) -> Iterator[str]:
        """The row's line, and those in which its wrapped cells go on."""
        cells = [
            self._cell_lines(column, _cell(column, item), width)
            for column, width in zip(self.columns, self.widths, strict=True)
        ]
        yield from map(self._line, zip_longest(*cells, fillvalue=""))

    def _cell_lines(self, column: view.Column, text: str, width: int) -> list[str]:
        return chop(text, width) if self.cuts and column.wraps else [text]

    def _line(self, texts: Sequence[str]) -> str:
        cells = zip(texts, self.widths, self.right, strict=True)
        padded = (
            pad(cut(text, width) if self.cuts else text, width, right=right)
            for text, width, right in cells
        )
        return GAP.join(padded).rstrip()


def _cell(column: view.Column, item: view.Row) -> str:
    """A value as text; the zone of an instant stands in the heading."""
    value = item.get(column.key)
    if column.key in _COUNTS and type(value) is int:
        return f"{value:,}"
    text = to_people(value)
    return text.removesuffix(_ZONE) if isinstance(value, datetime) else text


def _with_zone(column: view.Column, items: Sequence[view.Row]) -> view.Column:
    has_instants = any(isinstance(item.get(column.key), datetime) for item in items)
    return replace(column, title=f"{column.heading} ({_ZONE.strip()})") if has_instants else column


def _measure(column: view.Column, items: Sequence[view.Row]) -> Measured:
    texts = (_cell(column, item) for item in items)
    return Measured(
        column,
        values=max(map(width_of, texts)),
        heading=width_of(column.heading),
        word=max(map(width_of, column.heading.split()), default=0),
        is_exact=_kinds(column, items) <= _EXACT,
    )


def _says_something(column: view.Column, items: Sequence[view.Row]) -> bool:
    """Whether some row has a value there that is not missing, empty or `no`."""
    values = (item.get(column.key) for item in items)
    return any(value is not False and to_people(value) != MISSING for value in values)


def _is_numeric(column: view.Column, items: Sequence[view.Row]) -> bool:
    """Whether the values that are there are numbers."""
    kinds = _kinds(column, items)
    return bool(kinds) and kinds <= _NUMBERS


def _kinds(column: view.Column, items: Sequence[view.Row]) -> set[type]:
    """The types of the values that are there."""
    return {type(value) for item in items if (value := item.get(column.key)) is not None}


def _bar_lines(numbers: Sequence[tuple[str, int]], width: int | None) -> Iterator[tuple[str, str]]:
    most = max((number for _, number in numbers), default=0) or 1
    widest = max((width_of(to_people(label)) for label, _ in numbers), default=0)
    digits = max((len(f"{number:,}") for _, number in numbers), default=0)
    room = _BAR_WIDTH if width is None else width - widest - digits - 2 * len(GAP)
    longest = max(min(room, _BAR_WIDTH), 1)
    for label, number in numbers:
        bar = "#" * round(number / most * longest)
        yield (
            "",
            f"{pad(to_people(label), widest)}{GAP}{number:>{digits},}{GAP}{bar}".rstrip(),
        )
