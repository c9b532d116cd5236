"""A connection to Postgres that never waits for ever. Importing this imports psycopg (143 ms)."""

import os
import re
from collections.abc import Generator
from functools import cached_property
from time import monotonic
from typing import Any, ClassVar, TypeVar

import psycopg
import sqlalchemy as sa
from psycopg import waiting
from psycopg.conninfo import conninfo_to_dict
from psycopg.pq import TransactionStatus
from psycopg.types.datetime import DateLoader, TimestampLoader, TimestamptzLoader

from contactctl.domain.errors import StoreError
from contactctl.domain.waits import FOR_FIRST_ANSWER_S, ON_LONG_WAIT, TO_CONNECT_S, Waits
from contactctl.store.database.errors import not_connected
from contactctl.store.tables import metadata
from contactctl.store.temporary import written_columns

_ROWS = "contactctl_rows"  # in a connection's info: those of its transaction's statements so far
_MANY_ROWS = 1_000
_Result = TypeVar("_Result")

_LOOK_UP_EVERY_S = 0.1  # for signals and for the end of our patience
_TO_CANCEL_S = 2.0
_SILENT_FOR_S = 10.0


class NoAnswerError(psycopg.OperationalError):
    """The server kept silent for longer than it may; the connection is closed."""

    hint: ClassVar[str] = (
        "the server, or something on the way to it, does not answer, or a pooler has no connection"
        " left; where the work itself takes so long, --timeout SECONDS waits longer"
    )


class _SilenceError(Exception):
    """Nothing has moved on a connection."""


class Patience:
    """How long all connections of one store wait for an answer.

    Once a server has been silent for so long, what is left to do (rollbacks, new connections)
    ends at once, for a while: a command that holds three connections does not wait three times.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._silent_until = 0.0

    @property
    def left_s(self) -> float:
        """How long to wait for the next answer."""
        return 0.0 if self.is_lost else self.seconds

    @property
    def is_lost(self) -> bool:
        return monotonic() < self._silent_until

    def lose(self) -> None:
        """The server has not answered."""
        self._silent_until = monotonic() + _SILENT_FOR_S


class _ServerCursor(psycopg.ServerCursor[Any]):
    """Needs no closing where the connection is gone, or the server silent."""

    def close(self) -> None:
        try:
            super().close()
        except psycopg.OperationalError:
            super(psycopg.ServerCursor, self).close()

    def __del__(self, *args: Any) -> None:
        if not self.connection.closed:
            super().__del__(*args)


class BoundedConnection(psycopg.Connection[Any]):
    """Closes itself, with NoAnswerError, when the server is silent for too long.

    An interruption (KeyboardInterrupt) cancels the statement, and waits for that no longer than a
    few seconds either.
    """

    patience = Patience(_SILENT_FOR_S)

    def __init__(self, *args: Any, **parameters: Any) -> None:
        super().__init__(*args, **parameters)
        self.server_cursor_factory = _ServerCursor

    def wait(self, gen: Any, interval: float = _LOOK_UP_EVERY_S, timeout: Any = None) -> Any:  # noqa: ARG002
        try:
            return self._wait(gen, self.patience.left_s)
        except _SilenceError:
            self.patience.lose()
            self.pgconn.finish()
            raise NoAnswerError(f"no answer within {self.patience.seconds:g} s") from None
        except Exception:
            raise
        except BaseException:
            self._end_statement(gen)
            raise

    def _wait(self, gen: Any, seconds: float) -> Any:
        answered = _answered(gen, seconds)
        return waiting.wait(answered, self.pgconn.socket, interval=_LOOK_UP_EVERY_S)

    def _end_statement(self, gen: Any) -> None:
        """Have the server end what it does; what cannot be ended in time loses its connection."""
        if self.pgconn.transaction_status != TransactionStatus.ACTIVE:
            return
        try:
            self.cancel_safe(timeout=_TO_CANCEL_S)
            self._wait(gen, _TO_CANCEL_S)
        except psycopg.errors.QueryCanceled:
            return
        except BaseException:  # interrupted once more, too
            self.patience.lose()
            self.pgconn.finish()


def _answered(gen: Generator[Any, Any, _Result], seconds: float) -> Generator[Any, Any, _Result]:
    """The same generator of psycopg's; _SilenceError when nothing moves for so many seconds."""
    last_moved = monotonic()
    try:
        wanted = next(gen)
        while True:
            ready = yield wanted
            now = monotonic()
            if ready:
                last_moved = now
            elif now - last_moved >= seconds:
                raise _SilenceError
            wanted = gen.send(ready)
    except StopIteration as end:
        result: _Result = end.value
        return result


# A Postgres database: how to connect, and what every session and transaction must say first


_EXECUTION_OPTIONS = {"preserve_rowcount": True}  # of INSERT ... SELECT too, on every driver
# what notices a peer that is gone (libpq's parameters); what the URL says comes first
_KEEPALIVE = {
    "keepalives_idle": "30",
    "keepalives_interval": "10",
    "keepalives_count": "3",
    "tcp_user_timeout": "60000",  # milliseconds
}
# what a database or a role may have set otherwise: it decides how values are written and read
_IN_UTC = (
    "SET LOCAL TimeZone = 'UTC'; SET LOCAL DateStyle = 'ISO'; SET LOCAL IntervalStyle = 'postgres';"
    " SET LOCAL standard_conforming_strings = on; SET LOCAL transform_null_equals = off"
)
_SESSION = (
    "SELECT current_setting('TimeZone'), current_database(), COALESCE(has_function_privilege("
    "to_regprocedure('pg_catalog.pg_control_system()')::oid, 'execute'), false)"
)
_SYSTEM_IDENTIFIER = "SELECT system_identifier FROM pg_catalog.pg_control_system()"
# tables of ours that the server knows nothing of, or that have grown fourfold since it looked; a
# cluster's coordinator keeps none of the rows, a standby takes no statistics
_OUTGROWN = """
    SELECT oid::regclass::text, relname FROM pg_catalog.pg_class
    WHERE relkind = 'r' AND relname = ANY (:ours) AND relnamespace =
            (SELECT oid FROM pg_catalog.pg_namespace WHERE nspname = current_schema())
        AND pg_relation_size(oid) >= 65536
        AND (pg_relation_size(oid) > 4 * relpages * current_setting('block_size')::bigint
            OR coalesce(pg_stat_get_last_analyze_time(oid), pg_stat_get_last_autoanalyze_time(oid))
                IS NULL)
        AND {may_analyze} AND NOT pg_is_in_recovery()
    ORDER BY relname"""


_DRIVER = "postgresql+psycopg"
_ENCODING = "UTF8"
_OPTIONS = re.compile(r"(?<=[?&]options=)[^&]*")


def postgres_url(url: str) -> sa.URL:
    """What libpq reads in its URL (PostgreSQL, 34.1.1.2): several hosts, %2F in one, `dbname=`.

    Hosts that are told one `host=` each, as SQLAlchemy has them, are taken as well. StoreError.
    """
    if url.count("host=") > 1:
        return sa.make_url(url).set(drivername=_DRIVER)
    try:
        told = conninfo_to_dict(_OPTIONS.sub(_encoded, url.replace(_DRIVER, "postgresql", 1)))
    except psycopg.Error as error:
        raise not_connected(error, "postgresql") from error
    query = {name: str(value) for name, value in told.items()}
    host, port = query.pop("host", None), query.pop("port", None)
    named = {"username": "user", "password": "password", "database": "dbname"}
    parts: dict[str, Any] = {part: query.pop(name, None) for part, name in named.items()}
    is_one_host = host is not None and not re.search("^$|^/|,", host)
    if is_one_host and (port is None or port.isdecimal()):
        parts |= {"host": host, "port": None if port is None else int(port)}
    else:
        query |= {name: value for name, value in (("host", host), ("port", port)) if value}
    return sa.URL.create(_DRIVER, query=query, **parts)


def _encoded(options: re.Match[str]) -> str:
    """`-c+name=value` as people write it, which only libpq is strict about."""
    return options[0].replace("+", "%20").replace("=", "%3D")


class PostgresDatabase:
    """The database that a URL, and libpq's own variables and files, lead to."""

    path = None

    def __init__(self, url: sa.URL, waits: Waits) -> None:
        self.url = url
        self.waits = waits
        self._found_identity: str | None = None

    @property
    def identity(self) -> str:
        """Host, port and database, and the server's own number, once it has been connected to."""
        return self._found_identity or _identity_in(self.url)

    @cached_property
    def engine(self) -> sa.Engine:
        engine = sa.create_engine(
            self.url,
            execution_options={**_EXECUTION_OPTIONS, ON_LONG_WAIT: self.waits.on_long_wait},
            connect_args=_connect_args(self.url),
            use_native_hstore=False,
        )
        sa.event.listen(engine, "do_connect", self._connect)
        sa.event.listen(engine, "connect", self._check_session)
        sa.event.listen(engine, "checkout", _leave_access_mode_to_server)
        sa.event.listen(engine, "begin", self._begin)
        sa.event.listen(engine, "after_cursor_execute", _count_rows)
        return engine

    @cached_property
    def _patience(self) -> Patience:
        return Patience(self.waits.answers_s)

    def _connect(self, _dialect: Any, _record: Any, args: Any, parameters: Any) -> Any:
        if self._patience.is_lost:
            raise NoAnswerError("no answer")
        try:
            connection = BoundedConnection.connect(*args, **parameters)
        except NoAnswerError:
            raise
        except psycopg.Error as error:
            raise not_connected(error, self.identity) from error
        # until it has said who it is
        connection.patience = Patience(min(FOR_FIRST_ANSWER_S, self.waits.answers_s))
        return connection

    def _check_session(self, connection: Any, _record: object) -> None:
        """Refuse a session that keeps its own time zone, a database that cannot hold every name,
        and another server than before."""
        connection.execute(_IN_UTC)
        time_zone, name, may_ask = connection.execute(_SESSION).fetchone()
        system = connection.execute(_SYSTEM_IDENTIFIER).fetchone()[0] if may_ask else None
        connection.rollback()
        identity = _identity(connection.info.host, connection.info.port, name, system)
        encoding = connection.info.parameter_status("server_encoding") or _ENCODING
        if encoding != _ENCODING:
            raise StoreError(
                f"{identity}: the database is encoded in {encoding}, and cannot hold every name",
                hint=f"`createdb --encoding {_ENCODING} --template template0 NAME` makes one that"
                " can",
            )
        if time_zone != "UTC":
            raise StoreError(
                f"{identity}: the session's time zone is {time_zone}, and stays so",
                hint="connect to the server itself, or to a pooler that passes SET on to it",
                code="time-zone",
            )
        if self._found_identity not in (None, identity):
            raise StoreError(
                f"{self.identity}: the next connection led to another server, {identity}",
                hint="name one server in the database's URL",
            )
        self._found_identity = identity
        connection.patience = self._patience

    def _begin(self, connection: sa.Connection) -> None:
        connection.info[_ROWS] = 0
        driver: Any = connection.connection.driver_connection
        if not driver.autocommit:
            connection.exec_driver_sql(f"{_IN_UTC}; SET LOCAL lock_timeout = {self.waits.locks_ms}")


def _count_rows(connection: sa.Connection, cursor: Any, *_statement: Any) -> None:
    connection.info[_ROWS] += max(cursor.rowcount, 0)


def has_changed_many(connection: sa.Connection) -> bool:
    """Whether its transaction has changed so many rows that the planner must know."""
    return int(connection.info.get(_ROWS, 0)) >= _MANY_ROWS


def know_tables(connection: sa.Connection) -> None:
    """Have the server look at tables that have outgrown what it knows of them.

    Without statistics it expects a handful of rows, and goes through thousands of them once for
    each of thousands: a preview of 50,000 contacts took minutes. It takes its own a minute later,
    or never: not where autovacuum is off, nor of a restored dump. These are rough, a tenth of the
    usual sample; columns are named, as it then takes its own all the same.
    """
    version = connection.dialect.server_version_info or ()
    is_maintainer = "has_table_privilege(oid, 'MAINTAIN')"
    may = is_maintainer if version >= (17,) else "pg_has_role(relowner, 'USAGE')"
    asked = sa.text(_OUTGROWN.format(may_analyze=may))
    outgrown = connection.execute(asked, {"ours": list(metadata.tables)}).all()
    if outgrown:
        connection.execute(sa.text("SET LOCAL default_statistics_target = 10"))
    for name, table in outgrown:
        columns = ", ".join(f'"{each.name}"' for each in written_columns(metadata.tables[table]))
        connection.execute(sa.text(f"ANALYZE (SKIP_LOCKED) {name} ({columns})"))


def read_any_date(connection: sa.Connection) -> None:
    """Dates that Python cannot hold (`infinity`, years before 1) come as their text."""
    adapters = connection.connection.driver_connection.adapters  # type: ignore[union-attr]
    loaders = {"date": DateLoader, "timestamp": TimestampLoader, "timestamptz": TimestamptzLoader}
    for name, loader in loaders.items():
        adapters.register_loader(name, type("DateOrText", (_DateOrText, loader), {}))


class _DateOrText:
    def load(self, data: Any) -> Any:
        try:
            return super().load(data)  # type: ignore[misc]
        except psycopg.DataError:
            return bytes(data).decode()


def _leave_access_mode_to_server(connection: Any, _record: object, _proxy: object) -> None:
    """SQLAlchemy leaves READ WRITE behind, which outweighs default_transaction_read_only."""
    connection.read_only = None


def _identity_in(url: sa.URL) -> str:
    """What can be said before it is connected to: a service's host and name are not known yet."""
    if service := url.query.get("service"):
        return f"postgresql service {service}"
    told = url.query.get("host") or os.environ.get("PGHOST", "")
    hosts = url.host or (told if isinstance(told, str) else ",".join(told))
    port = str(url.port or url.query.get("port") or os.environ.get("PGPORT", ""))
    return _identity(hosts, port, url.database or os.environ.get("PGDATABASE", ""), None)


def _identity(host: str, port: object, name: str, system: int | None) -> str:
    if ":" in host and "," not in host and not host.startswith("["):
        host = f"[{host}]"  # an IPv6 address
    where = f"postgresql {host or 'localhost'}{f':{port}' if port else ''}/{name}"
    return f"{where} (system {system})" if system else where


def _connect_args(url: sa.URL) -> dict[str, Any]:
    """What we ask of libpq. What the URL, or libpq's own variables, ask of it comes first."""
    arguments: dict[str, Any] = {
        "fallback_application_name": "contactctl",
        "client_encoding": _ENCODING,  # whatever PGCLIENTENCODING says
        "prepare_threshold": None,  # a pooler may hand the next transaction to another session
    }
    if "connect_timeout" not in url.query and "PGCONNECT_TIMEOUT" not in os.environ:
        arguments["connect_timeout"] = str(int(TO_CONNECT_S))
    return {name: value for name, value in _KEEPALIVE.items() if name not in url.query} | arguments
