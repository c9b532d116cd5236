"""From the shared filter options to a CriteriaSource."""

from pathlib import Path
from typing import TYPE_CHECKING

from contactctl.output.console import Console

if TYPE_CHECKING:
    from contactctl.operations.select import CriteriaSource


def criteria_source(
    console: Console,
    where: list[str] | None,
    where_any: list[str] | None,
    where_not: list[str] | None,
    file: Path | None,
) -> "CriteriaSource":
    """The criteria as given on the command line; `--criteria -` reads standard input."""
    from contactctl.cli.standard_input import bytes_of_stdin
    from contactctl.operations.select import CriteriaSource

    from_stdin = str(file) == "-"
    return CriteriaSource(
        where=tuple(where or ()),
        where_any=tuple(where_any or ()),
        where_not=tuple(where_not or ()),
        file=file,
        folder=console.cwd,
        stdin=bytes_of_stdin(console) if from_stdin else None,
    )
