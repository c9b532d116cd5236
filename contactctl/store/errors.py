"""Database errors -> the program's own, each with a hint."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import exc

from contactctl.domain.errors import BusyError, ContactctlError, StoreError

# SQLSTATE classes and codes (PostgreSQL appendix A)
_PERMISSION = {"42501", "28000", "28P01"}
_FULL = {"53100", "53200"}
_CONFLICT = {"40001", "40P01"}
_LOCK_TIMEOUT = {"55P03", "57014"}
_WRONG_SCHEMA = {"42P01", "42703", "3F000"}


@contextmanager
def translated_errors(identity: str) -> Iterator[None]:
    """Raise StoreError or BusyError in place of what the database driver raised."""
    try:
        yield
    except exc.DBAPIError as error:
        raise _translate(error, identity) from error


def _translate(error: exc.DBAPIError, identity: str) -> ContactctlError:
    cause = error.orig
    state = getattr(cause, "sqlstate", None)
    text = str(cause).strip()
    first_line = text.splitlines()[0] if text else type(cause).__name__
    where = f"{identity}: {first_line}"
    if state is not None or not text:
        return _from_sqlstate(state or "", where)
    return _from_text(text, where)


def _from_sqlstate(state: str, where: str) -> ContactctlError:
    if state in _PERMISSION:
        return StoreError(where, hint="`contactctl db grants` prints the rights each role needs")
    if state in _FULL:
        return StoreError(where, hint="the server is out of space; nothing was half written")
    if state in _CONFLICT:
        return BusyError(
            where, hint="try again; somebody else changed the same rows", code="conflict"
        )
    if state in _LOCK_TIMEOUT:
        return BusyError(where, hint="try again; somebody else works on the same rows")
    if state in _WRONG_SCHEMA:
        return StoreError(where, hint="`contactctl db check` says what is wrong with the schema")
    return StoreError(where)


def _from_text(text: str, where: str) -> ContactctlError:
    if "database is locked" in text or "database table is locked" in text:
        return BusyError(where, hint="another process writes to this store; try again")
    if "readonly" in text or "unable to open" in text:
        return StoreError(where, hint="check that the file and its folder may be written")
    if "full" in text:
        return StoreError(where, hint="free some disk space; nothing was half written")
    if "not a database" in text or "malformed" in text:
        return StoreError(where, hint="this is no intact SQLite file; is the path right?")
    if "no such" in text:
        return StoreError(where, hint="`contactctl db check` says what is wrong with the schema")
    return StoreError(where)
