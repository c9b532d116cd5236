"""Cancelling, from another thread, what a store is busy with."""

from contextlib import suppress
from threading import Lock
from typing import Any

from sqlalchemy import Connection, event

from contactctl.domain.errors import CANCELLED, StoreError
from contactctl.store.database.store import Store

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
        event.listen(engine, "begin", self._begun)
        event.listen(engine, "commit", self._ended)
        event.listen(engine, "rollback", self._ended)
        event.listen(engine, "before_cursor_execute", self._check)

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

    def _begun(self, connection: Connection) -> None:
        with self._lock:
            self._running = connection.connection.driver_connection

    def _ended(self, _connection: Connection) -> None:
        with self._lock:
            self._running = None
            self._cancelled = False

    def _check(self, *_statement: Any) -> None:
        with self._lock:
            if self._cancelled:
                raise StoreError("cancelled", code=CANCELLED)
