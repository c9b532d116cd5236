"""Working through a plan: batches in id order, one transaction each, safe to kill and to resume."""

from collections.abc import Iterator
from contextlib import contextmanager

from contactctl.domain.errors import (
    BusyError,
    InterruptedByUserError,
    RefusedError,
    StoreError,
    cut_short,
)
from contactctl.domain.policies import Approval
from contactctl.domain.runs import FINAL_STATES, Run, RunState, same_user
from contactctl.operations import waits
from contactctl.operations.session import Session
from contactctl.operations.work import RESUMABLE, work_of
from contactctl.store.locks import exclusive
from contactctl.store.runs import get_run
from contactctl.store.runwork import (
    CONTACT_CHANGES,
    BatchWork,
    apply_batch,
    end_plan,
    finish_run,
    note_resumed,
    start_run,
)

BATCH_CONTACTS = 20_000
_ATTEMPTS_PER_BATCH = 5


def apply_run(session: Session, run_id: int, *, wait_seconds: float = waits.FOR_CHANGES_S) -> Run:
    """Start a planned run and work it through. The caller has had it confirmed.

    Raises RefusedError when the plan has expired or is not waiting, BusyError when another run
    changes contacts for longer than `wait_seconds`.
    """
    with exclusive(session.store, CONTACT_CHANGES, wait_seconds=wait_seconds):
        require_applicable(session, run_id)
        return work_through(session, _start(session, run_id))


def begin_run(session: Session, run_id: int) -> Run:
    """Start a planned run, for another process to work through (`resume_run`)."""
    require_applicable(session, run_id)
    return _start(session, run_id)


def _start(session: Session, run_id: int) -> Run:
    return start_run(session.store, run_id, session.clock(), operator=session.operator)


def resume_run(session: Session, run_id: int, *, wait_seconds: float = waits.FOR_CHANGES_S) -> Run:
    """Go on with an interrupted run from its cursor; a run that is done stays as it is."""
    with exclusive(session.store, CONTACT_CHANGES, wait_seconds=wait_seconds):
        run = read_run(session, run_id)
        if run.state is RunState.PLANNED:
            raise RefusedError(
                f"run {run_id} was never started",
                hint=f"`contactctl runs apply {run_id}` asks for its confirmation",
            )
        if run.state is RunState.RUNNING and run.kind not in RESUMABLE:
            raise RefusedError(
                f"run {run_id} ({run.kind}) has no plan to go on with",
                hint=f"do the same {run.kind} again: what is recorded is not recorded twice;"
                f" `contactctl runs cancel {run_id}` ends this one",
            )
        return run if run.state in FINAL_STATES else work_through(session, run)


def require_applicable(session: Session, run_id: int) -> Run:
    """The planned run; RefusedError when it may not be applied by this operator, or any more."""
    run = read_run(session, run_id)
    if run.state is not RunState.PLANNED:
        raise RefusedError(
            f"run {run_id} is {run.state}, not planned",
            hint=f"`contactctl runs show {run_id}`",
        )
    if run.expires_at is not None and run.expires_at <= session.clock():
        end_plan(session.store, run_id, RunState.EXPIRED, session.clock(), "not applied in time")
        raise RefusedError(
            f"the plan of run {run_id} has expired", hint="make a new plan from today's contacts"
        )
    _require_second_operator(session, run)
    return run


def read_run(session: Session, run_id: int) -> Run:
    """The run as it is now; NotFoundError when there is none."""
    with session.store.reading() as connection:
        return get_run(connection, run_id)


def _require_second_operator(session: Session, run: Run) -> None:
    second = session.settings.plans.approval is Approval.SECOND_OPERATOR
    if second and same_user(run.operator, session.operator):
        raise RefusedError(
            f"run {run.id} needs a second operator; {run.operator} planned it",
            hint=f"somebody else applies it with `contactctl runs apply {run.id}`",
        )


def work_through(session: Session, run: Run) -> Run:
    """Apply the rest of a running run, batch by batch; the caller holds the lock."""
    work = work_of(session, run.kind)
    if session.operator != run.applied_by:
        note_resumed(session.store, run.id, session.operator)
    with _resumable(run.id), session.progress("Working", run.planned) as advance:
        advance(run.dealt_with)
        while (after := _apply_next_batch(session, run, work)) is not None:
            advance(after.dealt_with - run.dealt_with)
            run = after
        if work.clean_up is not None:
            work.clean_up(session.store)
        return finish_run(session.store, run.id, session.clock())


@contextmanager
def _resumable(run_id: int) -> Iterator[None]:
    """Say, when interrupted or left by the store, that nothing is lost and how to go on."""
    how = (
        f"`contactctl runs resume {run_id}` goes on, `contactctl runs cancel {run_id}`"
        " leaves it at that"
    )
    try:
        yield
    except (KeyboardInterrupt, InterruptedByUserError) as interruption:
        raise InterruptedByUserError(
            f"run {run_id} was interrupted; what it has done so far is kept", hint=how
        ) from interruption
    except (StoreError, BusyError) as error:
        raise cut_short(f"run {run_id}", error, how) from error


def _apply_next_batch(session: Session, run: Run, work: BatchWork) -> Run | None:
    """One batch, begun again when another writer changed one of its contacts meanwhile."""
    for _ in range(_ATTEMPTS_PER_BATCH - 1):
        try:
            return apply_batch(session.store, run, BATCH_CONTACTS, session.clock(), work)
        except BusyError as error:
            if error.code != "conflict":
                raise
    return apply_batch(session.store, run, BATCH_CONTACTS, session.clock(), work)
