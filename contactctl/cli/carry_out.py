"""Applying a plan that has just been confirmed, here or in the background."""

from typing import TYPE_CHECKING

from contactctl.cli.background import finish_in_background
from contactctl.cli.context import StoreInvocation
from contactctl.output.presentation import Presentation

if TYPE_CHECKING:
    from contactctl.operations.session import Session


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
        return present_run(apply_run(session, run_id, wait_seconds=wait))
    run = begin_run(session, run_id)
    finish_in_background(invocation, run)
    return present_run(run)
