"""Recording responses, batch by batch, and what follows from them."""

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from contactctl.domain.errors import BusyError, ContactctlError, StoreError, cut_short
from contactctl.domain.responses import Rejection
from contactctl.domain.run_kinds import IngestRun
from contactctl.domain.runs import RunState
from contactctl.domain.text import show_safely
from contactctl.domain.waits import FOR_INGEST_S
from contactctl.operations.ingest_rows import ReadBatch, events_not_suppressed
from contactctl.operations.plans import RulesApplied
from contactctl.operations.session import Session
from contactctl.operations.suppressions import suppressed_in
from contactctl.operations.thresholds import (
    sweep_thresholds,
    threshold_rules_in_force,
)
from contactctl.processes import rare_garbage_collection
from contactctl.responses.rules import SenderFault, reasons_by_fault
from contactctl.store import runs
from contactctl.store.bursts import Judgement, judge_bursts
from contactctl.store.database.locks import exclusive, serialise, taking_turn
from contactctl.store.ingest_batch import RecordedCounts, record_batch
from contactctl.store.responses import (
    contacts_concerned,
    count_refused,
    forget_concerned,
    hand_over_concerned,
    runs_with_concerned,
)
from contactctl.store.thresholds.unswept import end_look_at_some

INGESTING = "ingest"  # the lock of what records responses and decides about held ones
BATCH_EVENTS = 5_000  # twice as many take 15 MB more, in two processes, and gain little

_UNTOLD = IngestRun()

OnReject = Callable[[Rejection], None]
Position = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class FaultMet:
    """What of the sender was refused, in so many `responses`, to so many `contacts`."""

    fault: SenderFault
    responses: int
    contacts: int


@dataclass(frozen=True, slots=True)
class IngestResult:
    """What an ingest did. `held` counts the responses, those of earlier ingests included, that it
    made wait. `run` is None where it found nothing new: then it left no run. `sender_faults` stand
    in the order of the contacts that they touch.

    `thresholds` is None, and `busy` says why, where another process kept the thresholds from being
    looked at; the next ingest or sweep does so.
    """

    run: int | None = None
    counts: RecordedCounts = field(default_factory=RecordedCounts)
    activities: int = 0
    no_responses: int = 0
    undated: int = 0
    rejected: int = 0
    sender_faults: Sequence[FaultMet] = ()
    judgement: Judgement = field(default_factory=Judgement)
    thresholds: RulesApplied | None = None
    busy: BusyError | None = None

    @property
    def read(self) -> int:
        """All mails and events; a mail that tells of several recipients is as many."""
        responses = self.counts.recorded + self.counts.duplicates
        others = self.no_responses + self.rejected
        return responses + self.activities + others

    @property
    def is_nothing_new(self) -> bool:
        """Whether nothing was recorded, nor has to be looked at."""
        return not (self.counts.recorded or self.activities or self.rejected)

    @property
    def held(self) -> int:
        return self.judgement.held

    @property
    def deactivated(self) -> int:
        return self.thresholds.changed if self.thresholds else 0


def ingest_batches(
    session: Session,
    batches: Generator[ReadBatch],
    on_reject: OnReject,
    *,
    details: IngestRun = _UNTOLD,
    after_commit: Callable[[], None] = lambda: None,
    wait_seconds: float = FOR_INGEST_S,
    position: Callable[[], Position] = dict,
) -> IngestResult:
    """Record events as one run, then deactivate the contacts that reached a threshold.

    The batches are closed in any case; `after_commit` is called each time when everything read so
    far is committed. `position` says where the source has been read to when a batch has been
    yielded; the run keeps it, in the transaction of the batch. What ends it early loses nothing:
    the same input can be ingested again, and nothing is recorded twice. Raises BusyError while
    another ingest works.
    """
    with exclusive(session.store, INGESTING, wait_seconds=wait_seconds):
        work = _Ingest(session, details, on_reject, position)
        with (
            _failing(work),
            rare_garbage_collection(),
            session.progress("Ingesting", None) as advance,
            closing(batches),
        ):
            for batch in batches:
                work.record(batch)
                after_commit()
                advance(batch.events)
            after_commit()
        work.keep_position()
        return _conclude(session, work.result, wait_seconds)


def conclude_interrupted(session: Session) -> None:
    """End ingests whose process has died, unless one works now; thresholds are for the caller."""
    with suppress(BusyError), exclusive(session.store, INGESTING):
        with session.store.reading() as connection:
            run_ids = runs_with_concerned(connection)
        _end_interrupted(session, run_ids)
        if run_ids:
            with session.store.writing() as connection:
                hand_over_concerned(connection, run_ids)


def look_at_thresholds(
    session: Session, run_ids: Sequence[int], wait_seconds: float = FOR_INGEST_S
) -> RulesApplied:
    """Thresholds of the contacts that these runs concern, which are then forgotten."""
    result = sweep_thresholds(
        session,
        among=contacts_concerned(run_ids),
        after_run=max(run_ids),
        wait_seconds=wait_seconds,
    )
    rules = threshold_rules_in_force(session).digest
    with session.store.writing() as connection:
        if result.waits_for_another:
            hand_over_concerned(connection, run_ids)
        forget_concerned(connection, run_ids)
        end_look_at_some(connection, rules, session.clock())
    return result


class _NothingNewError(Exception):
    """Takes back the run that was begun for a batch with nothing to record."""


class _Ingest:
    """The recording, one transaction a batch; `result` grows with each.

    The run begins with the first batch that has something to record.
    """

    def __init__(
        self,
        session: Session,
        details: IngestRun,
        on_reject: OnReject,
        position: Callable[[], Position],
    ) -> None:
        self.position = position
        self.session = session
        self.details = details
        self.result = IngestResult()
        self.on_reject = on_reject
        self.suppressed = suppressed_in(session)

    def record(self, batch: ReadBatch) -> None:
        """Record a batch together with the run's new totals."""
        if self.result.run is None and batch.is_without_responses:
            self.result = self._with_totals(batch, RecordedCounts())
            return
        with suppress(_NothingNewError), self.session.store.writing() as connection:
            # before the run's row, which an erasure may have to change in its turn
            serialise(connection)
            run_id = self.result.run
            if run_id is None:
                run_id = runs.insert_run(
                    connection,
                    self.session.request(self.details),
                    state=RunState.RUNNING,
                    now=self.session.clock(),
                )
            else:
                runs.lock_running_run(connection, run_id)
            batch = events_not_suppressed(batch, partial(self.suppressed, connection))
            for rejection in batch.rejected:
                self._reject(rejection)
            counts = record_batch(
                connection,
                run_id,
                batch.responses,
                batch.signs,
                self.session.settings.responses,
                self.session.clock(),
            )
            result = self._with_totals(batch, counts)
            if result.is_nothing_new:
                raise _NothingNewError
            kept = {"position": dict(at)} if (at := self.position()) else {}
            runs.update_run(connection, run_id, _totals(result) | kept)
            result = replace(result, run=run_id)
        self.result = result

    def _with_totals(self, batch: ReadBatch, counts: RecordedCounts) -> IngestResult:
        return replace(
            self.result,
            counts=self.result.counts + counts,
            activities=self.result.activities + batch.activity_events,
            no_responses=self.result.no_responses + batch.no_responses,
            undated=self.result.undated + batch.undated,
        )

    def keep_position(self) -> None:
        """Keep where the source ends, which comes after its last batch."""
        if (at := self.position()) and self.result.run is not None:
            with self.session.store.writing() as connection:
                runs.update_run(connection, self.result.run, {"position": dict(at)})

    def _reject(self, rejection: Rejection) -> None:
        self.on_reject(rejection)
        self.result = replace(self.result, rejected=self.result.rejected + 1)


def _totals(result: IngestResult) -> dict[str, object]:
    """What the run's row keeps: `planned` are the responses read, `changed` those recorded."""
    counts = result.counts
    return {
        "planned": counts.recorded + counts.duplicates,
        "changed": counts.recorded,
        "skipped": {"duplicates": counts.duplicates},
        "results": {
            "unmatched": counts.unmatched,
            "not_counted": counts.not_counted,
            "sender_side": result.counts.refusals.total(),
            "held": result.held,
            "taken_back": result.judgement.taken_back,
            "rejected": result.rejected,
            "activities": result.activities,
            "no_response": result.no_responses,
            "unsubscribes": counts.unsubscribes,
            "unsubscribed": counts.obeyed.contacts,
            "left_groups": counts.obeyed.memberships,
        },
    }


def _conclude(session: Session, recorded: IngestResult, wait_seconds: float) -> IngestResult:
    """Decide what is held, end the run, and look at the thresholds of all concerned."""
    result = _end_run(session, recorded)
    with session.store.reading() as connection:
        concerned = runs_with_concerned(connection)
    _end_interrupted(session, [run_id for run_id in concerned if run_id != result.run])
    if result.run is not None and result.run not in concerned:
        concerned.append(result.run)
    try:
        thresholds = (
            look_at_thresholds(session, concerned, wait_seconds) if concerned else RulesApplied()
        )
    except BusyError as busy:
        return replace(result, busy=busy)
    return replace(result, thresholds=thresholds)


def _end_run(session: Session, recorded: IngestResult) -> IngestResult:
    """With what its responses made wait; a run that was not begun has no end."""
    if recorded.run is None:
        return recorded
    result = replace(recorded, judgement=_judge(session, recorded.run))
    faults = _sender_faults(session, recorded.run, recorded.counts)
    result = replace(result, sender_faults=faults)
    with session.store.writing() as connection:
        values = _totals(result) | {"finished_at": session.clock()}
        runs.change_state(
            connection, recorded.run, expected=RunState.RUNNING, to=RunState.DONE, values=values
        )
    return result


def _sender_faults(session: Session, run_id: int, counts: RecordedCounts) -> list[FaultMet]:
    if not counts.refusals:
        return []
    with session.store.reading() as connection:
        met = [
            FaultMet(
                fault,
                sum(counts.refusals[reason] for reason in reasons),
                count_refused(connection, run_id, reasons),
            )
            for fault, reasons in reasons_by_fault(counts.refusals).items()
        ]
    return sorted(met, key=lambda each: (-each.contacts, -each.responses))


def _judge(session: Session, run_id: int) -> Judgement:
    """Hold what looks like an incident, and take back what it has done before that was known."""
    guard = session.settings.responses.incident_guard
    with taking_turn(session.store) as connection:
        return judge_bursts(connection, guard, run_id, session.clock())


def _end_interrupted(session: Session, run_ids: Sequence[int]) -> None:
    """The process of a run that still says `running` has died, since the lock was free."""
    for run_id in run_ids:
        _judge(session, run_id)
        _fail(session, run_id, "interrupted")


@contextmanager
def _failing(work: _Ingest) -> Iterator[None]:
    """Mark the run failed when anything, Ctrl-C too, ends the recording."""
    try:
        yield
    except BaseException as error:
        reason = error.message if isinstance(error, ContactctlError) else type(error).__name__
        run_id = work.result.run
        if run_id is not None:
            _fail(work.session, run_id, f"ended by {show_safely(reason)}")
        if isinstance(error, StoreError | BusyError):
            again = "ingest the same input again: nothing is recorded twice"
            which = f" (run {run_id})" if run_id is not None else ""
            raise cut_short(f"the ingest{which}", error, again) from error
        raise


def _fail(session: Session, run_id: int, message: str) -> None:
    values = {"finished_at": session.clock(), "message": message}
    # the store may be what failed, or somebody else has ended the run
    with suppress(ContactctlError), session.store.writing() as connection:
        runs.change_state(
            connection, run_id, expected=RunState.RUNNING, to=RunState.FAILED, values=values
        )
