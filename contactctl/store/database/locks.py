"""One process at a time per kind of work: an advisory lock, freed by the system on any death.

On Postgres every lock is a transaction's, never a session's: behind a pooler the session goes to
somebody else after each transaction, and its locks with it.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from hashlib import blake2b
from pathlib import Path
from threading import Timer
from time import monotonic, sleep

import sqlalchemy as sa

from contactctl.domain.errors import BusyError, StoreError
from contactctl.domain.waits import IS_LONG_S, ON_LONG_WAIT
from contactctl.store.database.distribution import ONE_BY_ONE
from contactctl.store.database.errors import MAY_BE_WRITTEN, translated_errors
from contactctl.store.database.store import Store

# every kind of run that changes a contact's status or memberships shares this lock
CONTACT_CHANGES = "contacts"

_TRY_AGAIN_S = 0.1
_LOCK = sa.text("SELECT pg_advisory_xact_lock(:key)")
_TRY_LOCK = sa.text("SELECT pg_try_advisory_xact_lock(:key)")
# the transaction that holds a lock does nothing else, for as long as the work takes
_LIMITS_OF_IDLENESS = {
    "idle_in_transaction_session_timeout": (9, 6),
    "transaction_timeout": (17, 0),
}


@contextmanager
def exclusive(store: Store, work: str, *, wait_seconds: float = 0) -> Iterator[None]:
    """Hold the only right to do `work` on this store; BusyError when it is not free in time."""
    if store.dialect == "postgresql":
        with _advisory_lock(store, work, wait_seconds):
            yield
    elif store.path is None:
        yield  # in memory: no other process can see it
    else:
        path = store.path.resolve()  # one lock, by whatever name
        with _file_lock(store, path, work, wait_seconds):
            yield


def serialise(connection: sa.Connection) -> None:
    """Within a transaction: wait for every other transaction that changes contacts.

    SQLite needs nothing (BEGIN IMMEDIATE has done it). On Postgres it holds even when the
    session of `exclusive` has been cut off by the server. What sees a snapshot uses `in_turn`.
    BusyError when the others take longer than the store waits for locks.
    """
    if connection.dialect.name == "postgresql":
        with _long_wait_is_told(connection.get_execution_options()[ON_LONG_WAIT]):
            connection.execute(_LOCK, _NEXT)
            connection.execute(_LOCK, _TURN)


def change_one_by_one(connection: sa.Connection) -> None:
    """Before a group is changed: a cluster then visits its machines one after the other, as it has
    groups on all of them. Postgres without Citus takes the setting, and does nothing with it."""
    if connection.dialect.name == "postgresql":
        connection.execute(sa.text(ONE_BY_ONE))


@contextmanager
def taking_turn(store: Store) -> Iterator[sa.Connection]:
    """A transaction that may change contacts from the beginning: its turn has come."""
    with store.writing() as connection:
        serialise(connection)
        yield connection


@contextmanager
def in_turn(store: Store) -> Iterator[sa.Connection]:
    """The same, which sees one state of the store, as it is when its turn has come.

    On Postgres its first statement takes the snapshot, even one that then waits for a lock, and
    would hide what was committed meanwhile. So another transaction waits first: being next, it
    sees the turn become free, and holds everybody else off until this one has taken it.
    """
    if store.dialect == "sqlite":
        with store.writing() as connection:
            yield connection
        return
    with ExitStack() as stack:
        with store.writing() as next_in_line, _long_wait_is_told(store.waits.on_long_wait):
            next_in_line.execute(_LOCK, _NEXT)
            with next_in_line.begin_nested() as released_at_once:
                next_in_line.execute(_LOCK, _TURN)
                released_at_once.rollback()
            connection = stack.enter_context(store.writing(snapshot=True))
            connection.execute(_LOCK, _TURN)
        yield connection


@contextmanager
def _long_wait_is_told(tell: Callable[[], None]) -> Iterator[None]:
    """Say so when the body, which waits for a lock, takes longer than a second."""
    timer = Timer(IS_LONG_S, tell)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _busy(work: str, store: Store) -> BusyError:
    then = "--wait SECONDS waits longer" if store.waits.can_be_longer else "try again afterwards"
    return BusyError(
        f"another process is doing the same kind of work ({work}) on {store.identity}",
        hint=f"`contactctl runs list` shows what runs; {then}",
    )


@contextmanager
def _file_lock(store: Store, path: Path, work: str, wait_seconds: float) -> Iterator[None]:
    from filelock import FileLock, Timeout  # noqa: PLC0415 - what only reads takes no lock

    lock = FileLock(path.with_name(f"{path.name}.{work}.lock"), mode=0o600)
    try:
        with _long_wait_is_told(store.waits.on_long_wait):
            lock.acquire(timeout=wait_seconds)
    except Timeout as error:
        raise _busy(work, store) from error
    except OSError as error:
        raise StoreError(f"cannot lock {path}: {error.strerror}", hint=MAY_BE_WRITTEN) from error
    try:
        yield
    finally:
        lock.release()


@contextmanager
def _advisory_lock(store: Store, work: str, wait_seconds: float) -> Iterator[None]:
    """Hold a transaction open for as long as the lock is needed.

    It has no snapshot and no number, so it holds nothing back that the server wants to clean up.
    Who waits tries again and again, and keeps no session of a pooler meanwhile.
    """
    deadline = monotonic() + wait_seconds
    with translated_errors(store), store.engine.connect() as connection:
        with _long_wait_is_told(store.waits.on_long_wait):
            while not _try_lock(connection, work):
                connection.rollback()
                if monotonic() >= deadline:
                    raise _busy(work, store)
                sleep(_TRY_AGAIN_S)
        try:
            yield
        finally:
            with suppress(sa.exc.DBAPIError):  # a connection that is gone holds no lock any more
                connection.rollback()


def _try_lock(connection: sa.Connection, work: str) -> bool:
    version = connection.dialect.server_version_info or ()
    for limit, known_from in _LIMITS_OF_IDLENESS.items():
        if version >= known_from:
            connection.exec_driver_sql(f"SET LOCAL {limit} = 0")
    return bool(connection.execute(_TRY_LOCK, {"key": _lock_key(work)}).scalar_one())


def _lock_key(work: str) -> int:
    """A signed 64-bit key, the same for everyone who names the same work."""
    digest = blake2b(f"contactctl {work}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)


_TURN = {"key": _lock_key(f"transaction {CONTACT_CHANGES}")}
_NEXT = {"key": _lock_key(f"next transaction {CONTACT_CHANGES}")}
