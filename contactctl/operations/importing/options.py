"""What an import is told about its file."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

BATCH_ROWS = 10_000  # a transaction each; more is hardly faster, and holds more memory


class FileFormat(StrEnum):
    """What the file holds."""

    CSV = "csv"
    JSONL = "jsonl"


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """How a file is read. `renames` maps a column of the file to a field; column names ignore case.

    `column_date_formats` maps a column to its strptime format, `date_format` holds for the others.
    """

    format: FileFormat | None = None
    delimiter: str | None = None
    encoding: str = "utf-8-sig"
    renames: Mapping[str, str] = field(default_factory=dict)
    ignored: frozenset[str] = frozenset()
    ignore_unknown: bool = False
    date_format: str | None = None
    column_date_formats: Mapping[str, str] = field(default_factory=dict)
    empty_clears: bool = False
    create_groups: bool = True
    batch_rows: int = BATCH_ROWS


@dataclass(frozen=True, slots=True)
class Reject:
    """A row that is not imported: where it starts, why, and what it held."""

    line: int
    reason: str
    cells: tuple[str, ...] = ()


class Rejects(Protocol):
    """Where rejected rows go: first the names of their cells, then each as it is met."""

    def begin(self, names: Sequence[str]) -> None: ...

    def add(self, reject: Reject) -> None: ...
