"""Database errors -> the program's own, each with a hint."""

import os
import re
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

import sqlalchemy as sa

from contactctl.domain.errors import CANCELLED, BusyError, ContactctlError, StoreError

_CHECK_SCHEMA = "`contactctl db check` says what is wrong with the schema"
_MAY_CREATE_NOTHING = (
    "the first schema of this role's search_path must exist, and its owner must say GRANT USAGE,"
    " CREATE ON SCHEMA ... TO this role; only `init` and `db upgrade` need that"
)
_LOST = "the connection to the server was lost; look at the server, then try again"
# SQLSTATE codes, or their classes (PostgreSQL appendix A)
_SERVER_HINTS = {
    "42501": "`contactctl db grants` prints the rights each role needs",
    "28": "`contactctl db grants` prints the rights each role needs",
    "53100": "the server is out of space; nothing was half written",
    "53200": "the server is out of memory; nothing was half written",
    "53300": "the server has no connection left for this role or database; try again later",
    "25006": "the server, or this role, allows reading only (default_transaction_read_only, or a"
    " standby server)",
    "57014": "the server's statement_timeout ended the statement, or somebody cancelled it there;"
    " this role may need a longer one: ALTER ROLE ... SET statement_timeout",
    "25P03": "the server's idle_in_transaction_session_timeout ended the session",
    "25P04": "the server's transaction_timeout ended the transaction",
    "42P01": _CHECK_SCHEMA,
    "42703": _CHECK_SCHEMA,
    "3F000": _MAY_CREATE_NOTHING,
    "08": _LOST,
    "57P": _LOST,
}
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
_POOLER_HINTS = {
    "statement pooling mode": "the pooler must pool sessions or transactions (pool_mode)",
    "unsupported startup parameter": "the pooler does not take what the URL, PGOPTIONS or"
    " the service file asks for: leave it out, or have the pooler ignore it",
    "query_wait_timeout": "the pooler had no connection left; a command needs up to four",
    "connection is lost": _LOST,
    "connection is closed": _LOST,
    "server closed the connection": _LOST,
    "consuming input failed": _LOST,
    "sending query failed": _LOST,
}
# what libpq, which speaks English, says when it does not connect; the server may speak any language
_CONNECTION_HINTS = {
    "no password supplied": "PGPASSWORD, or a line HOST:PORT:DATABASE:USER:PASSWORD in ~/.pgpass"
    " (chmod 600), gives the password",
    "password authentication failed": "check the user and the password: in the URL, PGPASSWORD or"
    " ~/.pgpass",
    "definition of service": "~/.pg_service.conf, or the file that PGSERVICEFILE names, has no"
    " such [section]",
    "service file": "PGSERVICEFILE must name a file with a [section] for the service",
    "failed to resolve host": "check the host's name: in the URL, PGHOST or the service file",
    "Connection refused": "check that the server runs, and listens there on that port",
    "No such file or directory\n": "check that the server runs, and has its socket in that folder",
    "timeout expired": "check host and port, and what is on the way to it; connect_timeout=SECONDS"
    " in the URL waits longer",
    "SSL": "sslmode= in the URL (or PGSSLMODE) asks for TLS, or not; the server must offer it",
    "root certificate": "sslrootcert=FILE in the URL (or PGSSLROOTCERT) names the certificate of"
    " the authority, sslrootcert=system those of this machine",
    "certificate verify failed": "sslrootcert=FILE in the URL (or PGSSLROOTCERT) names the"
    " certificate of the authority that has signed the server's",
    'role "': "check the user: in the URL, PGUSER or the service file; names are case-sensitive",
    "does not exist": "names are case-sensitive; `createdb NAME` makes a database",
    "invalid URI query parameter": "the URL may have the parameters that psql takes, no others",
    "percent-encoded": "write a % in a name or a password as %25",
}
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
        return StoreError(where, hint=_MAY_CREATE_NOTHING)
    code = CANCELLED if state == _QUERY_CANCELED else ""
    hint = getattr(cause, "hint", "") or _pooler_hint(text) or _server_hint(state)
    return StoreError(where, hint=hint, code=code)


def not_connected(error: Exception, identity: str) -> StoreError:
    """What a failed attempt to connect becomes."""
    text = _TOKEN.sub(r"\1***", str(error).strip())
    known = (hint for words, hint in _CONNECTION_HINTS.items() if words in f"{text}\n")
    hint = _pooler_hint(text) or next(known, _CONNECT_AS_PSQL)
    return StoreError(f"{identity}: {text.splitlines()[0]}", hint=hint)


def _server_hint(state: str) -> str:
    known = (hint for start, hint in _SERVER_HINTS.items() if state.startswith(start))
    return next(known, "")


def _pooler_hint(text: str) -> str:
    return next((hint for words, hint in _POOLER_HINTS.items() if words in text), "")


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
    return StoreError(where, hint=_CHECK_SCHEMA if "no such" in text else "")


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
