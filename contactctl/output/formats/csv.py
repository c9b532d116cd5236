"""CSV as in RFC 4180, safe to open in a spreadsheet."""

import csv
import json

from contactctl.domain.text import defuse, show_safely
from contactctl.output.console import Console
from contactctl.output.presentation import Presentation, rows_or_single, to_json


def write(presentation: Presentation, console: Console, command: str) -> None:  # noqa: ARG001
    """Write a header and the rows; RFC 4180 ends every line with CR LF."""
    rows = rows_or_single(presentation)
    keys = [column.key for column in rows.columns]
    writer = csv.writer(console.stdout, lineterminator="\r\n")
    writer.writerow(keys)
    for row in rows.items:
        cells = [cell(row.get(key)) for key in keys]
        # a terminal obeys escape sequences; a file or pipe gets the data as it is
        writer.writerow(map(show_safely, cells) if console.stdout_is_tty else cells)
    if rows.beginning_of:
        console.note(rows.beginning_of)


def cell(value: object) -> str:
    """A value as CSV text: numbers bare, text defused, sets joined by ';', mappings as JSON."""
    if value is None:
        return ""
    if type(value) is str:  # most cells of a long export
        return defuse(value)
    plain = to_json(value)
    if isinstance(plain, bool):
        return "true" if plain else "false"
    if isinstance(plain, int | float):
        return str(plain)
    if isinstance(plain, list) and all(isinstance(item, str) for item in plain):
        return defuse(";".join(plain))
    return defuse(plain if isinstance(plain, str) else json.dumps(plain, ensure_ascii=False))
