"""Applying a plan that has just been confirmed, here or in the background."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from contactctl.cli.background import finish_in_background
from contactctl.cli.context import StoreInvocation
from contactctl.domain.errors import InterruptedByUserError
from contactctl.output.presentation import Presentation

if TYPE_CHECKING:
    from contactctl.operations.session import Session


@contextmanager
def resumable(run_id: int) -> Iterator[None]:
    """Say, when interrupted, that nothing is lost and how to go on."""
    try:
        yield
    except (KeyboardInterrupt, InterruptedByUserError) as interruption:
        raise InterruptedByUserError(
            f"run {run_id} was interrupted; what it has done so far is kept",
            hint=f"`contactctl runs resume {run_id}` goes on, `contactctl runs cancel {run_id}`"
            " leaves it at that",
        ) from interruption


def carry_out(
    invocation: StoreInvocation,
    session: "Session",
    run_id: int,
    *,
    background: bool,
    wait: float,
) -> Presentation:
    """Apply the planned run and show what it did; with `background`, start it and say so."""
    from contactctl.operations.apply import apply_run, begin_run
    from contactctl.output.runs import present_run

    if not background:
        with resumable(run_id):
            return present_run(apply_run(session, run_id, wait_seconds=wait))
    run = begin_run(session, run_id)
    finish_in_background(invocation, run)
    return present_run(run)
