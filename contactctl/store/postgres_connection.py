"""A connection to Postgres that never waits for ever. Importing this imports psycopg (143 ms)."""

from collections.abc import Generator
from time import monotonic
from typing import Any, ClassVar, TypeVar

import psycopg
from psycopg import waiting
from psycopg.pq import TransactionStatus

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


class BoundedConnection(psycopg.Connection[Any]):
    """Closes itself, with NoAnswerError, when the server is silent for too long.

    An interruption (KeyboardInterrupt) cancels the statement, and waits for that no longer than a
    few seconds either.
    """

    patience = Patience(_SILENT_FOR_S)

    def wait(self, gen: Any, interval: float = _LOOK_UP_EVERY_S, timeout: Any = None) -> Any:  # noqa: ARG002
        try:
            return self._wait(gen, self.patience.left_s)
        except _SilenceError:
            self.patience.lose()
            self.pgconn.finish()
            raise NoAnswerError(f"no answer for {self.patience.seconds:g} seconds") from None
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
