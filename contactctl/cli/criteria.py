"""From the shared filter options to a CriteriaSource."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from contactctl.operations.select import CriteriaSource


def criteria_source(
    where: list[str] | None,
    where_any: list[str] | None,
    where_not: list[str] | None,
    file: Path | None,
) -> "CriteriaSource":
    """The criteria as given on the command line; `--criteria -` reads standard input."""
    from contactctl.operations.select import CriteriaSource

    return CriteriaSource(
        where=tuple(where or ()),
        where_any=tuple(where_any or ()),
        where_not=tuple(where_not or ()),
        file=file,
        stdin=getattr(sys.stdin, "buffer", None),
    )
