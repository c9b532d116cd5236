"""One process at a time per kind of work: an advisory lock, freed by the system on any death."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from hashlib import blake2b
from pathlib import Path

from filelock import FileLock, Timeout
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from contactctl.domain.errors import BusyError, ContactctlError, StoreError
from contactctl.store.errors import translated_errors
from contactctl.store.store import Store


@contextmanager
def exclusive(store: Store, work: str, *, wait_seconds: float = 0) -> Iterator[None]:
    """Hold the only right to do `work` on this store; BusyError when it is not free in time."""
    if store.dialect == "postgresql":
        with _advisory_lock(store, work, wait_seconds):
            yield
    elif store.path is None:
        yield  # in memory: no other process can see it
    else:
        with _file_lock(store.path.resolve(), work, wait_seconds):  # one lock, by whatever name
            yield


def serialise(connection: Connection, work: str) -> None:
    """Within a transaction: wait for every other transaction that does the same kind of work.

    SQLite needs nothing (BEGIN IMMEDIATE has done it). On Postgres it holds even when the
    session of `exclusive` has been cut off by the server. What sees a snapshot uses `in_turn`.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), _turn_key(work))


@contextmanager
def in_turn(store: Store, work: str) -> Iterator[Connection]:
    """A transaction that sees one state of the store, as it is when its turn has come.

    On Postgres its first statement takes the snapshot, even one that then waits for a lock, and
    would hide what was committed meanwhile. So the turn is the session's, taken before.
    """
    if store.dialect == "sqlite":
        with store.writing() as connection:
            yield connection
        return
    store.require_writable()
    with translated_errors(store.identity), store.engine.connect() as connection:
        _between_transactions(connection, "SELECT pg_advisory_lock(:key)", _turn_key(work))
        try:
            connection.execution_options(isolation_level="REPEATABLE READ")
            with connection.begin():
                yield connection
        finally:
            with suppress(DBAPIError):  # a connection that is gone holds no lock any more
                unlock = "SELECT pg_advisory_unlock(:key)"
                _between_transactions(connection, unlock, _turn_key(work))


def _busy(work: str, identity: str) -> BusyError:
    return BusyError(
        f"another process is doing the same kind of work ({work}) on {identity}",
        hint="`contactctl runs list` shows what runs; --wait SECONDS waits longer",
    )


@contextmanager
def _file_lock(path: Path, work: str, wait_seconds: float) -> Iterator[None]:
    lock = FileLock(path.with_name(f"{path.name}.{work}.lock"), mode=0o600)
    try:
        lock.acquire(timeout=wait_seconds)
    except Timeout as error:
        raise _busy(work, str(path)) from error
    except OSError as error:
        raise StoreError(f"cannot lock {path}: {error.strerror}") from error
    try:
        yield
    finally:
        lock.release()


@contextmanager
def _advisory_lock(store: Store, work: str, wait_seconds: float) -> Iterator[None]:
    key = {"key": _lock_key(work)}
    with translated_errors(store.identity), store.engine.connect() as connection:
        held = connection.execution_options(isolation_level="AUTOCOMMIT")
        _acquire(held, key, work, store.identity, wait_seconds)
        try:
            yield
        finally:
            with suppress(DBAPIError):  # a connection that is gone holds no lock any more
                held.execute(text("SELECT pg_advisory_unlock(:key)"), key)


def _acquire(
    held: Connection, key: dict[str, int], work: str, identity: str, wait_seconds: float
) -> None:
    if held.execute(text("SELECT pg_try_advisory_lock(:key)"), key).scalar_one():
        return
    if wait_seconds <= 0:
        raise _busy(work, identity)
    held.execute(
        text("SELECT set_config('lock_timeout', :ms, false)"),
        {"ms": f"{int(wait_seconds * 1000)}ms"},
    )
    try:
        held.execute(text("SELECT pg_advisory_lock(:key)"), key)
    except DBAPIError as error:
        failure: ContactctlError = _busy(work, identity)
        raise failure from error
    finally:
        held.execute(text("RESET lock_timeout"))


def _between_transactions(connection: Connection, statement: str, key: dict[str, int]) -> None:
    connection.execution_options(isolation_level="AUTOCOMMIT")
    connection.execute(text(statement), key)
    connection.rollback()  # ends what SQLAlchemy takes for a transaction


def _turn_key(work: str) -> dict[str, int]:
    return {"key": _lock_key(f"transaction {work}")}


def _lock_key(work: str) -> int:
    """A signed 64-bit key, the same for everyone who names the same work."""
    digest = blake2b(f"contactctl {work}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)
