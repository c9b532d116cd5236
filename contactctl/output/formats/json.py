"""The JSON envelope: one document, the same keys whatever happened."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace

from contactctl.domain.errors import status_word
from contactctl.output.console import Console
from contactctl.output.presentation import Presentation, Row, Rows, escape_unsafe_in_json, to_json

VERSION = 1


def write(presentation: Presentation, console: Console, command: str) -> None:
    """Write the envelope to stdout; rows that come lazily are written as they come."""
    rows = presentation.rows
    if rows is None or isinstance(rows.items, Sequence):
        console.stdout.write(_dump(envelope(presentation, command), console.stdout_is_tty) + "\n")
    else:
        console.output_is_cut_off = True
        console.stdout.writelines(_streamed(presentation, rows, command))
        console.output_is_cut_off = False


def envelope(presentation: Presentation, command: str) -> dict[str, object]:
    """The whole document as values: version, command, status, exit_code, data, errors."""
    data = dict(presentation.data)
    if presentation.rows is not None:
        data[presentation.rows.name] = list(presentation.rows.items)
    return {
        "version": VERSION,
        "command": command,
        "status": status_word(presentation.exit_code),
        "exit_code": int(presentation.exit_code),
        "data": data,
        "errors": [
            {"code": problem.code, "message": problem.message, "hint": problem.hint}
            for problem in presentation.problems
        ],
    }


def dump_row(row: Row) -> str:
    """One row as one line of JSON, without the newline."""
    return _dump(dict(row), indented=False)


def _dump(document: dict[str, object], indented: bool) -> str:
    text = json.dumps(to_json(document), ensure_ascii=False, indent=2 if indented else None)
    return escape_unsafe_in_json(text)


def _streamed(presentation: Presentation, rows: Rows, command: str) -> Iterator[str]:
    """The envelope in pieces, so that ten million rows need no more memory than one."""
    frame = replace(presentation, rows=Rows(rows.name, rows.columns, []))
    key = json.dumps(rows.name) + ": ["
    # the rows come last in the data, and a quote inside a string is escaped: the last one is it
    head, _, tail = _dump(envelope(frame, command), indented=False).rpartition(f"{key}]")
    yield head + key
    for number, row in enumerate(rows.items):
        yield f"{', ' if number else ''}{dump_row(row)}"
    yield f"]{tail}\n"
