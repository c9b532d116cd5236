"""Contacts from a file into the store: one run, batch by batch."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from itertools import chain
from pathlib import Path
from typing import BinaryIO

from contactctl.domain.errors import (
    BusyError,
    ContactctlError,
    InterruptedByUserError,
    StoreError,
    cut_short,
)
from contactctl.domain.run_kinds import ImportRun
from contactctl.domain.runs import RunKind, RunState
from contactctl.domain.text import fold
from contactctl.operations.importing.convert import (
    FORMER,
    KEY,
    SUPPRESSED,
    UNKNOWN_ADDRESS,
    Converted,
    Plan,
    convert,
    make_plan,
    rows_without,
)
from contactctl.operations.importing.options import ImportOptions, Reject, Rejects
from contactctl.operations.importing.reading import (
    ColumnReading,
    check_date_formats,
    latest_values,
)
from contactctl.operations.importing.rows import Batch, read_rows
from contactctl.operations.importing.source import open_source
from contactctl.operations.importing.told import Told
from contactctl.operations.importing.undecided import refuse_undecided
from contactctl.operations.importing.waves import split_into_waves, wave_of
from contactctl.operations.session import Session
from contactctl.operations.suppressions import suppressed_in
from contactctl.store.addresses import former_among
from contactctl.store.contacts import known_keys
from contactctl.store.database.locks import exclusive, serialise
from contactctl.store.groups import create_groups, group_ids
from contactctl.store.impact import count_active
from contactctl.store.imported_status import Creating, last_contact_id
from contactctl.store.imports import Counts, OpenTransaction, put_in, transactions
from contactctl.store.runs import (
    CONTACT_CHANGES,
    change_state,
    insert_run,
    list_runs,
    lock_run,
    lock_running_run,
    update_run,
)

CREATING_CONTACTS = "import"  # the lock of what creates contacts: import and `contacts add`


@dataclass(frozen=True, slots=True)
class ImportInput:
    """What to import: a file, or None for `stdin`; and how to read it."""

    path: Path | None
    stdin: BinaryIO
    options: ImportOptions


@dataclass(frozen=True, slots=True)
class ImportResult:
    """What an import did, row by row: every row is one of created, updated, unchanged, rejected.

    `run` is None for a dry run, which counts exactly the same and changes nothing. `notes` tell
    what may be a mistake.
    """

    run: int | None = None
    counts: Counts = field(default_factory=Counts)
    rejected: int = 0
    groups_created: tuple[str, ...] = ()
    columns_left_out: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def rows(self) -> int:
        counts = self.counts
        return counts.created + counts.updated + counts.unchanged + self.rejected


def import_contacts(
    session: Session,
    given: ImportInput,
    rejects: Rejects,
    *,
    dry_run: bool = False,
    reason: str = "",
) -> ImportResult:
    """Add and update contacts by their email key; each rejected row goes to `rejects`.

    InputError, and nothing is changed, when the file is refused as a whole. BusyError while
    another import runs. Whatever ends it early, the batches committed so far stay, the run says
    so, and the same import can simply be run again.
    """
    options = given.options
    check_date_formats(options)
    with open_source(given.path, given.stdin, options.encoding) as source:
        rows = read_rows(source, options, session.catalogue)
        first = next(rows.batches)
        refuse_undecided(rows, first, options)
        rejects.begin(rows.names)
        with exclusive(session.store, CREATING_CONTACTS):
            reading = ColumnReading(session, options)
            plan = make_plan(
                rows.columns,
                reading,
                options,
                from_spreadsheet=rows.from_spreadsheet,
                latest=latest_values(session),
            )
            run_id = None if dry_run else _start_run(session, source.name, options, reason)
            work = _Import(session, plan, options, ImportResult(run_id))
            with (
                _failing(session, run_id),
                transactions(session.store, rehearse=dry_run) as transaction,
                session.progress("importing", source.lines) as advance,
            ):
                for batch in chain([first], rows.batches):
                    for reject in work.put_in(batch, transaction):
                        rejects.add(reject)
                    advance(len(batch))
                if run_id is not None:
                    _finish_run(session, run_id)
            return replace(
                work.result,
                columns_left_out=dict(rows.known.left_out),
                notes=tuple(work.told.notes(options, reading.dates)),
            )


class _Import:
    """The import's work on the store, one transaction a batch; `result` grows with each."""

    def __init__(
        self,
        session: Session,
        plan: Plan,
        options: ImportOptions,
        result: ImportResult,
    ) -> None:
        self.suppressed = suppressed_in(session)
        self.plan = plan
        self.options = options
        self.now = session.clock()
        self.result = result
        self.told = Told()
        with session.store.reading() as connection:
            self.creating = Creating(
                result.run or 0,
                last_contact_id(connection),
                session.settings.responses.unsubscribes,
            )

    def put_in(self, batch: Batch, transaction: OpenTransaction) -> list[Reject]:
        """Put one batch in, together with the run's new totals; returns what was rejected."""
        read = convert(self.plan, batch, self.told)
        with transaction() as connection:
            # before the run's row, which an erasure may have to change in its turn
            serialise(connection, CONTACT_CHANGES)
            if self.result.run is not None:
                lock_running_run(connection, self.result.run)
            keys = [row[KEY] for row in read.rows]
            converted = rows_without(read, batch, self.suppressed(connection, keys), SUPPRESSED)
            former = former_among(connection, keys)
            converted = rows_without(converted, batch, former.keys(), FORMER)
            if self.options.update_only:
                unknown = set(keys) - known_keys(connection, keys)
                converted = rows_without(converted, batch, unknown, UNKNOWN_ADDRESS)
            waves = split_into_waves(converted)
            counts = Counts(unchanged=waves.repeated)
            known = group_ids(connection) if _names_groups(converted) else {}
            missing = _missing_groups(converted, known)
            ids = known | create_groups(connection, missing, self.now)
            for rows in waves.rows:
                wave = wave_of(rows, converted, ids)
                counts += put_in(connection, self.plan.layout, wave, self.now, self.creating)
            result = self._grown(counts, len(converted.rejects), missing)
            if result.run is not None:
                update_run(connection, result.run, _totals(result))
        self.result = result
        return converted.rejects

    def _grown(self, counts: Counts, rejected: int, groups: Sequence[str]) -> ImportResult:
        return replace(
            self.result,
            counts=self.result.counts + counts,
            rejected=self.result.rejected + rejected,
            groups_created=(*self.result.groups_created, *groups),
        )


def _totals(result: ImportResult) -> dict[str, object]:
    counts = result.counts
    inactive = f" ({counts.created_inactive:,} inactive)" if counts.created_inactive else ""
    return {
        "planned": result.rows,
        "changed": counts.created + counts.updated,
        "skipped": {"unchanged": counts.unchanged, "rejected": result.rejected},
        "message": f"created {counts.created:,}{inactive}, updated {counts.updated:,}",
    }


def _names_groups(converted: Converted) -> bool:
    return bool(converted.groups or converted.groups_active or converted.groups_inactive)


def _missing_groups(converted: Converted, known: dict[str, int]) -> list[str]:
    """The groups that the rows name and the store does not have yet."""
    missing: dict[str, str] = {}
    groups = (converted.groups, converted.groups_active, converted.groups_inactive)
    for name in chain.from_iterable(chain.from_iterable(each.values() for each in groups)):
        if fold(name) not in known:
            missing.setdefault(fold(name), name)
    return list(missing.values())


def _start_run(session: Session, name: str, options: ImportOptions, reason: str) -> int:
    """A running run; earlier imports that still say so have died, since the lock was free."""
    request = session.request(ImportRun(name, dict(options.renames)), reason=reason)
    with session.store.writing() as connection:
        for dead in list_runs(
            connection, limit=1000, kinds=[RunKind.IMPORT], states=[RunState.RUNNING]
        ):
            values = {
                "finished_at": session.clock(),
                "message": f"{dead.message} (interrupted)".strip(),
            }
            change_state(
                connection, dead.id, expected=RunState.RUNNING, to=RunState.FAILED, values=values
            )
        run_id = insert_run(
            connection,
            request,
            state=RunState.RUNNING,
            identity=session.store.identity,
            now=session.clock(),
        )
        update_run(connection, run_id, {"active_before": count_active(connection)})
        return run_id


def _finish_run(session: Session, run_id: int) -> None:
    with session.store.writing() as connection:
        values = {"finished_at": session.clock(), "active_after": count_active(connection)}
        change_state(connection, run_id, expected=RunState.RUNNING, to=RunState.DONE, values=values)


@contextmanager
def _failing(session: Session, run_id: int | None) -> Iterator[None]:
    """Mark the run failed when anything, Ctrl-C too, ends the work inside."""
    try:
        yield
    except BaseException as error:
        if run_id is None:
            raise
        interrupted = isinstance(error, KeyboardInterrupt | InterruptedByUserError)
        reason = error.message if isinstance(error, ContactctlError) else type(error).__name__
        ending = "interrupted" if interrupted else f"ended by {reason}"
        with suppress(ContactctlError):  # the store may be what failed
            _fail_run(session, run_id, ending)
        again = "give the same command again: what is in the store already stays as it is"
        if isinstance(error, StoreError | BusyError):
            raise cut_short(f"the import (run {run_id})", error, again) from error
        if not interrupted:
            raise
        raise InterruptedByUserError(
            f"the import (run {run_id}) was interrupted; what it has done so far is kept",
            hint=again,
        ) from error


def _fail_run(session: Session, run_id: int, ending: str) -> None:
    with session.store.writing() as connection:
        done = lock_run(connection, run_id).message
        values = {"finished_at": session.clock(), "message": f"{done} ({ending})".strip()}
        change_state(
            connection, run_id, expected=RunState.RUNNING, to=RunState.FAILED, values=values
        )
