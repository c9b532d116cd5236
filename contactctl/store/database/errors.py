"""Database errors -> the program's own, each with a hint."""

import os
import re
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Protocol

import sqlalchemy as sa

from contactctl.domain.errors import CANCELLED, BusyError, ContactctlError, StoreError

_CONFLICT = {"40001", "40P01"}
_LOCK_TIMEOUT = "55P03"
_QUERY_CANCELED = "57014"
_NO_RIGHT = "42501"
_MORE_THAN_AN_OPERATOR_MAY = (
    "an operator may do this only within the limits of the policy (`contactctl policy show`), by"
    " the real clock, and to another's plan where it asks for a second operator; admins may do more"
)
_HELD_TOO_LONG = (
    "another process or program holds what this needs; `contactctl runs list` shows what runs,"
    " and where there is --wait SECONDS, it waits longer"
)
_TOKEN = re.compile(r"(percent-encoded token: ).*")  # may be a password
_CONNECT_AS_PSQL = "check the URL and the PG... variables: `psql URL` must connect too"
MAY_BE_WRITTEN = "check that the file and its folder may be written"
_LEAST_FREE_BYTES = 1 << 20


class NamedDatabase(Protocol):
    """What an error message says of a database."""

    @property
    def identity(self) -> str: ...
    @property
    def path(self) -> Path | None: ...


@contextmanager
def translated_errors(database: NamedDatabase) -> Iterator[None]:
    """Raise StoreError or BusyError in place of what the database driver raised."""
    try:
        yield
    except sa.exc.DBAPIError as error:
        raise _translate(error, database) from error


def _translate(error: sa.exc.DBAPIError, database: NamedDatabase) -> ContactctlError:
    cause = error.orig
    text = str(cause).strip()
    first_line = text.splitlines()[0] if text else type(cause).__name__
    where = f"{database.identity}: {first_line}"
    if isinstance(cause, sqlite3.Error):
        return _from_sqlite(cause, where, database.path)
    state = getattr(cause, "sqlstate", None) or ""
    if state == _NO_RIGHT and "row-level security" in text:
        return StoreError(
            f"permission denied, {where}; nothing was changed", hint=_MORE_THAN_AN_OPERATOR_MAY
        )
    if state in _CONFLICT:
        return BusyError(
            where, hint="try again; somebody else changed the same rows", code="conflict"
        )
    if state == _LOCK_TIMEOUT:
        return BusyError(where, hint=_HELD_TOO_LONG)
    if state == _NO_RIGHT and "for schema" in text:
        return StoreError(where, hint=_server_hint("3F000"))
    code = CANCELLED if state == _QUERY_CANCELED else ""
    hint = getattr(cause, "hint", "") or _pooler_hint(text) or _server_hint(state)
    return StoreError(where, hint=hint, code=code)


def not_connected(error: Exception, identity: str) -> StoreError:
    """What a failed attempt to connect becomes."""
    text = _TOKEN.sub(r"\1***", str(error).strip())
    known = (hint for words, hint in _hints("connection").items() if words in f"{text}\n")
    hint = _pooler_hint(text) or next(known, _CONNECT_AS_PSQL)
    return StoreError(f"{identity}: {text.splitlines()[0]}", hint=hint)


@cache
def _hints(of_what: str) -> Mapping[str, str]:
    """A part of hints.yaml, in its order."""
    import yaml  # noqa: PLC0415 - errors are rare

    with Path(__file__).with_name("hints.yaml").open(encoding="utf-8") as file:
        found: Mapping[str, str] = yaml.safe_load(file)[of_what]
    return found


def _server_hint(state: str) -> str:
    known = (hint for start, hint in _hints("server").items() if state.startswith(start))
    return next(known, "")


def _pooler_hint(text: str) -> str:
    return next((hint for words, hint in _hints("pooler").items() if words in text), "")


def _from_sqlite(error: sqlite3.Error, where: str, path: Path | None) -> ContactctlError:
    text = str(error)
    if "locked" in text:
        return BusyError(where, hint=_HELD_TOO_LONG)
    if "interrupted" in text:
        return StoreError(where, code=CANCELLED)
    if any(words in text for words in ("full", "unable to open", "disk I/O error")):
        return StoreError(where, hint=_disk_hint(text, path))
    if "readonly" in text:
        return StoreError(where, hint=MAY_BE_WRITTEN)
    if "not a database" in text or "malformed" in text:
        return StoreError(where, hint="this is not an intact SQLite file; is the path right?")
    return StoreError(where, hint=_server_hint("42P01") if "no such" in text else "")


def _disk_hint(text: str, path: Path | None) -> str:
    """Which disk is full, if one is: SQLite says little of what it could not write."""
    if path is not None and _is_full(path.parent):
        return f"the disk of {path.parent} is full; free some space: nothing was half written"
    temporary = os.environ.get("SQLITE_TMPDIR") or os.environ.get("TMPDIR", "")
    if "full" in text or (temporary and _is_full(Path(temporary))):
        where = temporary or "the system's folder for them"
        return f"temporary files found no space in {where}; TMPDIR names another folder"
    return "check that the file and its folder may be read and written"


def _is_full(folder: Path) -> bool:
    try:
        found = os.statvfs(folder)
    except (OSError, AttributeError):
        return False
    no_files_left = found.f_files > 0 and found.f_favail == 0
    return found.f_bavail * found.f_frsize < _LEAST_FREE_BYTES or no_files_left
