"""One way for every command that changes the contacts that criteria select: plan, show, confirm."""

from collections.abc import Callable
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from contactctl.cli import options
from contactctl.cli.carry_out import (
    MakePlan,
    Manner,
    keep_plan,
    plan_and_carry_out,
    require_may_ask,
)
from contactctl.cli.confirming import read_confirmation
from contactctl.cli.context import SelectingInvocation, StoreInvocation
from contactctl.domain.errors import RefusedError, UsageError
from contactctl.operations import waits
from contactctl.output.presentation import Presentation

if TYPE_CHECKING:
    from contactctl.operations.affected import Affected
    from contactctl.operations.session import Session


class ChangingInvocation(SelectingInvocation):
    """A command that changes the contacts that criteria select."""

    LEADING_OPTIONS = MappingProxyType(
        {
            **SelectingInvocation.LEADING_OPTIONS,
            "reason": (options.Reason, None),
            "dry_run": (options.DryRun, False),
            "plan": (options.KeepPlan, False),
            "confirm": (options.ConfirmCount, None),
            "limit_override": (options.LimitOverride, None),
            "wait": (options.Wait, waits.FOR_CHANGES_S),
        }
    )

    @property
    def reason(self) -> str:
        return self.shared["reason"] or ""

    @property
    def dry_run(self) -> bool:
        """Whether to show everything and write nothing."""
        return bool(self.shared["dry_run"])

    @property
    def keeps_plan(self) -> bool:
        """Whether to leave the plan for `runs apply`."""
        return bool(self.shared["plan"])

    def manner(self, *, background: bool = False) -> Manner:
        """How to carry the change out; UsageError for options that cannot be combined."""
        said = read_confirmation(self.shared["confirm"], self.shared["limit_override"])
        return checked(Manner(said, background, self.shared["wait"], self.dry_run, self.keeps_plan))


def checked(manner: Manner) -> Manner:
    """The manner; UsageError for options that cannot be combined."""
    if sum((manner.dry_run, manner.keeps_plan, manner.said is not None)) > 1:
        raise UsageError("--dry-run, --plan and --confirm cannot be combined")
    if manner.background and (manner.dry_run or manner.keeps_plan):
        raise UsageError("--background cannot be combined with --dry-run or --plan")
    return manner


@dataclass(frozen=True, slots=True)
class Change:
    """A change of contacts: `preview` shows it before, `nothing` when no contact matches."""

    make_plan: MakePlan
    preview: Callable[[], Presentation]
    nothing: Callable[[], Presentation]


def change_of_affected(make_plan: MakePlan, look: Callable[[], "Affected"]) -> Change:
    """A change of contacts of any status, which `look` counts and shows."""
    from contactctl.output.affected import present_affected

    def preview() -> Presentation:
        return present_affected(look())

    return Change(make_plan, preview=preview, nothing=preview)


def change_selection(
    invocation: StoreInvocation, session: "Session", manner: Manner, change: Change
) -> Presentation:
    """Preview the change, keep its plan, or apply it, as the manner says."""
    if manner.dry_run:
        return change.preview()
    if manner.keeps_plan:
        return keep_plan(session, change.make_plan) or change.nothing()
    return make_change(invocation, session, manner, change)


def make_change(
    invocation: StoreInvocation, session: "Session", manner: Manner, change: Change
) -> Presentation:
    """Plan, ask for confirmation, apply; a refused script gets the preview with the refusal."""
    try:
        if manner.said is None:
            require_may_ask(invocation, session)
        made = plan_and_carry_out(invocation, session, manner, change.make_plan)
    except RefusedError as refused:
        if invocation.console.can_prompt:
            raise  # everything was shown before the question
        preview = change.preview()
        if manner.said is None and not preview.data["count"]:
            return change.nothing()
        return preview.failed(refused)
    return change.nothing() if made is None else made
