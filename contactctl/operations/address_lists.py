"""Lists of addresses, or of their hashes: as other programs export them, and to select contacts."""

import csv
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any, BinaryIO, Protocol

from contactctl.domain.criteria.fields import did_you_mean
from contactctl.domain.emails import bare_address, email_key
from contactctl.domain.errors import InputError, UsageError
from contactctl.domain.run_details import KeptList
from contactctl.domain.text import show_safely, trim
from contactctl.operations.importing.columns import distinct_names
from contactctl.operations.importing.options import Reject, Rejects
from contactctl.operations.importing.presets import plain
from contactctl.operations.importing.rows import beginning_of
from contactctl.operations.importing.source import Source, open_source
from contactctl.operations.importing.workbook import SAVE_AS_CSV
from contactctl.operations.session import Session
from contactctl.store.addresses import ListedContacts, ListedKeys

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

ListedLine = tuple[int, str]  # the line, and what stands in it


def read_list(
    source: Source, column: str | None, delimiter: str | None, fits: Callable[[str], bool]
) -> Iterator[ListedLine]:
    """What is listed, with its line, blanks around it dropped; empty rows are left out.

    A file without a header has one in each line: its first cell `fits`, and no other does. With a
    header it is the column of that name, or one that exports of addresses have. UsageError or
    InputError: none, or nobody can tell which.
    """
    beginning = beginning_of(source)
    separator = delimiter or source.delimiter or beginning.delimiter
    reader = csv.reader(source.text(), delimiter=separator, skipinitialspace=True)
    for _ in range(beginning.skipped):
        next(reader)
    first = next(reader, [])
    if beginning.header.lstrip().startswith(("{", "[")):
        raise InputError(
            f"{source.name} is JSON, not a list of addresses",
            hint="`contactctl responses ingest` reads what providers' APIs return; a list has one"
            " address a line",
        )
    if column is None and first and ("@" in first[0] or fits(_listed_in(first[0]))):
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


def _cells(rows: Any, reader: Any, at: int) -> Iterator[ListedLine]:
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
    if not any(names):
        raise InputError(f"{file} is empty", hint="a list has one address a line")
    if names[0].startswith(("#", "//")):
        raise InputError(f"{file} begins with a comment", hint="remove the lines that are comments")
    raise InputError(
        f"{file}: no column is known to contain addresses",
        hint=f"name it with --column; {_named(names)}; without a header, each line is one address",
    )


def _named(names: list[str]) -> str:
    return f"columns: {', '.join(map(show_safely, names))}"


# Lists of addresses that select contacts: read from a file, and held against the store


_LARGEST = 500_000_000  # characters: half of what either database takes as one value
_UNKNOWN = "no contact has this address"


class ListRejects(Rejects, AbstractContextManager["ListRejects"], Protocol):
    """Rejects that are complete, and closed, when the list has been read."""


@dataclass(frozen=True, slots=True)
class EmailsFile:
    """A list of addresses: a file, or None for `stdin`; `rejects` gets what selects nobody.

    `name` is what people called it.
    """

    name: str
    path: Path | None
    stdin: BinaryIO
    rejects: ListRejects


@dataclass(frozen=True, slots=True)
class Listed:
    """A list as it was read: what selects its contacts, and what a run keeps of it."""

    contacts: ListedContacts
    kept: KeptList


def read_listed(session: Session, given: EmailsFile) -> Listed:
    """The distinct addresses of the list; InputError where the file cannot be used.

    Every line that is not an address, and every address that no contact has, is a reject, with
    its line. Nothing is written to the store.
    """
    with given.rejects as rejects:
        rejects.begin(["address"])
        lines, bad = _read(given, rejects)
        name = "standard input" if given.path is None else show_safely(given.name)
        keys = ListedKeys(lines, session.store.dialect)
        if keys.size > _LARGEST:
            raise InputError(
                f"{name} has {len(lines):,} addresses, more than fit into one statement",
                hint="split the file into smaller ones",
            )
        if not lines:
            raise InputError(
                f"{name} has no address", hint="give one address a line, or a column `email`"
            )
        with session.store.reading() as connection:
            unknown, contacts = keys.find(connection)
        for line, key in sorted((lines[key], key) for key in unknown):
            rejects.add(Reject(line, f"{_UNKNOWN}: {key}", (key,)))
    return Listed(contacts, KeptList(name, len(lines), len(unknown), bad))


def _read(given: EmailsFile, rejects: Rejects) -> tuple[dict[str, int], int]:
    """The keys with their first line, and how many lines are not addresses."""
    lines: dict[str, int] = {}
    bad = 0
    try:
        with open_source(given.path, given.stdin, "utf-8-sig") as source:
            for line, text in read_list(source, None, None, _is_address):
                try:
                    lines.setdefault(email_key(text), line)
                except ValueError as error:
                    rejects.add(Reject(line, str(error), (text,)))
                    bad += 1
    except InputError as error:
        raise InputError(error.message, hint=_hint_for(error)) from error
    return lines, bad


def _hint_for(error: InputError) -> str:
    """A hint that names no option of imports, which the commands with a list do not have."""
    if "--encoding" in error.hint:
        return "save the list as UTF-8, for example with `iconv`"
    if "--sheet" in error.hint:
        return SAVE_AS_CSV
    if "--column" in error.hint:
        return "give one address a line, or name the column that holds them `email`"
    return error.hint


def _is_address(text: str) -> bool:
    try:
        email_key(text)
    except ValueError:
        return False
    return True
