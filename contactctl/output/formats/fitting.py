"""How wide a table's columns are on a terminal: whole where there is room."""

from collections.abc import Callable, Mapping, Sequence

from contactctl.output.presentation import Column
from contactctl.output.textwidth import width_of

GAP = "  "
_NARROWEST = 6
_NARROWEST_WRAPPED = 20
_NARROWEST_OF_ALL = 3


def fit(columns: Sequence[Column], widths: Sequence[int], total: int | None) -> list[int]:
    """The widths, made smaller until a row fits into `total` cells; None leaves them as they are.

    Text that wraps gives way first, as nothing of it is lost; then columns that yield; then all.
    Headings give way last.
    """
    fitted = list(widths)
    if total is None:
        return fitted
    excess = sum(fitted) + len(GAP) * (len(fitted) - 1) - total
    ranks: list[tuple[Callable[[Column], bool], Callable[[Column], int]]] = [
        (lambda column: column.wraps, lambda _: _NARROWEST_WRAPPED),
        (lambda column: column.yields, _with_heading),
        (lambda _: True, _with_heading),
        (lambda _: True, lambda _: _NARROWEST),
        (lambda _: True, lambda _: _NARROWEST_OF_ALL),
    ]
    for gives_way, narrowest in ranks:
        floors = {at: narrowest(each) for at, each in enumerate(columns) if gives_way(each)}
        excess = _shrink(fitted, floors, excess)
    return fitted


def _with_heading(column: Column) -> int:
    return max(_NARROWEST, width_of(column.heading))


def leave_out(columns: Sequence[Column], total: int) -> list[Column]:
    """Without the last of those that yield, until the narrowest possible row fits into `total`."""
    left = list(columns)
    while _least(left) > total and (yielding := [column for column in left if column.yields]):
        left.remove(yielding[-1])
    return left


def _least(columns: Sequence[Column]) -> int:
    return len(columns) * (_NARROWEST + len(GAP)) - len(GAP)


def _shrink(widths: list[int], floors: Mapping[int, int], excess: int) -> int:
    """Take single cells from the widest of these places, none below its floor; return the rest."""
    while excess > 0 and (left := [at for at, floor in floors.items() if widths[at] > floor]):
        widths[max(left, key=lambda at: widths[at])] -= 1
        excess -= 1
    return excess
