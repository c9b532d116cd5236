"""Connections to Postgres that are kept for the next store of a test process.

Each command line and each store connects anew. For a new connection the server starts a process,
which reads the catalogue before it plans the first statement: half of what a small test takes. So
what is closed is cleaned of all that a session holds, and used again.
"""

from collections import defaultdict
from collections.abc import Generator
from typing import Any

import psycopg
import pytest
from psycopg.pq import PGconn, TransactionStatus

from contactctl.store.database.postgres import BoundedConnection

_MOST = 4  # for each way to connect
_OPEN = {TransactionStatus.INTRANS, TransactionStatus.INERROR}

_kept: dict[str, list[PGconn]] = defaultdict(list)


def keep_connections(patch: pytest.MonkeyPatch) -> None:
    """From now on, for every store of this process."""
    patch.setattr(BoundedConnection, "_connect_gen", classmethod(_connect))
    patch.setattr(BoundedConnection, "close", _close)


def kept_processes() -> list[int]:
    """The numbers of the server's processes that are kept."""
    return [each.backend_pid for connections in _kept.values() for each in connections]


def let_go() -> None:
    """Keep none of them: for what only new connections see."""
    for connections in _kept.values():
        while connections:
            connections.pop().finish()


def _connect(
    cls: type[BoundedConnection], conninfo: str = "", **options: Any
) -> Generator[Any, Any, BoundedConnection]:
    while _kept[conninfo]:
        pgconn = _kept[conninfo].pop()
        pgconn.exec_(b"")
        if pgconn.transaction_status == TransactionStatus.IDLE:
            break
        pgconn.finish()  # the server has ended it
    else:
        pgconn = yield from psycopg.generators.connect(conninfo, **options)
    connection = cls(pgconn)
    connection.asked_for = conninfo  # type: ignore[attr-defined]
    return connection


def _close(connection: BoundedConnection) -> None:
    pgconn, asked_for = connection.pgconn, getattr(connection, "asked_for", None)
    if asked_for is not None and len(_kept[asked_for]) < _MOST and _is_cleaned(pgconn):
        _kept[asked_for].append(pgconn)
        connection.pgconn = PGconn()  # as one that is gone
    psycopg.Connection.close(connection)


def _is_cleaned(pgconn: PGconn) -> bool:
    """Whether the session holds nothing: no transaction, lock, temporary table or setting.

    One over TCP may lead through a proxy of the test's, which never answers: it is not asked.
    """
    if not pgconn.host.startswith(b"/"):
        return False
    if pgconn.transaction_status in _OPEN:
        pgconn.exec_(b"ROLLBACK")
    if pgconn.transaction_status == TransactionStatus.IDLE:
        pgconn.exec_(b"DISCARD ALL")
    return pgconn.transaction_status == TransactionStatus.IDLE
