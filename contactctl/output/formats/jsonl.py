"""JSON lines: one row, one object, one line."""

from contactctl.output.console import Console
from contactctl.output.formats.json import dump_row
from contactctl.output.presentation import Presentation, rows_or_single


def write(presentation: Presentation, console: Console, command: str) -> None:  # noqa: ARG001
    """Write the rows, or the data as one object when the result has no rows."""
    rows = rows_or_single(presentation)
    for row in rows.items:
        console.stdout.write(dump_row(row) + "\n")
    if rows.beginning_of:
        console.note(rows.beginning_of)
