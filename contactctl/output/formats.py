"""What programs read: the JSON envelope, JSON lines, CSV, and the text that Prometheus collects.

`write_NAME` writes a presentation in the format of that name (`OutputFormat`).
"""

import csv
import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import groupby
from pathlib import Path

from contactctl.config.drafts import replace_own
from contactctl.domain.errors import UsageError, status_word
from contactctl.domain.text import defuse, show_safely
from contactctl.output import view
from contactctl.output.console import Console
from contactctl.output.values import escape_unsafe_in_json, to_json

# The JSON envelope: one document, the same keys whatever happened

VERSION = 1


def write_json(presentation: view.Presentation, console: Console, command: str) -> None:
    """Write the envelope to stdout; rows that come lazily are written as they come."""
    rows = presentation.rows
    if rows is None or isinstance(rows.items, Sequence):
        console.stdout.write(_dump(envelope(presentation, command), console.stdout_is_tty) + "\n")
    else:
        console.output_is_cut_off = True
        console.stdout.writelines(_streamed(presentation, rows, command))
        console.output_is_cut_off = False


def envelope(presentation: view.Presentation, command: str) -> dict[str, object]:
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


def dump_row(row: view.Row) -> str:
    """One row as one line of JSON, without the newline."""
    return _dump(dict(row), indented=False)


def _dump(document: dict[str, object], indented: bool) -> str:
    text = json.dumps(to_json(document), ensure_ascii=False, indent=2 if indented else None)
    return escape_unsafe_in_json(text)


def _streamed(presentation: view.Presentation, rows: view.Rows, command: str) -> Iterator[str]:
    """The envelope in pieces, so that ten million rows need no more memory than one."""
    frame = replace(presentation, rows=view.Rows(rows.name, rows.columns, []))
    key = json.dumps(rows.name) + ": ["
    # the rows come last in the data, and a quote inside a string is escaped: the last one is it
    head, _, tail = _dump(envelope(frame, command), indented=False).rpartition(f"{key}]")
    yield head + key
    for number, row in enumerate(rows.items):
        yield f"{', ' if number else ''}{dump_row(row)}"
    yield f"]{tail}\n"


# JSON lines: one row, one object, one line


def write_jsonl(presentation: view.Presentation, console: Console, command: str) -> None:  # noqa: ARG001
    """Write the rows, or the data as one object when the result has no rows."""
    rows = view.rows_or_single(presentation)
    for row in rows.items:
        console.stdout.write(dump_row(row) + "\n")
    if rows.beginning_of:
        console.note(rows.beginning_of)


# CSV as in RFC 4180, safe to open in a spreadsheet


def write_csv(presentation: view.Presentation, console: Console, command: str) -> None:  # noqa: ARG001
    """Write a header and the rows; RFC 4180 ends every line with CR LF."""
    rows = view.rows_or_single(presentation)
    keys = [column.key for column in rows.columns]
    form = presentation.csv_form
    console.stdout.write("\ufeff" * form.byte_order_mark)
    writer = csv.writer(console.stdout, delimiter=form.delimiter, lineterminator="\r\n")
    writer.writerow(keys)
    for row in rows.items:
        cells = [cell(row.get(key)) for key in keys]
        # a terminal obeys escape sequences; a file or pipe gets the data as it is
        writer.writerow(map(show_safely, cells) if console.stdout_is_tty else cells)
    if rows.beginning_of:
        console.note(rows.beginning_of)


def cell(value: object) -> str:
    """A value as CSV text: numbers bare, text defused, sets as `names_in` reads them, mappings as
    JSON."""
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
        from contactctl.domain.name_cells import names_cell  # noqa: PLC0415  (CSV alone needs it)

        return defuse(names_cell(plain))
    return defuse(plain if isinstance(plain, str) else json.dumps(plain, ensure_ascii=False))


# The text exposition format, version 0.0.4, as the textfile collector of node_exporter reads it
# (https://prometheus.io/docs/instrumenting/exposition_formats/)

METRICS_BEGIN = "# HELP contactctl_"
_ESCAPES = str.maketrans({"\\": r"\\", "\n": r"\n", '"': r"\""})


def write_prometheus(presentation: view.Presentation, console: Console, command: str) -> None:
    """Write the result's metrics; UsageError for a command that has none."""
    if not presentation.metrics:
        raise UsageError(
            f"{command} has no metrics", hint="--format prometheus goes with `contactctl status`"
        )
    console.stdout.write(exposition(presentation.metrics))


def exposition(metrics: Sequence[view.Metric]) -> str:
    """The metrics as text; those of one name stand one below the other."""
    lines: list[str] = []
    for (name, meaning), alike in groupby(metrics, key=lambda each: (each.name, each.meaning)):
        lines += [f"# HELP {name} {meaning}", f"# TYPE {name} gauge"]
        lines += [f"{name}{_labels(each)} {each.value:.17g}" for each in alike]
    return "\n".join(lines) + "\n"


def write_metrics(metrics: Sequence[view.Metric], path: Path) -> None:
    """Write them as a file; an earlier one of ours is replaced. Raises InputError."""
    replace_own(path, exposition(metrics), "# HELP contactctl_", "metrics of contactctl")


def _labels(metric: view.Metric) -> str:
    if not metric.labels:
        return ""
    pairs = (f'{name}="{value.translate(_ESCAPES)}"' for name, value in metric.labels.items())
    return f"{{{','.join(pairs)}}}"
