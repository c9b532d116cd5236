"""Runs: found, confirmed, started, resumed, watched, and ended."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from urllib.parse import quote

from contactctl.domain.errors import BusyError, ContactctlError, RefusedError
from contactctl.domain.policies import Approval
from contactctl.domain.run_details import RunDetails
from contactctl.domain.run_kinds import RUN_TYPES, PushRun
from contactctl.domain.runs import (
    FINAL_STATES,
    Confirmation,
    Run,
    RunKind,
    RunState,
    Stakes,
    require_confirmed,
    same_user,
)
from contactctl.domain.waits import FOR_LOCKS_S
from contactctl.operations.plans import approval_of, stakes_of_plan
from contactctl.operations.run_work import work_through
from contactctl.operations.session import Session
from contactctl.store.database.locks import CONTACT_CHANGES, exclusive
from contactctl.store.erasure import clean_up, needs_clean_up
from contactctl.store.impact import count_active
from contactctl.store.plans import PlanFigures, figures_of
from contactctl.store.run_steps import begun_with_rights, end_plan, start_run, stop_run
from contactctl.store.runs import get_run, list_runs, undos_of

_MOST_INTERRUPTED = 1000
_LOOK_EVERY_S = 0.25
_PATIENCE_S = 15.0  # on a busy machine a process needs so long to start and take the lock


@dataclass(frozen=True, slots=True)
class FoundRun:
    """A run, and the numbers of the runs that have taken it back."""

    run: Run
    taken_back_by: Sequence[int] = ()


@dataclass(frozen=True, slots=True)
class Watched:
    """The run as it was last seen; `problem` says why it is not watched to its end."""

    run: Run
    problem: ContactctlError | None = None


def read_run(session: Session, run_id: int) -> Run:
    """The run as it is now; NotFoundError when there is none."""
    with session.store.reading() as connection:
        return get_run(connection, run_id)


def find_run(session: Session, run_id: int) -> FoundRun:
    """The same, with what has become of what it did."""
    with session.store.reading() as connection:
        return FoundRun(get_run(connection, run_id), undos_of(connection, run_id))


def latest_runs(
    session: Session,
    *,
    limit: int,
    kinds: Sequence[RunKind],
    states: Sequence[RunState],
    since: datetime | None = None,
) -> list[Run]:
    """The latest runs, newest first."""
    with session.store.reading() as connection:
        return list_runs(connection, limit=limit, kinds=kinds, states=states, since=since)


def interrupted_runs(session: Session, kinds: Sequence[RunKind] = ()) -> list[Run]:
    """Running runs that work through a plan, the oldest first.

    Nobody works on them while nobody else holds the right to change contacts.
    """
    resumable = [kind for kind, each in RUN_TYPES.items() if each.work]
    with session.store.reading() as connection:
        runs = list_runs(
            connection,
            limit=_MOST_INTERRUPTED,
            kinds=kinds or resumable,
            states=[RunState.RUNNING],
        )
    return runs[::-1]


def work_of_run(details: RunDetails) -> str:
    """The kind of work that only one process does at a time: changing contacts, for runs that do
    nothing else; a run that tells a provider waits for one of the same provider alone."""
    if isinstance(details, PushRun):
        return f"push-{quote(details.source, safe='')[:100]}"
    return CONTACT_CHANGES


def run_confirmed(
    session: Session,
    plan: Callable[[], Run | None],
    *,
    work: str | None = None,
    leave_to_background: bool = False,
    wait_seconds: float = FOR_LOCKS_S,
) -> Run | None:
    """Plan and work through under one lock, so that who must wait leaves no trace behind: that of
    the `work`, of changing contacts where it is None.

    `plan` writes a run that is confirmed, and so `running`; None when nothing matches. Killed at
    any moment, either nothing has happened or the run can be resumed.
    """
    require_same_operator_policy(session)
    with exclusive(session.store, work or CONTACT_CHANGES, wait_seconds=wait_seconds):
        run = plan()
        if run is None or leave_to_background:
            return run
        return work_through(session, run)


def apply_run(session: Session, run_id: int, *, wait_seconds: float = FOR_LOCKS_S) -> Run:
    """Start a planned run and work it through. The caller has had it confirmed.

    Raises RefusedError when the plan has expired or is not waiting, BusyError when another run
    changes contacts for longer than `wait_seconds`.
    """
    work = work_of_run(read_run(session, run_id).details)
    with exclusive(session.store, work, wait_seconds=wait_seconds):
        return work_through(session, begin_run(session, run_id))


def begin_run(session: Session, run_id: int) -> Run:
    """Start a planned run, for another process to work through (`resume_run`)."""
    require_applicable(session, run_id)
    return start_run(session.store, run_id, session.clock(), operator=session.operator)


def begin_confirmed(session: Session, run_id: int, said: Confirmation) -> Run:
    """The same where `said` confirms the plan; RefusedError otherwise."""
    require_plan_confirmed(session, run_id, said)
    return begin_run(session, run_id)


def resume_run(
    session: Session,
    run_id: int,
    *,
    said: Confirmation | None = None,
    wait_seconds: float = FOR_LOCKS_S,
) -> Run:
    """Go on with an interrupted run from its cursor; a run that is done stays as it is.

    It was confirmed when it started. One that nobody with the right to has begun must be confirmed
    like a new one (`said`): RefusedError otherwise.
    """
    work = work_of_run(read_run(session, run_id).details)
    with exclusive(session.store, work, wait_seconds=wait_seconds):
        run = read_run(session, run_id)
        if run.state is RunState.PLANNED:
            raise RefusedError(
                f"run {run_id} was never started",
                hint=f"`contactctl runs apply {run_id}` asks for its confirmation",
            )
        if run.state is RunState.RUNNING and not run.run_type.work:
            raise RefusedError(
                f"run {run_id} ({run.kind}) has no plan and cannot be resumed",
                hint=f"do the same {run.kind} again: nothing is recorded twice;"
                f" `contactctl runs cancel {run_id}` ends this one",
            )
        if run.state in FINAL_STATES:
            return run
        require_resumable(session, run, said)
        return work_through(session, run)


def begun_by_right(session: Session, run: Run) -> bool:
    """Whether a run may be finished by whoever comes by: an erasure needs more than that."""
    if not run.run_type.erases:
        return True
    with session.store.reading() as connection:
        return begun_with_rights(connection, run)


def require_resumable(session: Session, run: Run, said: Confirmation | None) -> None:
    """RefusedError unless the interrupted run may be finished.

    One begun by somebody who may not do such a thing must be confirmed like a new one (`said`).
    """
    by_right = begun_by_right(session, run)
    if by_right and said is None:
        return
    stakes = stakes_of_remaining(session, run)
    if said is None:
        override = f" --limit-override {stakes.count}" if stakes.limits_exceeded else ""
        raise RefusedError(
            f"run {run.id} ({run.kind}) was begun by {run.applied_by or 'nobody'}, who may not do"
            " that; it must be confirmed like a new one",
            hint=f"look at `contactctl runs show {run.id}`; `contactctl runs resume {run.id}"
            f" --confirm {stakes.count}{override}` finishes it, `contactctl runs cancel {run.id}`"
            " ends it",
            code="not-begun-by-right",
        )
    if not by_right:
        _require_second_operator(session, run)
    require_confirmed(stakes, said)


def stakes_of_remaining(session: Session, run: Run) -> Stakes:
    """What finishing an interrupted run means; its limits were looked at when it began by right."""
    with session.store.reading() as connection:
        active = count_active(connection)
    stakes = stakes_of_plan(session, PlanFigures(run.kind, run.remaining, active))
    return replace(stakes, limits_exceeded=()) if begun_by_right(session, run) else stakes


def require_same_operator_policy(session: Session) -> None:
    """RefusedError where the config asks for two people: then a plan must be kept and applied."""
    if session.settings.plans.approval is Approval.SECOND_OPERATOR:
        raise RefusedError(
            "a second operator is needed (plans.approval)",
            hint="keep the plan with --plan; somebody else must apply it: `contactctl runs apply`",
            code="second-operator",
        )


def require_plan_confirmed(session: Session, run_id: int, said: Confirmation) -> Run:
    """The planned run; RefusedError unless it may be applied and `said` is its count."""
    run = require_applicable(session, run_id)
    with session.store.reading() as connection:
        figures = figures_of(connection, run, count_active(connection))
    require_confirmed(stakes_of_plan(session, figures, run), said)
    return run


def require_applicable(session: Session, run_id: int, *, dry_run: bool = False) -> Run:
    """The planned run; RefusedError when it may not be applied by this operator, or any more.

    A plan that has expired ends here, but for a `dry_run`.
    """
    run = read_run(session, run_id)
    if run.state is not RunState.PLANNED:
        raise RefusedError(
            f"run {run_id} is {run.state}, not planned",
            hint=f"`contactctl runs show {run_id}`",
        )
    if run.expires_at is not None and run.expires_at <= session.clock():
        if not dry_run:
            end_plan(
                session.store, run_id, RunState.EXPIRED, session.clock(), "not applied in time"
            )
        raise RefusedError(
            f"the plan of run {run_id} has expired", hint="make a new plan from today's contacts"
        )
    _require_second_operator(session, run)
    return run


def _require_second_operator(session: Session, run: Run) -> None:
    second = approval_of(session, run) is Approval.SECOND_OPERATOR
    if second and _planned_by(session, run):
        raise RefusedError(
            f"run {run.id} needs a second operator; {run.operator} planned it",
            hint=f"somebody else must apply it with `contactctl runs apply {run.id}`",
        )


def _planned_by(session: Session, run: Run) -> bool:
    """Whether whoever is at work has planned the run: on Postgres the server knows, by the login;
    a user's and a host's name are only what the client says."""
    role = session.store.database_role()
    if role and run.planned_role:
        return role == run.planned_role
    return same_user(run.operator, session.operator)


def cancel_run(session: Session, run_id: int) -> Run:
    """End a run now. What a running one has done stays done; a process at work on it stops."""
    run = read_run(session, run_id)
    if run.state in FINAL_STATES:
        raise RefusedError(
            f"run {run_id} is already {run.state}", hint=f"`contactctl runs show {run_id}`"
        )
    message = f"cancelled by {session.operator}"
    if run.state is RunState.PLANNED:
        return end_plan(session.store, run_id, RunState.CANCELLED, session.clock(), message)
    stopped = stop_run(session.store, run_id, session.clock(), message)
    if run.run_type.erases and needs_clean_up(session.store):
        _clean_up_what_was_erased(session)
    return stopped


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
                if run.state not in FINAL_STATES and _nobody_is_at_work(session, run):
                    return Watched(run, _abandoned(run_id))
                still_since = time.monotonic()
    return Watched(run)


def _clean_up_what_was_erased(session: Session) -> None:
    """Under the lock: another erasure must not leave old pages between VACUUM and the mark."""
    try:
        with exclusive(session.store, CONTACT_CHANGES, wait_seconds=FOR_LOCKS_S):
            clean_up(session.store)
    except BusyError as error:
        raise BusyError(
            f"the run is cancelled, but old pages still have what it has erased: {error.message}",
            hint="`contactctl sweep runs --yes` cleans up after the other process has ended",
        ) from error


def _nobody_is_at_work(session: Session, run: Run) -> bool:
    """Whether the right to do such work is free; asked rarely, since to ask is to hold it."""
    try:
        with exclusive(session.store, work_of_run(run.details)):
            return True
    except BusyError:
        return False


def _abandoned(run_id: int) -> ContactctlError:
    return ContactctlError(
        f"no process works on run {run_id}; it was interrupted",
        hint=f"`contactctl runs resume {run_id}` continues it",
        code="interrupted-run",
    )
