"""What changed since: told to other systems, each change once and in order; and what a run did."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from filelock import FileLock, Timeout

from contactctl.config.drafts import replace_file
from contactctl.domain.changes import Change, Outcome
from contactctl.domain.errors import BusyError, ContactctlError, RefusedError, UsageError
from contactctl.operations.session import Session
from contactctl.store.changes import change_at, changes_after, last_change, outcomes_of_run
from contactctl.store.runs import get_run

_MOST_CURSOR_BYTES = 1000
_START_OVER = (
    "remove the file, let the other system forget what it has, and tell it everything from the"
    " beginning with the same command"
)


@dataclass(frozen=True, slots=True)
class Position:
    """The last change that somebody was told of; number 0 before the first."""

    number: int = 0
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Followed:
    """Changes, read as they are taken, and the position when all of them are told."""

    rows: Iterator[Change]
    position: Position


class CursorFile:
    """A file that keeps how far a follower has come; held by one process at a time.

    As a context manager it is held from the beginning; BusyError where somebody else holds it.
    Beside what is no cursor, or in a folder that is not there, nothing is made.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        if path.is_dir():
            raise UsageError(
                f"{path} is a folder", hint="name a file; it is made where it is missing"
            )
        self._lock = FileLock(path.with_name(f"{path.name}.lock"))

    def __enter__(self) -> Self:
        self.read()
        try:
            # the lock would make the folder
            self.path.parent.stat()
            self._lock.acquire(timeout=0)
        except Timeout:
            raise BusyError(f"another process works with {self.path}") from None
        except OSError as error:
            raise ContactctlError(f"cannot use {self.path}: {error.strerror}") from error
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._lock.release()

    def read(self) -> Position:
        """The position; the very beginning where there is no file yet. UsageError for another."""
        try:
            with self.path.open("rb") as file:
                kept = json.loads(file.read(_MOST_CURSOR_BYTES))
            at = None if kept["at"] is None else datetime.fromisoformat(kept["at"])
            if type(kept["number"]) is not int or kept["number"] < 0 or (at and not at.tzinfo):
                raise ValueError
            return Position(kept["number"], at)
        except FileNotFoundError:
            return Position()
        except OSError as error:
            raise ContactctlError(f"cannot read {self.path}: {error.strerror}") from error
        except (ValueError, KeyError, TypeError, AttributeError):
            raise UsageError(
                f"{self.path} is not a cursor of `contacts changes`",
                hint="name a new file, or the one that an earlier call has written",
            ) from None

    def write(self, position: Position) -> None:
        """Replace the file, whole or not at all."""
        at = None if position.at is None else position.at.isoformat()
        text = json.dumps({"number": position.number, "at": at}) + "\n"
        try:
            replace_file(self.path, text)
        except OSError as error:
            raise ContactctlError(
                f"cannot write {self.path}: {error.strerror}",
                hint="the same changes are told again next time",
            ) from error


@contextmanager
def follow(
    session: Session, after: Position, *, since: datetime | None = None
) -> Iterator[Followed]:
    """The changes after a position, all from one state of the store.

    RefusedError where the store has never been at that position.
    """
    with session.store.reading() as connection:
        if after.number and change_at(connection, after.number) != after.at:
            raise RefusedError(
                f"{session.store.identity} has no change {after.number} of that time: the cursor is"
                " of another store, or the store was restored from a backup",
                hint=_START_OVER,
                code="other-store",
            )
        latest = last_change(connection)
        yield Followed(
            changes_after(connection, after.number, since=since),
            Position(*latest) if latest else after,
        )


@contextmanager
def contacts_of_run(session: Session, run_id: int) -> Iterator[Iterator[Outcome]]:
    """Whom a run has changed, and how; NotFoundError when there is no such run."""
    with session.store.reading() as connection:
        yield outcomes_of_run(connection, get_run(connection, run_id))
