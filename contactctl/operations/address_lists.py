"""Lists of addresses, or of their hashes, that select contacts or are suppressed."""

import csv
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain, islice
from pathlib import Path
from typing import Any, BinaryIO, Protocol

from contactctl.domain.criteria.fields import did_you_mean
from contactctl.domain.emails import bare_address, email_key
from contactctl.domain.erasure import Digest
from contactctl.domain.errors import InputError, UsageError
from contactctl.domain.run_details import KeptList
from contactctl.domain.run_kinds import SuppressionsRun
from contactctl.domain.text import show_safely, trim
from contactctl.operations.importing.beginning import beginning_of
from contactctl.operations.importing.columns import distinct_names
from contactctl.operations.importing.options import Reject, Rejects
from contactctl.operations.importing.presets import plain
from contactctl.operations.importing.source import Source, open_source
from contactctl.operations.importing.workbook import SAVE_AS_CSV
from contactctl.operations.session import Session
from contactctl.operations.suppressions import (
    is_readable,
    key_for_hashing,
    suppressed_in,
    suppressible_key,
)
from contactctl.store import erasure
from contactctl.store.addresses import ListedContacts, ListedKeys, ids_of_keys
from contactctl.store.database.locks import serialise
from contactctl.store.runs import insert_done_run, update_run

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


# Whole lists of addresses, or of their hashes, that must not come in


_BATCH = 10_000
_TAKEN = "a contact has this address (`contactctl contacts delete` deletes it, and keeps it out)"

Parse = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class ListInput:
    """A file, or None for `stdin`. `digest`: it holds such hashes, not addresses."""

    path: Path | None
    stdin: BinaryIO
    digest: Digest | None = None
    column: str | None = None
    delimiter: str | None = None
    encoding: str = "utf-8-sig"
    sheet: str | None = None


@dataclass(frozen=True, slots=True)
class ListResult:
    """Row by row: suppressed, unchanged (it was already) or rejected.

    `contacts` have an address whose hash or domain is suppressed now, and stay as they are.
    """

    run: int
    suppressed: int = 0
    unchanged: int = 0
    rejected: int = 0
    contacts: int = 0

    def with_batch(self, rows: int, *, new: int, rejected: int) -> "ListResult":
        """With these rows added, of which so many are suppressed now, or rejected."""
        return replace(
            self,
            suppressed=self.suppressed + new,
            unchanged=self.unchanged + rows - new - rejected,
            rejected=self.rejected + rejected,
        )


def suppress_list(
    session: Session, given: ListInput, rejects: Rejects, *, reason: str = ""
) -> ListResult:
    """Suppress every address, `@domain` or hash of the file, all in one transaction.

    Rejected are what is none of these, and addresses that contacts have: to keep those out, the
    contacts must be deleted. InputError, and nothing is changed, when the file cannot be used.
    """
    parse = given.digest.parse if given.digest else suppressible_key
    with (
        open_source(given.path, given.stdin, given.encoding, given.sheet) as source,
        session.store.writing() as connection,
    ):
        serialise(connection)
        rejects.begin(["address"])
        listed = read_list(source, given.column, given.delimiter, partial(is_readable, parse))
        request = session.request(SuppressionsRun("import", file=source.name), reason=reason)
        run_id = insert_done_run(connection, request, session.clock())
        result, may_hit_contacts = ListResult(run_id), given.digest is not None
        while batch := list(islice(listed, _BATCH)):
            lines, bad = _readable(batch, parse)
            may_hit_contacts = may_hit_contacts or any(key[0] == "@" for key in lines)
            if given.digest:
                hashes = lines.keys() - erasure.known_hashes(connection, lines)
            else:
                taken = ids_of_keys(connection, lines)
                bad += [Reject(lines.pop(key), _TAKEN, (key,)) for key in taken]
                new = lines.keys() - suppressed_in(session)(connection, lines)
                key_now = key_for_hashing(session, erasure.key_ids(connection))
                hashes = {key_now.hash_of(each) for each in new}
            erasure.add_hashes(connection, sorted(hashes), run_id, session.clock())
            for reject in sorted(bad, key=lambda reject: reject.line):
                rejects.add(reject)
            result = result.with_batch(len(batch), new=len(hashes), rejected=len(bad))
        if may_hit_contacts:
            result = replace(
                result, contacts=erasure.count_contacts(connection, suppressed_in(session))
            )
        totals = {"planned": result.suppressed + result.unchanged, "changed": result.suppressed}
        update_run(connection, run_id, totals)
    return result


def _readable(batch: Sequence[ListedLine], parse: Parse) -> tuple[dict[str, int], list[Reject]]:
    """What the rows hold, each once with its first line, and the rows that hold nothing usable."""
    lines: dict[str, int] = {}
    rejects = []
    for line, text in batch:
        try:
            lines.setdefault(parse(text), line)
        except ValueError as error:
            rejects.append(Reject(line, str(error), (text,)))
    return lines, rejects
