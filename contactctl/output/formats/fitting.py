"""How wide a table's columns are on a terminal: full width if there is room.

Numbers, times and words of headings are never cut: a column that shows too little is left out.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from contactctl.output.presentation import Column

GAP = "  "
_LEAST_WRAPPED = 20
_LEAST_YIELDING = 12
_LEAST_TEXT = 40  # addresses are mostly shorter, and useless when cut
_LEAST_OF_ALL = 3


@dataclass(frozen=True, slots=True)
class Measured:
    """A column, and how many cells its values, its heading and the heading's longest word take.

    `is_exact`: its values are numbers, times, yes or no.
    """

    column: Column
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
