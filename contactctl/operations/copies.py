"""Moving a store: everything in it copied into another database, and compared at the end."""

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, replace

from contactctl.domain.errors import StoreError, UsageError
from contactctl.domain.run_kinds import CopyRun
from contactctl.domain.waits import FOR_LOCKS_S
from contactctl.operations.session import Session
from contactctl.store.database import copies
from contactctl.store.database.locks import CONTACT_CHANGES, exclusive
from contactctl.store.database.migrate import create_store
from contactctl.store.database.store import (
    SCHEMA_VERSION,
    Store,
    connect,
    file_is_missing,
    holds_nothing,
    schema_version,
)
from contactctl.store.runs import insert_done_run

_COPY = "copy"


@dataclass(frozen=True, slots=True)
class StoreCopy:
    """A store that holds exactly what `source` held; `continued` an interrupted copy."""

    source: str
    target: str
    tables: Sequence[copies.TableContents]
    continued: bool

    @property
    def rows(self) -> int:
        return sum(table.rows for table in self.tables)

    def rows_in(self, table: str) -> int:
        """The number of rows copied into one table."""
        return next(one.rows for one in self.tables if one.table == table)


def copy_store(
    session: Session, target_url: str, *, wait_seconds: float = FOR_LOCKS_S
) -> StoreCopy:
    """Copy everything into the empty database at `target_url`, while no run changes contacts.

    An interrupted copy goes on where it was, or starts over where the source has changed since:
    where something was done in it, or what was copied before proves different at the end.
    StoreError when the target holds something else, or does not equal the source at the end.
    """
    with (
        exclusive(session.store, CONTACT_CHANGES, wait_seconds=wait_seconds),
        closing(_open_target(session.store, target_url)) as target,
        exclusive(target, _COPY),
    ):
        interrupted = copies.claim_target(target)
        with session.store.reading() as from_, target.reading() as into:
            continued = interrupted and copies.has_same_runs(from_, into)
        if interrupted and not continued:
            copies.empty(target)
        tables, differing = _copy(session, target)
        if differing and continued:
            continued = False
            copies.empty(target)
            tables, differing = _copy(session, target)
        if differing:
            raise StoreError(
                f"{target.identity} differs from {session.store.identity} in"
                f" {', '.join(differing)}",
                hint="nothing was changed in the source; run the same command again",
                code="copy-differs",
            )
        copied = StoreCopy(session.store.identity, target.identity, tables, continued)
        with target.writing() as connection:
            # the only row that the source does not have: where all the others come from
            request = session.request(CopyRun(copied.source, copied.rows))
            request = replace(request, database=target.identity)
            insert_done_run(connection, request, session.clock(), planned=0, changed=0)
            copies.release_target(connection)
        return copied


def _open_target(source: Store, url: str) -> Store:
    target = connect(url)
    try:
        is_unmade = file_is_missing(target) or _was_begun(target)
        # a server tells which one it is when it is asked something
        if target.identity == source.identity:
            raise UsageError("a store cannot be copied into itself", hint="name another database")
        if is_unmade:
            create_store(url).close()
    except BaseException:
        target.close()
        raise
    return target


def _was_begun(target: Store) -> bool:
    """Whether it holds nothing yet, or a part of our schema from a copy that was interrupted."""
    version = schema_version(target)
    if version is None:
        if target.dialect == "sqlite" and not holds_nothing(target):
            raise StoreError(
                f"{target.identity} holds something else",
                hint="name an empty database or a new file",
            )
        return True
    return version < SCHEMA_VERSION and copies.has_no_runs(target)


def _copy(session: Session, target: Store) -> tuple[list[copies.TableContents], list[str]]:
    """Copy what the target does not have yet, then compare; returns what it holds, and the tables
    that differ."""
    # one state of the source throughout, whatever is written there meanwhile
    with session.store.reading() as source:
        rows = copies.count_rows(source)
        with session.progress("Copying", rows) as advance:
            for table in copies.copied_tables():
                copies.fill_table(source, target, table, advance)
                copies.copy_last_number(source, target, table)
        with session.progress("Comparing", 2 * rows) as advance, target.reading() as copied:
            expected, found = (
                [copies.table_contents(each, table, advance) for table in copies.copied_tables()]
                for each in (source, copied)
            )
    pairs = zip(expected, found, strict=True)
    return found, [one.table for one, other in pairs if one != other]
