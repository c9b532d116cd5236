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
_PATIENCE_S = 5.0  # a process that was just started needs so long to take the lock


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
    idle_since: float | None = None
    with session.progress(f"Run {run_id}", run.planned) as advance:
        advance(_done(run))
        while run.state not in FINAL_STATES:
            idle_since = _idle_since(session, idle_since)
            if idle_since is not None and time.monotonic() - idle_since > _PATIENCE_S:
                return Watched(run, _abandoned(run_id))
            time.sleep(_LOOK_EVERY_S)
            before, run = run, read_run(session, run_id)
            advance(_done(run) - _done(before))
    return Watched(run)


def _idle_since(session: Session, since: float | None) -> float | None:
    """When the right to change contacts was first seen free; None while somebody holds it."""
    try:
        with exclusive(session.store, CONTACT_CHANGES):
            return time.monotonic() if since is None else since
    except BusyError:
        return None


def _abandoned(run_id: int) -> ContactctlError:
    return ContactctlError(
        f"nobody works on run {run_id}; it was interrupted",
        hint=f"`contactctl runs resume {run_id}` goes on",
        code="interrupted-run",
    )


def _done(run: Run) -> int:
    return run.changed + run.skipped_total
