"""A running run worked through, batch by batch."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import TypeVar

from contactctl.domain.errors import BusyError, InterruptedByUserError, StoreError, cut_short
from contactctl.domain.runs import Run
from contactctl.operations.session import Session
from contactctl.store.plans import BatchWork, named, work_of
from contactctl.store.run_steps import (
    apply_batch,
    begin_batch,
    finish_run,
    note_resumed,
    require_rights,
)

T = TypeVar("T")

BATCH_CONTACTS = 20_000
_ATTEMPTS_PER_BATCH = 5


def work_through(session: Session, run: Run) -> Run:
    """Apply the rest of a running run, batch by batch; the caller holds the lock."""
    with session.store.reading() as connection:
        require_rights(connection, run.kind)
    work = work_for(session, run)
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


def work_for(session: Session, run: Run) -> BatchWork:
    """What runs of this kind do, with what they need of the session."""
    work = work_of(run.kind)
    if not run.run_type.preparation:
        return work
    prepared: BatchWork = named(run.run_type.preparation)(session, run, work)
    return prepared


def _apply_next_batch(session: Session, run: Run, work: BatchWork) -> Run | None:
    """One batch; None when none is left. Nobody waits while somebody outside is told of it."""
    size = min(BATCH_CONTACTS, work.most_at_once or BATCH_CONTACTS)
    step = (size, session.clock())
    if work.begin is None or work.send is None or work.outcome is None:
        return _insistently(lambda: apply_batch(session.store, run, *step, work))
    begun = _insistently(lambda: begin_batch(session.store, run, *step, work))
    if begun is None:
        return None
    told = replace(work, outcome=partial(work.outcome, answer=work.send(begun.message)))
    return _insistently(
        lambda: apply_batch(session.store, begun.run, *step, told, begun=begun.batch)
    )


def _insistently(step: Callable[[], T]) -> T:
    """The step, begun again when another writer has changed one of its contacts meanwhile."""
    for _ in range(_ATTEMPTS_PER_BATCH - 1):
        try:
            return step()
        except BusyError as error:
            if error.code != "conflict":
                raise
    return step()


@contextmanager
def _resumable(run_id: int) -> Iterator[None]:
    """Say, when interrupted or left by the store, that nothing is lost and how to go on."""
    how = (
        f"`contactctl runs resume {run_id}` continues it, `contactctl runs cancel {run_id}` ends it"
    )
    try:
        yield
    except (KeyboardInterrupt, InterruptedByUserError) as interruption:
        raise InterruptedByUserError(
            f"run {run_id} was interrupted; what it has done so far is kept", hint=how
        ) from interruption
    except (StoreError, BusyError) as error:
        raise cut_short(f"run {run_id}", error, how) from error
