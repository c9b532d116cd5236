"""Following a run that another process works on."""

import time
from dataclasses import dataclass

from contactctl.domain.errors import BusyError, ContactctlError, RefusedError
from contactctl.domain.runs import FINAL_STATES, Run, RunState
from contactctl.operations.apply import read_run
from contactctl.operations.session import Session
from contactctl.store.locks import exclusive
from contactctl.store.runwork import CONTACT_CHANGES

_LOOK_EVERY_S = 0.25
_PATIENCE_S = 15.0  # on a busy machine a process needs so long to start and take the lock


@dataclass(frozen=True, slots=True)
class Watched:
    """The run as it was last seen; `problem` says why it is not watched to its end."""

    run: Run
    problem: ContactctlError | None = None


def watch_run(session: Session, run_id: int) -> Watched:
    """Wait, with progress, until the run is final, or until nobody works on it."""
    run = read_run(session, run_id)
    if run.state is RunState.PLANNED:
        hint = f"`contactctl runs apply {run_id}` starts it"
        return Watched(run, RefusedError(f"run {run_id} has not started", hint=hint))
    still_since = time.monotonic()
    with session.progress(f"Run {run_id}", run.planned) as advance:
        advance(run.dealt_with)
        while run.state not in FINAL_STATES:
            time.sleep(_LOOK_EVERY_S)
            before, run = run, read_run(session, run_id)
            advance(run.dealt_with - before.dealt_with)
            if run.cursor != before.cursor:
                still_since = time.monotonic()
            elif time.monotonic() - still_since > _PATIENCE_S:
                if run.state not in FINAL_STATES and _nobody_is_at_work(session):
                    return Watched(run, _abandoned(run_id))
                still_since = time.monotonic()
    return Watched(run)


def _nobody_is_at_work(session: Session) -> bool:
    """Whether the right to change contacts is free; asked rarely, since to ask is to hold it."""
    try:
        with exclusive(session.store, CONTACT_CHANGES):
            return True
    except BusyError:
        return False


def _abandoned(run_id: int) -> ContactctlError:
    return ContactctlError(
        f"no process works on run {run_id}; it was interrupted",
        hint=f"`contactctl runs resume {run_id}` continues it",
        code="interrupted-run",
    )
