"""Looking at runs, and ending one before it is done."""

from collections.abc import Sequence
from dataclasses import dataclass

from contactctl.domain.errors import BusyError, RefusedError
from contactctl.domain.runs import FINAL_STATES, Run, RunKind, RunState
from contactctl.operations import waits
from contactctl.operations.session import Session
from contactctl.operations.work import ERASING
from contactctl.store.erasure import clean_up, needs_clean_up
from contactctl.store.locks import exclusive
from contactctl.store.runs import get_run, list_runs, undos_of
from contactctl.store.runwork import CONTACT_CHANGES, end_plan, stop_run


@dataclass(frozen=True, slots=True)
class FoundRun:
    """A run, and the numbers of the runs that have taken it back."""

    run: Run
    taken_back_by: Sequence[int] = ()


def find_run(session: Session, run_id: int) -> FoundRun:
    """The run of that number; NotFoundError where there is none."""
    with session.store.reading() as connection:
        return FoundRun(get_run(connection, run_id), undos_of(connection, run_id))


def latest_runs(
    session: Session, *, limit: int, kinds: Sequence[RunKind], states: Sequence[RunState]
) -> list[Run]:
    """The latest runs, newest first."""
    with session.store.reading() as connection:
        return list_runs(connection, limit=limit, kinds=kinds, states=states)


def cancel_run(session: Session, run_id: int) -> Run:
    """End a run now. What a running one has done stays done; a process at work on it stops."""
    with session.store.reading() as connection:
        run = get_run(connection, run_id)
    if run.state in FINAL_STATES:
        raise RefusedError(
            f"run {run_id} is already {run.state}", hint=f"`contactctl runs show {run_id}`"
        )
    message = f"cancelled by {session.operator}"
    if run.state is RunState.PLANNED:
        return end_plan(session.store, run_id, RunState.CANCELLED, session.clock(), message)
    stopped = stop_run(session.store, run_id, session.clock(), message)
    if run.kind in ERASING and needs_clean_up(session.store):
        _clean_up_what_was_erased(session)
    return stopped


def _clean_up_what_was_erased(session: Session) -> None:
    """Under the lock: another erasure must not leave old pages between VACUUM and the mark."""
    try:
        with exclusive(session.store, CONTACT_CHANGES, wait_seconds=waits.FOR_CHANGES_S):
            clean_up(session.store)
    except BusyError as error:
        raise BusyError(
            f"the run is cancelled, but old pages still have what it has erased: {error.message}",
            hint="`contactctl sweep runs --yes` cleans up after the other process has ended",
        ) from error
