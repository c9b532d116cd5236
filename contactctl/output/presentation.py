"""A command's result before any format: data for programs, blocks for people."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from contactctl.domain.errors import ContactctlError, ExitCode
from contactctl.domain.results import Problem

Row = Mapping[str, object]


@dataclass(frozen=True, slots=True)
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


@dataclass(frozen=True, slots=True)
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


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading line above blocks that belong together."""

    text: str


@dataclass(frozen=True, slots=True)
class Text:
    """A paragraph; line breaks are kept."""

    text: str


@dataclass(frozen=True, slots=True)
class Verbatim:
    """Text of our own that must reach stdout unchanged, such as a script; never contacts' text."""

    text: str


@dataclass(frozen=True, slots=True)
class KeyValues:
    """Label and value, one a line, values aligned."""

    pairs: Sequence[tuple[str, object]]


@dataclass(frozen=True, slots=True)
class Table:
    """A small table of its own, apart from the result's rows."""

    columns: Sequence[Column]
    items: Iterable[Row]
    empty: str = "(none)"


@dataclass(frozen=True, slots=True)
class RowsTable:
    """The place among the blocks where the result's rows are shown."""

    empty: str = "(none)"


@dataclass(frozen=True, slots=True)
class Bars:
    """One bar per label, as long as its number."""

    numbers: Sequence[tuple[str, int]]


Block = Heading | Text | Verbatim | KeyValues | Table | RowsTable | Bars


@dataclass(frozen=True, slots=True)
class Presentation:
    """A command's whole result.

    `data` becomes the JSON envelope's data (with the rows under their name), `rows` the lines of
    jsonl and csv, `blocks` the text for people. `notes` go to stderr, as do `warnings`, which
    --quiet keeps: somebody must decide, though nothing went wrong. `problems` and `exit_code`
    tell what went wrong; a refused command still shows the data it has.
    """

    data: Mapping[str, object] = field(default_factory=dict)
    rows: Rows | None = None
    blocks: Sequence[Block] = ()
    notes: Sequence[str] = ()
    problems: Sequence[Problem] = ()
    exit_code: ExitCode = ExitCode.DONE
    warnings: Sequence[str] = ()

    def failed(self, error: ContactctlError) -> "Presentation":
        """The same data, as the result of a command that ended with this error."""
        return replace(
            self, problems=[*self.problems, Problem.of(error)], exit_code=error.exit_code
        )
