"""A backup of the store in one new file that only its owner can read."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from contactctl.domain.errors import StoreError, UsageError
from contactctl.operations.session import Session
from contactctl.store.backup import back_up_postgres, back_up_sqlite


@dataclass(frozen=True, slots=True)
class Backup:
    """The file that was made, its size in bytes, and what it holds: `sqlite` or `pg_dump`."""

    database: str
    file: Path
    size: int
    form: str


def back_up(session: Session, file: Path) -> Backup:
    """Write the whole store to `file`, which must not exist yet; others may work meanwhile.

    The file has its name only when it is complete and on the disk.
    """
    with _appearing_whole(file) as draft:
        if session.store.dialect == "postgresql":
            back_up_postgres(session.store, draft)
        else:
            _back_up_with_progress(session, draft)
    form = "sqlite" if session.store.dialect == "sqlite" else "pg_dump"
    return Backup(session.store.identity, file, file.stat().st_size, form)


def _back_up_with_progress(session: Session, draft: Path) -> None:
    told = 0

    def tell(copied: int, _total: int) -> None:
        nonlocal told
        advance(max(0, copied - told))
        told = max(told, copied)

    with session.progress("Copying pages", None) as advance:
        back_up_sqlite(session.store, draft, tell)


@contextmanager
def _appearing_whole(file: Path) -> Iterator[Path]:
    if os.path.lexists(file):
        raise UsageError(f"{file} exists", hint="name a new file; a backup never replaces one")
    try:
        handle, name = tempfile.mkstemp(prefix=f".{file.name}.", dir=file.parent)
    except OSError as error:
        raise StoreError(f"cannot write {file}: {error.strerror}") from error
    os.close(handle)
    draft = Path(name)
    try:
        yield draft
        with draft.open("rb") as written:
            os.fsync(written.fileno())
        os.link(draft, file)  # unlike a rename it never replaces another's file
    except OSError as error:
        raise StoreError(f"cannot write {file}: {error.strerror}") from error
    finally:
        draft.unlink(missing_ok=True)
