"""How to show a result: what --format and --fields say."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import field, replace
from enum import StrEnum
from importlib import import_module
from typing import Any

from contactctl.domain.errors import REJECT, ContactctlError, ExitCode, Problem, UsageError
from contactctl.domain.lazy import dataclass
from contactctl.output.console import RED, YELLOW, Console, paint
from contactctl.output.values import to_people


class OutputFormat(StrEnum):
    """What --format takes."""

    TABLE = "table"
    JSON = "json"
    JSONL = "jsonl"
    CSV = "csv"
    PROMETHEUS = "prometheus"


@dataclass(frozen=True)
class OutputChoice:
    """The format, and the fields asked for (empty: all)."""

    format: OutputFormat = OutputFormat.TABLE
    fields: tuple[str, ...] = ()

    def check_fields(self, known: Sequence[str]) -> None:
        """Raise UsageError unless every field asked for is one of `known`."""
        for name in self.fields:
            if name not in known:
                raise UsageError(f"unknown field '{name}' in --fields", hint=_hint(name, known))


def _hint(name: str, known: Sequence[str]) -> str:
    from contactctl.domain.criteria.fields import did_you_mean  # noqa: PLC0415 - not for --help

    if not known:
        return "this result has no fields to choose from"
    return did_you_mean(name, list(known)) or f"known fields: {', '.join(known)}"


# A command's result before any format: data for programs, blocks for people


Row = Mapping[str, object]


@dataclass(frozen=True)
class Column:
    """One field of the rows: `key` as in JSON, CSV and --fields; `title` for people.

    A column with `for_people=False` is left out of the table unless --fields names it. On a
    narrow terminal one that `wraps` continues in further lines, and one that `yields` gives way
    first: it is cut, or left out, the last of them before the others. One that was asked for by
    its name is `kept`.
    """

    key: str
    title: str = ""
    for_people: bool = True
    wraps: bool = False
    yields: bool = False
    kept: bool = False

    @property
    def heading(self) -> str:
        return self.title or self.key.replace("_", " ").upper()


def columns(*keys: str, for_people: bool = True) -> tuple[Column, ...]:
    """Columns of these keys, each with its key as title."""
    return tuple(Column(key, for_people=for_people) for key in keys)


def hidden(*keys: str) -> tuple[Column, ...]:
    """Columns for programs alone."""
    return columns(*keys, for_people=False)


def picked(thing: object, names: Iterable[str]) -> dict[str, object]:
    """Those attributes of a thing, by their names."""
    return {name: getattr(thing, name) for name in names}


@dataclass(frozen=True)
class Rows:
    """The list in a result: `name` is its key in the JSON data. A lazy iterable is streamed.

    `on_request` are further columns that --fields can name. If the items are only the first ones,
    `beginning_of` says of how many and where the others are; '' if they are all.
    """

    name: str
    columns: Sequence[Column]
    items: Iterable[Row]
    on_request: Sequence[Column] = ()
    beginning_of: str = ""

    @property
    def keys(self) -> list[str]:
        """Everything that --fields can name."""
        return [column.key for column in (*self.columns, *self.on_request)]

    def pick(self, keys: Sequence[str]) -> "Rows":
        """Only the named columns, in that order; the names must be known."""
        by_key = {column.key: column for column in (*self.columns, *self.on_request)}
        chosen = [replace(by_key[key], for_people=True, kept=True) for key in keys]
        return self._with_columns(chosen)

    def without_request(self) -> "Rows":
        """Only the columns that are shown by default."""
        return self._with_columns(self.columns) if self.on_request else self

    def _with_columns(self, columns: Sequence[Column]) -> "Rows":
        keys = [column.key for column in columns]
        items = ({key: item.get(key) for key in keys} for item in self.items)
        kept = list(items) if isinstance(self.items, Sequence) else items
        return replace(self, columns=columns, items=kept, on_request=())


@dataclass(frozen=True)
class Heading:
    """A heading line above blocks that belong together."""

    text: str


@dataclass(frozen=True)
class Text:
    """A paragraph; line breaks are kept."""

    text: str


@dataclass(frozen=True)
class Verbatim:
    """Text of our own that must reach stdout unchanged, such as a script; never contacts' text."""

    text: str


@dataclass(frozen=True)
class KeyValues:
    """Label and value, one a line, values aligned."""

    pairs: Sequence[tuple[str, object]]


@dataclass(frozen=True)
class Table:
    """A small table of its own, apart from the result's rows."""

    columns: Sequence[Column]
    items: Iterable[Row]
    empty: str = "(none)"


@dataclass(frozen=True)
class RowsTable:
    """The place among the blocks where the result's rows are shown."""

    empty: str = "(none)"


@dataclass(frozen=True)
class Bars:
    """One bar per label, as long as its number."""

    numbers: Sequence[tuple[str, int]]


Block = Heading | Text | Verbatim | KeyValues | Table | RowsTable | Bars


def _nothing() -> None:
    """There is nothing to do once a result was written."""


@dataclass(frozen=True)
class Metric:
    """One number for a program that watches over many: a gauge with its labels."""

    name: str
    meaning: str
    value: float
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class CsvForm:
    """As in RFC 4180; spreadsheets of some countries expect another delimiter, and a byte order
    mark before letters that are not ASCII's."""

    delimiter: str = ","
    byte_order_mark: bool = False


@dataclass(frozen=True)
class Presentation:
    """A command's whole result.

    `data` becomes the JSON envelope's data (with the rows under their name), `rows` the lines of
    jsonl and csv, `blocks` the text for people. `notes` go to stderr, as do `warnings`, which
    --quiet keeps: somebody must decide, though nothing went wrong. `metrics` are for programs that
    watch. `csv_form` is how csv is written. `problems` and `exit_code`
    tell what went wrong; a refused command still shows the data it has. `delivered` is called once
    all of it was written.
    """

    data: Mapping[str, object] = field(default_factory=dict)
    rows: Rows | None = None
    blocks: Sequence[Block] = ()
    notes: Sequence[str] = ()
    problems: Sequence[Problem] = ()
    exit_code: ExitCode = ExitCode.DONE
    warnings: Sequence[str] = ()
    metrics: Sequence[Metric] = ()
    delivered: Callable[[], None] = _nothing
    csv_form: CsvForm = CsvForm()

    def failed(self, error: ContactctlError) -> "Presentation":
        """The same data, as the result of a command that ended with this error."""
        return replace(
            self, problems=[*self.problems, Problem.of(error)], exit_code=error.exit_code
        )


def first_of(items: Sequence[Row], limit: int | None) -> tuple[Sequence[Row], str]:
    """The first rows of a list of which one more was asked for, and for `beginning_of` whether
    there was one."""
    if limit is None or len(items) <= limit:
        return items, ""
    return items[:limit], f"the first {limit:,}; --limit N shows more"


def more_follows(cut: str) -> list[Block]:
    """For people, below such a list."""
    return [Text("... and more; --limit N shows them")] if cut else []


def cut_off(shown: int, total: int) -> str:
    """For `beginning_of`: that a list was asked for only its first rows; '' for a whole one."""
    return f"the first {shown:,} of {total:,}; --limit N shows more" * (total > shown)


def listed(
    name: str,
    columns: Sequence[Column],
    items: Iterable[Row],
    empty: str = "(none)",
    **more: Any,
) -> Presentation:
    """A result that is a list; `more` as for a Presentation."""
    return Presentation(rows=Rows(name, columns, items), blocks=[RowsTable(empty)], **more)


def document(text: str, **data: object) -> Presentation:
    """A result that is a text to be copied or run: as it is for people, under its key in `data`."""
    return Presentation(data, blocks=[Verbatim(text)])


# The one place where a result becomes text, in the format that was asked for


def render(
    presentation: Presentation, choice: OutputChoice, console: Console, command: str
) -> None:
    """Write data to stdout; notes and, unless the envelope carries them, problems to stderr."""
    chosen = choose_fields(presentation, choice)
    if choice.format is not OutputFormat.TABLE:
        console.write_utf8()
    _writer(choice.format)(chosen, console, command)
    console.stdout.flush()
    for note in presentation.notes:
        console.note(to_people(note))
    for warning in presentation.warnings:
        _say("warning", YELLOW, warning, console)
    if choice.format is not OutputFormat.JSON:
        show_problems(presentation, console)


def _writer(output_format: OutputFormat) -> Callable[[Presentation, Console, str], None]:
    """`write_NAME` of that format: for people in `table`, for programs in `formats`."""
    room = "table" if output_format is OutputFormat.TABLE else "formats"
    module = import_module(f"contactctl.output.{room}")
    write: Callable[[Presentation, Console, str], None] = getattr(module, f"write_{output_format}")
    return write


def choose_fields(presentation: Presentation, choice: OutputChoice) -> Presentation:
    """The presentation reduced to the fields of --fields: those of its rows, or else its data."""
    rows = presentation.rows
    if not choice.fields:
        return replace(presentation, rows=rows and rows.without_request())
    choice.check_fields(rows.keys if rows else list(presentation.data))
    if rows is None:
        data = {key: presentation.data[key] for key in choice.fields}
        return replace(presentation, data=data, blocks=[KeyValues(list(data.items()))])
    return replace(presentation, rows=rows.pick(choice.fields), blocks=_with_rows(presentation))


def _with_rows(presentation: Presentation) -> Sequence[RowsTable]:
    return [b for b in presentation.blocks if isinstance(b, RowsTable)] or [RowsTable()]


def show_problems(presentation: Presentation, console: Console) -> None:
    """Each problem as a line on stderr, its hint below."""
    failed = presentation.exit_code not in (ExitCode.DONE, ExitCode.PARTIAL)
    for problem in presentation.problems:
        is_error = failed and problem.code != REJECT
        word, colour = ("error", RED) if is_error else ("warning", YELLOW)
        _say(word, colour, problem.message, console)
        if problem.hint:
            console.say(f"hint: {to_people(problem.hint)}")


def _say(word: str, colour: str, message: str, console: Console) -> None:
    label = paint(f"{word}:", colour, console.colours_stderr)
    console.say(f"{label} {to_people(message)}")


# A result without rows, seen as one row: its data


def rows_or_single(presentation: Presentation) -> Rows:
    """The result's rows, or its data as a single row."""
    if presentation.rows is not None:
        return presentation.rows
    columns = [Column(key) for key in presentation.data]
    return Rows("data", columns, [presentation.data] if presentation.data else [])
