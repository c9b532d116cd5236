"""How wide a table's columns are on a terminal: whole where there is room."""

from collections.abc import Callable, Sequence

from contactctl.output.presentation import Column

GAP = "  "
_NARROWEST = 6
_NARROWEST_WRAPPED = 20
_NARROWEST_OF_ALL = 3


def fit(columns: Sequence[Column], widths: Sequence[int], total: int | None) -> list[int]:
    """The widths, made smaller until a row fits into `total` cells; None leaves them as they are.

    Text that wraps gives way first, as nothing of it is lost; then columns that yield; then all.
    """
    fitted = list(widths)
    if total is None:
        return fitted
    excess = sum(fitted) + len(GAP) * (len(fitted) - 1) - total
    ranks: list[tuple[Callable[[Column], bool], int]] = [
        (lambda column: column.wraps, _NARROWEST_WRAPPED),
        (lambda column: column.yields, _NARROWEST),
        (lambda _: True, _NARROWEST),
        (lambda _: True, _NARROWEST_OF_ALL),
    ]
    for gives_way, narrowest in ranks:
        places = [at for at, column in enumerate(columns) if gives_way(column)]
        excess = _shrink(fitted, places, narrowest, excess)
    return fitted


def leave_out(columns: Sequence[Column], total: int) -> list[Column]:
    """Without the last of those that yield, until the narrowest possible row fits into `total`."""
    left = list(columns)
    while _least(left) > total and (yielding := [column for column in left if column.yields]):
        left.remove(yielding[-1])
    return left


def _least(columns: Sequence[Column]) -> int:
    return len(columns) * (_NARROWEST + len(GAP)) - len(GAP)


def _shrink(widths: list[int], places: Sequence[int], narrowest: int, excess: int) -> int:
    """Take single cells from the widest of these places; return what is still too much."""
    while excess > 0 and places:
        widest = max(places, key=lambda at: widths[at])
        if widths[widest] <= narrowest:
            break
        widths[widest] -= 1
        excess -= 1
    return excess
