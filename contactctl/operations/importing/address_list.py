"""Lists of addresses, or of hashes of addresses, as other programs export them."""

import csv
from collections.abc import Callable, Iterator
from itertools import chain
from typing import Any

from contactctl.domain.criteria.fields import did_you_mean
from contactctl.domain.emails import bare_address
from contactctl.domain.errors import InputError, UsageError
from contactctl.domain.text import show_safely, trim
from contactctl.operations.importing.columns import distinct_names
from contactctl.operations.importing.header import plain
from contactctl.operations.importing.rows import beginning_of
from contactctl.operations.importing.source import Source

# how exports of suppressions name the column, without blanks, - and _
_NAMES = frozenset(
    (
        *("email", "mail", "emailaddress", "mailaddress", "address", "recipient", "subscriber"),
        *("recipientaddress", "hash", "emailhash", "sha256", "md5", "sha256hash", "md5hash"),
    )
)

# parts of other names for it, in the languages of exports: the only column with one is taken
_PARTS = ("mail", "courriel", "correo", "hash", "md5", "sha256")
_TOGETHER = str.maketrans("", "", " -_")

Listed = tuple[int, str]  # the line, and what stands in it


def read_list(
    source: Source, column: str | None, delimiter: str | None, fits: Callable[[str], bool]
) -> Iterator[Listed]:
    """What is listed, with its line, blanks around it dropped; empty rows are left out.

    A file without a header has one in each line: its first cell `fits`, and no other does. With a
    header it is the column of that name, or one that exports of addresses have. UsageError or
    InputError: none, or nobody can tell which.
    """
    beginning = beginning_of(source)
    separator = delimiter or source.delimiter or beginning.delimiter
    reader = csv.reader(source.text(), delimiter=separator)
    for _ in range(beginning.skipped):
        next(reader)
    first = next(reader, [])
    if beginning.header.lstrip().startswith(("{", "[")):
        raise InputError(
            f"{source.name} is JSON, not a list of addresses",
            hint="`contactctl responses ingest` reads what providers' APIs return; a list has one"
            " address a line",
        )
    if column is None and first and fits(_listed_in(first[0])):
        yield from _cells(_alone(chain([first], reader), reader, fits), reader, 0)
        return
    names = distinct_names(first)
    yield from _cells(reader, reader, _place(names, column, source.name))


def _alone(rows: Any, reader: Any, fits: Callable[[str], bool]) -> Iterator[list[str]]:
    """The rows; InputError for one with several addresses, of which one would be passed over."""
    for row in rows:
        if len(row) > 1 and sum(fits(_listed_in(cell)) for cell in row) > 1:
            raise InputError(
                f"line {reader.line_num}: several addresses in one line",
                hint="give one address a line, or a header that names the column",
            )
        yield row


def _cells(rows: Any, reader: Any, at: int) -> Iterator[Listed]:
    try:
        for row in rows:
            if text := _listed_in(row[at]) if at < len(row) else "":
                yield reader.line_num, text
    except csv.Error as error:
        raise InputError(f"line {reader.line_num}: {error}") from error


def _listed_in(cell: str) -> str:
    """What a cell lists, without blanks around it or a name before the address."""
    return bare_address(trim(cell))


def _place(names: list[str], column: str | None, file: str) -> int:
    if column is not None:
        places = [at for at, name in enumerate(names) if plain(name) == plain(column)]
        if not places:
            raise UsageError(
                f"--column: the file has no column '{show_safely(column)}'",
                hint=did_you_mean(column, names) or _named(names),
            )
        return places[0]
    bare = [plain(name).translate(_TOGETHER) for name in names]
    for at, name in enumerate(bare):
        if name in _NAMES:
            return at
    likely = [at for at, name in enumerate(bare) if any(part in name for part in _PARTS)]
    if len(likely) == 1:
        return likely[0]
    raise InputError(
        f"{file}: no column is known to contain addresses",
        hint=f"name it with --column; {_named(names)}",
    )


def _named(names: list[str]) -> str:
    return f"columns: {', '.join(map(show_safely, names))}"
