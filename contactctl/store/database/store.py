"""An open store: one engine, short transactions, which schema it holds, and how it is cancelled."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import unquote

import sqlalchemy as sa

from contactctl.domain.errors import CANCELLED, ContactctlError, StoreError
from contactctl.domain.waits import DEFAULT_WAITS, Waits
from contactctl.store.database.errors import translated_errors
from contactctl.store.database.sqlite import BEGIN, SqliteDatabase

if TYPE_CHECKING:
    from contactctl.store.database.postgres import PostgresDatabase


Dialect = Literal["sqlite", "postgresql"]

_MIGRATIONS = Path(__file__).parents[1] / "migrations" / "versions"
SCHEMA_VERSION = max(each.name[:4] for each in _MIGRATIONS.glob("*.py"))  # the newest one
# stands in its place while a store is being filled by a copy: no command uses it then
UNFINISHED_COPY = "copying"


class Store:
    """A database with contactctl's schema; every transaction is a reading() or a writing()."""

    def __init__(self, database: "SqliteDatabase | PostgresDatabase") -> None:
        self._database = database
        self.engine = database.engine
        self.dialect: Dialect = "sqlite" if isinstance(database, SqliteDatabase) else "postgresql"
        self.refusal: ContactctlError | None = None
        """Why nothing may be written, where something is in the way."""

    @property
    def identity(self) -> str:
        """How the database is named to people and in runs: the file, or host and name."""
        return self._database.identity

    @property
    def path(self) -> Path | None:
        """The SQLite file; None in memory and on Postgres."""
        return self._database.path

    @property
    def waits(self) -> Waits:
        return self._database.waits

    @property
    def can_only_be_read(self) -> bool:
        """Whether it is a file on a read-only mount."""
        return isinstance(self._database, SqliteDatabase) and self._database.is_on_read_only_mount

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """A transaction that sees one state of the store throughout."""
        options: dict[str, Any] = {}
        if self.dialect == "postgresql":
            options = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        with self._transaction(options) as connection:
            yield connection

    @contextmanager
    def writing(self, *, snapshot: bool = False) -> Iterator[sa.Connection]:
        """A transaction that may write: all of it happens, or nothing.

        On SQLite the right to write is taken at the start (BEGIN IMMEDIATE), so that what was read
        cannot change before it is written. `snapshot` asks the same of Postgres: a row that
        somebody else has changed since then is a BusyError with the code `conflict`.
        """
        self.require_writable()
        options: dict[str, Any] = {}
        if self.dialect == "sqlite":
            options = {BEGIN: "BEGIN IMMEDIATE"}
        elif snapshot:
            options = {"isolation_level": "REPEATABLE READ"}
        with self._transaction(options) as connection:
            yield connection
            if self.dialect == "postgresql":
                _know_tables(connection, after_rows=True)

    def require_writable(self) -> None:
        """Raise what is in the way of writing."""
        if self.refusal is not None:
            raise self.refusal

    @contextmanager
    def _transaction(self, options: dict[str, Any]) -> Iterator[sa.Connection]:
        with (
            translated_errors(self),
            self.engine.connect() as connection,
            connection.execution_options(**options).begin(),
        ):
            yield connection

    def database_role(self) -> str:
        """The database's own name for who is connected; empty on SQLite."""
        if self.dialect == "sqlite":
            return ""
        with self.reading() as connection:
            return str(connection.execute(sa.text("SELECT session_user")).scalar_one())

    def close(self) -> None:
        self.engine.dispose()


def open_store(url: str, waits: Waits = DEFAULT_WAITS) -> Store:
    """The store at `url`; StoreError when it is missing, unreachable or of another schema."""
    store = connect(url, waits)
    if file_is_missing(store):
        raise no_store(f"at {store.path}")
    try:
        require_current_schema(store)
        _use_write_ahead_log(store)
        if store.dialect == "postgresql":
            with store.reading() as connection:
                _know_tables(connection)
    except BaseException:
        store.close()
        raise
    return store


def connect(url: str, waits: Waits = DEFAULT_WAITS) -> Store:
    """A Store on any database, whatever it holds; nothing is created or checked."""
    if file := sqlite_url(url):
        return Store(SqliteDatabase(file, waits))
    # imported here: SQLite needs no driver, which takes 150 ms
    from contactctl.store.database.postgres import PostgresDatabase, postgres_url  # noqa: PLC0415

    return Store(PostgresDatabase(postgres_url(url), waits))


def sqlite_url(url: str) -> sa.URL | None:
    """SQLAlchemy's form of a SQLite URL, None for any other.

    %XX in its path is read here, as not every version of SQLAlchemy does.
    """
    if not url.startswith("sqlite:"):
        return None
    path = url.removeprefix("sqlite:///")
    return sa.make_url(url) if path == url else sa.URL.create("sqlite", database=unquote(path))


def file_is_missing(store: Store) -> bool:
    """Whether a SQLite store's file does not exist; StoreError where that cannot be told."""
    if store.path is None:
        return False
    try:
        store.path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError as error:
        raise StoreError(
            f"cannot reach {store.path}: {error.strerror}",
            hint="check the permissions of the file and its folder",
        ) from error
    return False


def holds_nothing(store: Store) -> bool:
    """Whether a SQLite file has no tables, as a new one or one of an `init` that was killed."""
    with store.reading() as connection:
        return connection.execute(sa.text("SELECT 1 FROM sqlite_master")).first() is None


def schema_version(store: Store) -> str | None:
    """The version stamped in the database, None where there is no contactctl schema."""
    found = "SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'"
    if store.dialect == "postgresql":
        found = "SELECT 1 WHERE to_regclass('alembic_version') IS NOT NULL"
    with store.reading() as connection:
        if connection.execute(sa.text(found)).first() is None:
            return None
        version = connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar()
        return None if version is None else str(version)


def place_in_server(store: Store) -> tuple[str, str]:
    """The names of the Postgres database, and of the schema in it, that the tables are in."""
    asked = sa.text("SELECT current_database(), current_schema()")
    with store.reading() as connection:
        database, schema = connection.execute(asked).one()
        return str(database), str(schema)


def require_current_schema(store: Store) -> None:
    """StoreError unless the database holds exactly the schema that this program knows."""
    version = schema_version(store)
    if version == SCHEMA_VERSION:
        return
    if version is None:
        require_coordinator(store)
        raise no_store(f"in {store.identity}")
    if version == UNFINISHED_COPY:
        raise StoreError(
            f"{store.identity} is an unfinished copy of another store",
            hint="`contactctl db copy --to URL`, with the source's config, goes on with it",
            code="unfinished-copy",
        )
    require_not_newer(store, version)
    raise StoreError(
        f"{store.identity} has schema {version}, this program needs {SCHEMA_VERSION}",
        hint="run `contactctl db upgrade`",
        code="schema",
    )


def require_not_newer(store: Store, version: str) -> None:
    """StoreError where another program has made that version of the schema."""
    if version > SCHEMA_VERSION:
        raise StoreError(
            f"{store.identity} has schema {version}, newer than this program's {SCHEMA_VERSION}",
            hint="upgrade contactctl",
            code="schema",
        )


def no_store(where: str) -> StoreError:
    """That there is none `where` one was looked for."""
    return StoreError(f"no store {where}", hint="`contactctl init` creates one", code="no-store")


def require_coordinator(store: Store) -> None:
    """StoreError on a machine that holds only parts of a store."""
    if store.dialect == "sqlite":
        return
    from contactctl.store.database.distribution import refuse_worker  # noqa: PLC0415  (rarely)

    with store.reading() as connection:
        refuse_worker(connection)


def _know_tables(connection: sa.Connection, *, after_rows: bool = False) -> None:
    """Have Postgres take statistics where it lacks them; each look takes a millisecond, so that
    after a transaction of a few rows there is none."""
    from contactctl.store.database.postgres import has_changed_many, know_tables  # noqa: PLC0415

    if not after_rows or has_changed_many(connection):
        know_tables(connection)


def _use_write_ahead_log(store: Store) -> None:
    """The file remembers it, so only a file that is known to be ours is asked."""
    if store.path is None or store.can_only_be_read:
        return
    # in place of BEGIN: the journal mode cannot change inside a transaction
    with store._transaction({BEGIN: "PRAGMA journal_mode = WAL"}):
        pass


# Cancelling, from another thread, what a store is busy with


_CANCEL_WITHIN_S = 5.0


class QueryCanceller:
    """Ends the transaction that a store's only user at the moment is in.

    Whoever waits for it gets a ContactctlError, between two statements or in the midst of one.
    """

    def __init__(self, store: Store) -> None:
        self._lock = Lock()
        self._running: Any = None  # the driver's connection while a transaction is open
        self._cancelled = False
        engine = store.engine
        sa.event.listen(engine, "begin", self._begun)
        sa.event.listen(engine, "commit", self._ended)
        sa.event.listen(engine, "rollback", self._ended)
        sa.event.listen(engine, "before_cursor_execute", self._check)

    def cancel(self) -> None:
        """End the open transaction, if there is one; the next one is not concerned."""
        with self._lock:
            running = self._running
            self._cancelled = running is not None
            if hasattr(running, "interrupt"):  # SQLite: at once, and harmless between statements
                running.interrupt()
                return
        if running is not None:
            # psycopg: over a connection of its own; a server that is gone has ended the query too
            with suppress(Exception):
                running.cancel_safe(timeout=_CANCEL_WITHIN_S)

    def _begun(self, connection: sa.Connection) -> None:
        with self._lock:
            self._running = connection.connection.driver_connection

    def _ended(self, _connection: sa.Connection) -> None:
        with self._lock:
            self._running = None
            self._cancelled = False

    def _check(self, *_statement: Any) -> None:
        with self._lock:
            if self._cancelled:
                raise StoreError("cancelled", code=CANCELLED)
