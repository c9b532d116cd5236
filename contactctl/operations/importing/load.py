"""Contacts from a file into the store: one run, batch by batch."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from itertools import chain
from pathlib import Path
from typing import Any, BinaryIO

from contactctl.domain.contacts import MembershipState
from contactctl.domain.errors import (
    BusyError,
    ContactctlError,
    InterruptedByUserError,
    StoreError,
    cut_short,
)
from contactctl.domain.name_cells import unique_names
from contactctl.domain.run_kinds import ImportRun, SyncRun
from contactctl.domain.runs import RunKind, RunState
from contactctl.domain.text import fold
from contactctl.operations.importing.batches import (
    ColumnReading,
    check_date_formats,
    latest_values,
    split_into_waves,
    wave_of,
)
from contactctl.operations.importing.convert import (
    ADDRESS_TAKEN,
    FORMER,
    ID_TWICE,
    KEY,
    SUPPRESSED,
    UNKNOWN_ADDRESS,
    Converted,
    Names,
    Plan,
    convert,
    make_plan,
    rows_without,
    rows_without_positions,
)
from contactctl.operations.importing.options import ImportOptions, Reject, Rejects
from contactctl.operations.importing.rows import Batch, FileRows, read_rows
from contactctl.operations.importing.source import open_source
from contactctl.operations.importing.told import Told, refuse_undecided
from contactctl.operations.session import Session
from contactctl.operations.suppressions import suppressed_in
from contactctl.processes import rare_garbage_collection
from contactctl.store import runs
from contactctl.store.addresses import former_among, ids_of_keys
from contactctl.store.database.locks import change_one_by_one, exclusive, serialise
from contactctl.store.external_ids import AddressChanges, NamedRow, follow_addresses
from contactctl.store.groups import create_groups, group_ids
from contactctl.store.impact import count_active
from contactctl.store.imported_status import Creating, last_contact_id
from contactctl.store.imports import Counts, OpenTransaction, put_in, transactions

_IMPORTING = (RunKind.IMPORT, RunKind.SYNC)
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
    what may be a mistake. `readdressed` of those updated have another address now. `active_lines`
    are the first lines of a file that say inactive of a contact that is active.
    """

    run: int | None = None
    counts: Counts = field(default_factory=Counts)
    rejected: int = 0
    groups_created: tuple[str, ...] = ()
    columns_left_out: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    readdressed: int = 0
    active_lines: tuple[int, ...] = ()

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
    with open_source(given.path, given.stdin, options.encoding, options.sheet) as source:
        rows = read_rows(source, options, session.catalogue)
        work = ImportWork(ImportRun(source.name, dict(options.renames)), "importing", source.lines)
        with exclusive(session.store, CREATING_CONTACTS):
            return import_rows(session, rows, options, rejects, work, dry_run=dry_run, why=reason)


@dataclass(frozen=True, slots=True)
class ImportWork:
    """Whose rows are imported: what the run keeps, and what its progress is called.

    Of a source of the config, its name, and where it has been read to when a batch has just been
    yielded.
    """

    details: ImportRun | SyncRun
    title: str
    lines: int | None
    source: str = ""
    position: Callable[[], Mapping[str, Any]] = dict


def import_rows(
    session: Session,
    rows: FileRows,
    options: ImportOptions,
    rejects: Rejects,
    work: ImportWork,
    *,
    dry_run: bool,
    why: str,
) -> ImportResult:
    """Import the rows as one run; the caller holds the right to create contacts."""
    first = next(rows.batches)
    refuse_undecided(rows, first, options)
    rejects.begin(rows.names)
    reading = ColumnReading(session, options)
    options = reading.with_given_names()
    plan = make_plan(
        rows.columns,
        reading,
        options,
        from_spreadsheet=rows.from_spreadsheet,
        latest=latest_values(session),
    )
    run_id = None if dry_run else _start_run(session, work, why)
    doing = _Import(session, plan, options, ImportResult(run_id), work)
    with (
        _failing(session, run_id),
        rare_garbage_collection(),
        transactions(session.store, rehearse=dry_run) as transaction,
        session.progress(work.title, work.lines) as advance,
    ):
        for batch in chain([first], rows.batches):
            for reject in doing.put_in(batch, transaction):
                rejects.add(reject)
            advance(len(batch))
        for reject in doing.put_in_waiting(transaction):
            rejects.add(reject)
        if run_id is not None:
            _finish_run(session, run_id)
    return replace(
        doing.result,
        columns_left_out=dict(rows.known.left_out),
        notes=tuple(doing.told.notes(rows.known, options, reading.dates)),
    )


class _Import:
    """The import's work on the store, one transaction a batch; `result` grows with each.

    Rows whose address another contact has wait until the end: a later row may give that contact
    another address. Until then the run's position stays before the first of them.
    """

    def __init__(
        self,
        session: Session,
        plan: Plan,
        options: ImportOptions,
        result: ImportResult,
        work: ImportWork,
    ) -> None:
        self.suppressed = suppressed_in(session)
        self.plan = plan
        self.options = options
        self.now = session.clock()
        self.result = result
        self.work = work
        self.waiting = Batch(external_ids=[])
        self.told = Told()
        with session.store.reading() as connection:
            self.creating = Creating(
                result.run or 0,
                last_contact_id(connection),
                session.settings.responses.unsubscribes,
            )

    def put_in(
        self, batch: Batch, transaction: OpenTransaction, *, is_last: bool = False
    ) -> list[Reject]:
        """Put one batch in, together with the run's new totals; returns what was rejected."""
        read, source = convert(self.plan, batch, self.told), self.work.source
        read = _with_given(read, self.options)
        with transaction() as connection:
            # before the run's row, which an erasure may have to change in its turn
            serialise(connection)
            if self.result.run is not None:
                runs.lock_running_run(connection, self.result.run)
            known = group_ids(connection) if any(read.groups.values()) else {}
            if _missing_groups(read, known):
                change_one_by_one(connection)
            keys = [row[KEY] for row in read.rows]
            converted = rows_without(read, batch, self.suppressed(connection, keys), SUPPRESSED)
            named = _named(converted, batch)
            changes = follow_addresses(connection, source, self.creating, named, self.now)
            converted = self._left(converted, batch, changes, is_last=is_last)
            former = former_among(connection, keys)
            converted = rows_without(converted, batch, former.keys(), FORMER)
            if self.options.update_only:
                unknown = set(keys) - ids_of_keys(connection, keys).keys()
                converted = rows_without(converted, batch, unknown, UNKNOWN_ADDRESS)
            waves = split_into_waves(converted)
            counts = Counts(unchanged=waves.repeated)
            missing = _missing_groups(converted, known)
            ids = known | create_groups(connection, missing, self.now)
            for rows in waves.rows:
                wave = wave_of(rows, converted, ids, changes)
                counts += put_in(
                    connection, self.plan.layout, wave, self.now, self.creating, source=source
                )
            result = self._grown(counts, len(converted.rejects), missing, len(changes.moved))
            result = _with_lines(result, counts.active_at, batch)
            if result.run is not None:
                runs.update_run(connection, result.run, _totals(result) | self._position(is_last))
        self.result = result
        return converted.rejects

    def put_in_waiting(self, transaction: OpenTransaction) -> list[Reject]:
        """Put in the rows that were kept waiting, now that all others are in."""
        if not self.waiting.rows:
            return []
        return self.put_in(self.waiting, transaction, is_last=True)

    def _left(
        self, converted: Converted, batch: Batch, changes: AddressChanges, *, is_last: bool
    ) -> Converted:
        """The rows without those whose address is not to be had, now or at all."""
        left = rows_without_positions(converted, batch, changes.twice, ID_TWICE)
        if is_last or len(self.waiting) + len(changes.taken) > self.options.batch_rows:
            return rows_without_positions(left, batch, changes.taken, ADDRESS_TAKEN)
        if changes.taken:
            self._keep_waiting(batch, sorted(changes.taken))
            return replace(left, rows=[row for row in left.rows if row[0] not in changes.taken])
        return left

    def _keep_waiting(self, batch: Batch, positions: Sequence[int]) -> None:
        self.waiting.lines.extend(batch.lines[at] for at in positions)
        self.waiting.rows.extend(batch.rows[at] for at in positions)
        ids = [batch.external_ids[at] for at in positions]
        self.waiting.external_ids = [*self.waiting.external_ids, *ids]

    def _position(self, is_last: bool) -> dict[str, Any]:
        """Where the next run of the source goes on."""
        if not self.work.source or (self.waiting.rows and not is_last):
            return {}
        return {"position": dict(self.work.position())}

    def _grown(
        self, counts: Counts, rejected: int, groups: Sequence[str], moved: int
    ) -> ImportResult:
        return replace(
            self.result,
            readdressed=self.result.readdressed + moved,
            counts=self.result.counts + counts,
            rejected=self.result.rejected + rejected,
            groups_created=(*self.result.groups_created, *groups),
        )


def _with_given(read: Converted, options: ImportOptions) -> Converted:
    """The rows with the tags and groups that all are given, besides what each says."""
    positions = [row[0] for row in read.rows]
    given = replace(read)
    if options.tags:
        given.tags = _added(read.tags, options.tags, positions)
    if options.groups:
        # the first of the states, so that what a row says of the group holds
        follows = MembershipState.FOLLOWS
        named = _added(read.groups.get(follows, {}), options.groups, positions)
        given.groups = {follows: named} | {**read.groups, follows: named}
    return given


def _added(named: Names, names: tuple[str, ...], positions: Sequence[int]) -> Names:
    return {at: unique_names((*named.get(at, ()), *names)) for at in positions}


def _with_lines(result: ImportResult, positions: Sequence[int], batch: Batch) -> ImportResult:
    lines = [] if batch.external_ids else [batch.lines[at] for at in positions]
    counts = replace(result.counts, active_at=())
    return replace(result, counts=counts, active_lines=(*result.active_lines, *lines)[:5])


def _named(converted: Converted, batch: Batch) -> list[NamedRow]:
    """The rows of a source with their ids."""
    if not batch.external_ids:
        return []
    ids = batch.external_ids
    return [NamedRow(row[0], ids[row[0]], *row[KEY - 1 : KEY + 2]) for row in converted.rows]


def _totals(result: ImportResult) -> dict[str, object]:
    counts = result.counts
    inactive = f" ({counts.created_inactive:,} inactive)" if counts.created_inactive else ""
    return {
        "planned": result.rows,
        "changed": counts.created + counts.updated,
        "skipped": {"unchanged": counts.unchanged, "rejected": result.rejected},
        "message": f"created {counts.created:,}{inactive}, updated {counts.updated:,}",
    }


def _missing_groups(converted: Converted, known: dict[str, int]) -> list[str]:
    """The groups that the rows name and the store does not have yet."""
    missing: dict[str, str] = {}
    for groups in converted.groups.values():
        for name in chain.from_iterable(groups.values()):
            if fold(name) not in known:
                missing.setdefault(fold(name), name)
    return list(missing.values())


def _start_run(session: Session, work: ImportWork, reason: str) -> int:
    """A running run; earlier imports that still say so have died, since the lock was free."""
    request = session.request(work.details, reason=reason)
    with session.store.writing() as connection:
        for dead in runs.list_runs(
            connection, limit=1000, kinds=_IMPORTING, states=[RunState.RUNNING]
        ):
            runs.fail_run(connection, dead, "interrupted", session.clock())
        position = dict(work.position())
        run_id = runs.insert_run(
            connection, request, state=RunState.RUNNING, now=session.clock(), position=position
        )
        runs.update_run(connection, run_id, {"active_before": count_active(connection)})
        return run_id


def _finish_run(session: Session, run_id: int) -> None:
    with session.store.writing() as connection:
        values = {"finished_at": session.clock(), "active_after": count_active(connection)}
        runs.change_state(
            connection, run_id, expected=RunState.RUNNING, to=RunState.DONE, values=values
        )


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
        # the store may be what failed
        with suppress(ContactctlError), session.store.writing() as connection:
            run = runs.lock_run(connection, run_id)
            runs.fail_run(connection, run, ending, session.clock())
        again = "give the same command again: what is in the store already stays as it is"
        if isinstance(error, StoreError | BusyError):
            raise cut_short(f"the import (run {run_id})", error, again) from error
        if not interrupted:
            raise
        raise InterruptedByUserError(
            f"the import (run {run_id}) was interrupted; what it has done so far is kept",
            hint=again,
        ) from error
