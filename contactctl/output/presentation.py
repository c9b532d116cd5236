"""What a command has to say, before any format: data for programs, blocks for people."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from contactctl.domain.errors import ContactctlError, ExitCode
from contactctl.domain.results import Problem

Row = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Column:
    """One field of the rows: `key` as in JSON, CSV and --fields; `title` for people.

    A column with `for_people=False` is left out of the table unless --fields names it. On a
    narrow terminal one that `wraps` goes on in further lines, one that `yields` is cut first.
    """

    key: str
    title: str = ""
    for_people: bool = True
    wraps: bool = False
    yields: bool = False

    @property
    def heading(self) -> str:
        return self.title or self.key.replace("_", " ").upper()


@dataclass(frozen=True, slots=True)
class Rows:
    """The list in a result: `name` is its key in the JSON data. A lazy iterable is streamed."""

    name: str
    columns: Sequence[Column]
    items: Iterable[Row]

    def pick(self, keys: Sequence[str]) -> "Rows":
        """Only the named columns, in that order; the names must be known."""
        by_key = {column.key: column for column in self.columns}
        chosen = [replace(by_key[key], for_people=True) for key in keys]
        items = ({key: item.get(key) for key in keys} for item in self.items)
        return Rows(self.name, chosen, list(items) if isinstance(self.items, Sequence) else items)


@dataclass(frozen=True, slots=True)
class Heading:
    """A line above what belongs together."""

    text: str


@dataclass(frozen=True, slots=True)
class Text:
    """A paragraph; lines are kept as they are."""

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
    --quiet leaves: somebody has to decide, though nothing went wrong. `problems` and `exit_code`
    tell what did; a refused command still shows the data it has.
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
