"""One way for every command that changes the contacts that criteria select: plan, show, confirm."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from contactctl.cli.confirming import (
    ask_for_plan,
    dropped_unless_started,
    require_someone_to_ask,
)
from contactctl.cli.context import StoreInvocation
from contactctl.domain.confirmation import Confirmation
from contactctl.domain.errors import RefusedError, UsageError
from contactctl.output.presentation import Presentation

if TYPE_CHECKING:
    from contactctl.domain.runs import Run
    from contactctl.operations.affected import Affected
    from contactctl.operations.session import Session

# with what was said: a run that is confirmed; without: one that waits. None: nothing matches
Plan = Callable[[Confirmation | None], "Run | None"]


@dataclass(frozen=True, slots=True)
class Manner:
    """How the change is to be carried out."""

    said: Confirmation | None
    dry_run: bool
    keep_plan: bool
    wait: float

    def __post_init__(self) -> None:
        if sum((self.dry_run, self.keep_plan, self.said is not None)) > 1:
            raise UsageError("--dry-run, --plan and --confirm exclude each other")

    @property
    def is_about_many(self) -> bool:
        """Whether it asks for what one contact does not need."""
        return self.dry_run or self.keep_plan or self.said is not None


def change_selection(
    invocation: StoreInvocation,
    session: "Session",
    manner: Manner,
    preview: Callable[[], "Affected"],
    plan: Plan,
) -> Presentation:
    """Preview, keep the plan, carry it out as confirmed, or ask for it, as `manner` says."""
    from contactctl.output.affected import present_affected

    if manner.dry_run:
        return present_affected(preview())
    if manner.keep_plan:
        return _keep(session, plan, preview)
    if manner.said is not None:
        return _confirmed(session, manner, plan, preview)
    return _asking(invocation, session, manner, plan, preview)


def _keep(session: "Session", plan: Plan, preview: Callable[[], "Affected"]) -> Presentation:
    from contactctl.operations.plan import show_plan
    from contactctl.output.affected import present_affected
    from contactctl.output.runs import present_kept_plan

    run = plan(None)
    return (
        present_affected(preview())
        if run is None
        else present_kept_plan(show_plan(session, run.id))
    )


def _confirmed(
    session: "Session", manner: Manner, plan: Plan, preview: Callable[[], "Affected"]
) -> Presentation:
    from contactctl.operations.deactivate import run_confirmed
    from contactctl.output.affected import present_affected
    from contactctl.output.runs import present_run

    run = run_confirmed(session, lambda: plan(manner.said), wait_seconds=manner.wait)
    return present_affected(preview()) if run is None else present_run(run)


def _asking(
    invocation: StoreInvocation,
    session: "Session",
    manner: Manner,
    plan: Plan,
    preview: Callable[[], "Affected"],
) -> Presentation:
    from contactctl.cli.carry_out import carry_out
    from contactctl.operations.deactivate import require_same_operator_policy
    from contactctl.operations.plan import show_plan
    from contactctl.output.affected import present_affected
    from contactctl.output.runs import present_plan

    try:
        require_same_operator_policy(session)
        require_someone_to_ask(invocation.console)
    except RefusedError as refused:
        return present_affected(preview()).failed(refused)
    run = plan(None)
    if run is None:
        return present_affected(preview())
    with dropped_unless_started(session, run.id):
        shown = show_plan(session, run.id)
        invocation.show_before_prompt(present_plan(shown))
        ask_for_plan(invocation.console, shown.stakes)
        return carry_out(invocation, session, run.id, background=False, wait=manner.wait)
