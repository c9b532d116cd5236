"""An open store: one engine, short transactions, and who holds the right to change contacts."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal
from urllib.parse import unquote

from sqlalchemy import Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.engine import URL
from sqlalchemy.pool import StaticPool

from contactctl.domain.errors import StoreError
from contactctl.store.errors import translated_errors

Dialect = Literal["sqlite", "postgresql"]

SCHEMA_VERSION = "0005"  # the newest migration; a test holds it to migrations/versions

_BUSY_TIMEOUT_MS = 30_000
_SQLITE_CACHE_KIB = 32_768
_CONNECT_TIMEOUT_S = 10
_EXECUTION_OPTIONS = {"preserve_rowcount": True}  # of INSERT ... SELECT too, on every driver


class Store:
    """A database with contactctl's schema; every transaction is a reading() or a writing()."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.dialect: Dialect = "sqlite" if engine.dialect.name == "sqlite" else "postgresql"
        self.identity = database_identity(engine.url)

    @property
    def path(self) -> Path | None:
        """The SQLite file; None in memory and on Postgres."""
        return sqlite_path(self.engine.url) if self.dialect == "sqlite" else None

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A transaction that sees one state of the store throughout."""
        options: dict[str, Any] = {}
        if self.dialect == "postgresql":
            options = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        with self._transaction(options) as connection:
            yield connection

    @contextmanager
    def writing(self, *, snapshot: bool = False) -> Iterator[Connection]:
        """A transaction that may write: all of it happens, or nothing.

        On SQLite the right to write is taken at the start (BEGIN IMMEDIATE), so that what was read
        cannot change before it is written. `snapshot` asks the same of Postgres: a row that
        somebody else has changed since then is a BusyError with the code `conflict`.
        """
        options: dict[str, Any] = {}
        if self.dialect == "sqlite":
            options = {"contactctl_begin": "BEGIN IMMEDIATE"}
        elif snapshot:
            options = {"isolation_level": "REPEATABLE READ"}
        with self._transaction(options) as connection:
            yield connection

    @contextmanager
    def _transaction(self, options: dict[str, Any]) -> Iterator[Connection]:
        with (
            translated_errors(self.identity),
            self.engine.connect() as connection,
            connection.execution_options(**options).begin(),
        ):
            yield connection

    def database_role(self) -> str:
        """The database's own name for who is connected; empty on SQLite."""
        if self.dialect == "sqlite":
            return ""
        with self.reading() as connection:
            return str(connection.execute(text("SELECT session_user")).scalar_one())

    def close(self) -> None:
        self.engine.dispose()


def open_store(url: str) -> Store:
    """The store at `url`; StoreError when it is missing, unreachable or of another schema."""
    store = connect(url)
    if file_is_missing(store):
        raise StoreError(
            f"no store at {store.path}", hint="`contactctl init` creates one", code="no-store"
        )
    try:
        require_current_schema(store)
        _use_write_ahead_log(store)
    except BaseException:
        store.close()
        raise
    return store


def connect(url: str) -> Store:
    """A Store on any database, whatever it holds; nothing is created or checked."""
    parsed = parse_url(url)
    if parsed.get_backend_name() == "sqlite":
        return Store(_sqlite_engine(parsed))
    return Store(_postgres_engine(parsed.set(drivername="postgresql+psycopg")))


def parse_url(url: str) -> URL:
    """SQLAlchemy's form of a URL; %XX in a SQLite path is read here, as not every version does."""
    path = url.removeprefix("sqlite:///")
    return make_url(url) if path == url else URL.create("sqlite", database=unquote(path))


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
        return connection.execute(text("SELECT 1 FROM sqlite_master")).first() is None


def schema_version(store: Store) -> str | None:
    """The version stamped in the database, None where there is no contactctl schema."""
    found = "SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'"
    if store.dialect == "postgresql":
        found = "SELECT 1 WHERE to_regclass('alembic_version') IS NOT NULL"
    with store.reading() as connection:
        if connection.execute(text(found)).first() is None:
            return None
        version = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
        return None if version is None else str(version)


def current_schema(store: Store) -> str:
    """The Postgres schema that the tables are in."""
    with store.reading() as connection:
        return str(connection.execute(text("SELECT current_schema()")).scalar_one())


def require_current_schema(store: Store) -> None:
    """StoreError unless the database holds exactly the schema that this program knows."""
    version = schema_version(store)
    if version == SCHEMA_VERSION:
        return
    if version is None:
        raise StoreError(
            f"no store in {store.identity}", hint="`contactctl init` creates one", code="no-store"
        )
    if version > SCHEMA_VERSION:
        raise StoreError(
            f"{store.identity} has schema {version}, newer than this program's {SCHEMA_VERSION}",
            hint="upgrade contactctl",
            code="schema",
        )
    raise StoreError(
        f"{store.identity} has schema {version}, this program needs {SCHEMA_VERSION}",
        hint="run `contactctl db upgrade`",
        code="schema",
    )


def database_identity(url: URL) -> str:
    """How a database is named to people and in runs: the file, or host and name; no password."""
    if url.get_backend_name() == "sqlite":
        path = sqlite_path(url)
        return str(path) if path else "sqlite in memory"
    query_host = url.query.get("host")
    host = url.host or (query_host if isinstance(query_host, str) else None) or "localhost"
    port = f":{url.port}" if url.port else ""
    return f"postgresql {host}{port}/{url.database or ''}"


def sqlite_path(url: URL) -> Path | None:
    """The file of a SQLite URL, absolute; None for a database in memory."""
    if not url.database or url.database == ":memory:":
        return None
    return Path(url.database).absolute()


def create_sqlite_file(path: Path) -> None:
    """An empty file that only its owner can read, before SQLite would make a wider one."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    except OSError as error:
        raise StoreError(f"cannot create {path}: {error.strerror}") from error


def _sqlite_engine(url: URL) -> Engine:
    in_memory: dict[str, Any] = {}
    if sqlite_path(url) is None:
        in_memory = {"poolclass": StaticPool, "connect_args": {"check_same_thread": False}}
    engine = create_engine(
        url.set(drivername="sqlite"), execution_options=_EXECUTION_OPTIONS, **in_memory
    )
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # transactions begin where we say, see _begin_sqlite
    for pragma in (
        f"busy_timeout = {_BUSY_TIMEOUT_MS}",
        "foreign_keys = ON",
        f"cache_size = -{_SQLITE_CACHE_KIB}",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _use_write_ahead_log(store: Store) -> None:
    """The file remembers it, so only a file that is known to be ours is asked."""
    if store.path is None:
        return
    # in place of BEGIN: the journal mode cannot change inside a transaction
    with store._transaction({"contactctl_begin": "PRAGMA journal_mode = WAL"}):
        pass


def _begin_sqlite(connection: Connection) -> None:
    begin = connection.get_execution_options().get("contactctl_begin", "BEGIN")
    connection.exec_driver_sql(begin)


def _postgres_engine(url: URL) -> Engine:
    return create_engine(url, execution_options=_EXECUTION_OPTIONS, connect_args=_connect_args(url))


def _connect_args(url: URL) -> dict[str, Any]:
    """What we ask of libpq. What the URL, or libpq's own variables, ask of it comes first."""
    given = url.query.get("options") or os.environ.get("PGOPTIONS", "")
    options = given if isinstance(given, str) else " ".join(given)
    arguments = {
        "fallback_application_name": "contactctl",
        "options": f"{options} -c timezone=UTC".lstrip(),
    }
    if "connect_timeout" not in url.query and "PGCONNECT_TIMEOUT" not in os.environ:
        arguments["connect_timeout"] = str(_CONNECT_TIMEOUT_S)
    return arguments
