"""Lists of addresses that select contacts: read from a file, and held against the store."""

from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol

from contactctl.domain.emails import email_key
from contactctl.domain.errors import InputError
from contactctl.domain.run_details import KeptList
from contactctl.domain.text import show_safely
from contactctl.operations.importing.address_list import read_list
from contactctl.operations.importing.options import Reject, Rejects
from contactctl.operations.importing.source import open_source
from contactctl.operations.session import Session
from contactctl.store.listed import ListedContacts, ListedKeys

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
    if "--column" in error.hint:
        return "give one address a line, or name the column that holds them `email`"
    return error.hint


def _is_address(text: str) -> bool:
    try:
        email_key(text)
    except ValueError:
        return False
    return True
