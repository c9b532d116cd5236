"""Apply a plan once it is confirmed, here or in the background."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from contactctl.cli.background import finish_in_background
from contactctl.cli.confirming import (
    ask_for_plan,
    dropped_unless_started,
    require_someone_to_ask,
)
from contactctl.cli.context import StoreInvocation
from contactctl.domain.confirmation import Confirmation
from contactctl.domain.errors import ContactctlError
from contactctl.operations import waits
from contactctl.output.presentation import Presentation

if TYPE_CHECKING:
    from contactctl.domain.runs import Run
    from contactctl.operations.session import Session

# with a script's confirmation the run is running at once, without it is planned; None: no match
MakePlan = Callable[[Confirmation | None], "Run | None"]


@dataclass(frozen=True, slots=True)
class Manner:
    """How to apply: confirmed by a script (`said`) or by asking; `wait` seconds for the lock.

    Or not yet: `dry_run` shows everything and writes nothing, `keeps_plan` keeps the plan for
    `runs apply`.
    """

    said: Confirmation | None = None
    background: bool = False
    wait: float = waits.FOR_CHANGES_S
    dry_run: bool = False
    keeps_plan: bool = False


def require_may_ask(invocation: StoreInvocation, session: "Session") -> None:
    """RefusedError where the config asks for a second operator, or nobody can be asked."""
    from contactctl.operations.runs import require_same_operator_policy

    require_same_operator_policy(session)
    require_someone_to_ask(invocation.console)


def plan_and_carry_out(
    invocation: StoreInvocation, session: "Session", manner: Manner, make_plan: MakePlan
) -> Presentation | None:
    """Plan, ask for confirmation, apply; None when nothing matches.

    Raises RefusedError when it is not confirmed: the plan is deleted, nothing was changed.
    """
    if manner.said is not None:
        return _carry_out_confirmed(invocation, session, manner, make_plan)
    run = make_plan(None)
    if run is None:
        return None
    with dropped_unless_started(session, run.id):
        ask_for_plan(invocation, session, run.id)
        return carry_out(invocation, session, run.id, manner)


def keep_plan(session: "Session", make_plan: MakePlan) -> Presentation | None:
    """Plan, and keep the plan for `runs apply`; None when nothing matches."""
    from contactctl.operations.plans import show_plan
    from contactctl.output.runs import present_kept_plan

    run = make_plan(None)
    if run is None:
        return None
    try:
        return present_kept_plan(show_plan(session, run.id))
    except ContactctlError as error:
        how = (
            f"`contactctl runs show {run.id}` shows it, `contactctl runs cancel {run.id}` drops it"
        )
        raise type(error)(
            f"the plan is kept as run {run.id}, but cannot be shown: {error.message}",
            hint="; ".join(filter(None, (error.hint, how))),
            code=error.code,
        ) from error


def carry_out(
    invocation: StoreInvocation, session: "Session", run_id: int, manner: Manner
) -> Presentation:
    """Apply the confirmed plan and show what it did; in the background, start it and say so."""
    from contactctl.operations.runs import apply_run, begin_run
    from contactctl.output.runs import present_run

    if not manner.background:
        return present_run(apply_run(session, run_id, wait_seconds=manner.wait))
    run = begin_run(session, run_id)
    finish_in_background(invocation, run)
    return present_run(run)


def _carry_out_confirmed(
    invocation: StoreInvocation, session: "Session", manner: Manner, make_plan: MakePlan
) -> Presentation | None:
    from contactctl.operations.runs import run_confirmed
    from contactctl.output.runs import present_run

    run = run_confirmed(
        session,
        lambda: make_plan(manner.said),
        leave_to_background=manner.background,
        wait_seconds=manner.wait,
    )
    if run is None:
        return None
    if manner.background:
        finish_in_background(invocation, run)
    return present_run(run)
