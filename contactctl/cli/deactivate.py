"""The command `deactivate`."""

from typing import TYPE_CHECKING

from contactctl.cli import options
from contactctl.cli.confirming import (
    ask_for_plan,
    dropped_unless_started,
    read_confirmation,
    require_someone_to_ask,
)
from contactctl.cli.context import SelectingInvocation, StoreInvocation
from contactctl.domain.errors import RefusedError, UsageError
from contactctl.output.presentation import Presentation

if TYPE_CHECKING:
    from contactctl.domain.confirmation import Confirmation
    from contactctl.operations.select import Selection
    from contactctl.operations.session import Session


def deactivate(
    invocation: SelectingInvocation,
    reason: options.Reason = None,
    dry_run: options.DryRun = False,
    plan: options.KeepPlan = False,
    confirm: options.ConfirmCount = None,
    limit_override: options.LimitOverride = None,
    background: options.Background = False,
    wait: options.Wait = options.DEFAULT_WAIT,
) -> Presentation:
    """Deactivate the active contacts that match, after showing and confirming them.

    Examples:
        contactctl deactivate
        contactctl deactivate --where 'last_opportunity older-than 3 years' --dry-run
        contactctl deactivate --criteria stale.yaml --reason 'spring cleaning'
        contactctl deactivate --criteria stale.yaml --confirm 1284 --json
        contactctl deactivate --criteria stale.yaml --plan

    Deactivated contacts get no more campaigns and leave the billing count; they
    come back one at a time. Exactly the contacts shown are deactivated, once
    their number has been typed (scripts: --confirm). Larger runs than the
    config's limits allow need the whole phrase (scripts: --limit-override).
    """
    from contactctl.operations.preview import preview
    from contactctl.operations.select import select_contacts
    from contactctl.output.preview import present_dry_run

    said = read_confirmation(confirm, limit_override)
    _require_one_way(dry_run=dry_run, plan=plan, said=said, background=background)
    source = invocation.criteria_source()
    with invocation.open_session() as session:
        selection = select_contacts(session, source)
        if dry_run:
            return present_dry_run(preview(session, selection, with_impact=True))
        if plan:
            return _keep_plan(session, selection, reason or "")
        if said is not None:
            return _deactivate_confirmed(
                invocation, session, selection, reason or "", said, background, wait
            )
        return deactivate_asking(invocation, session, selection, reason or "", background, wait)


def _require_one_way(
    *, dry_run: bool, plan: bool, said: "Confirmation | None", background: bool
) -> None:
    if sum((dry_run, plan, said is not None)) > 1:
        raise UsageError("--dry-run, --plan and --confirm exclude each other")
    if background and (dry_run or plan):
        raise UsageError("--background has nothing to do with --dry-run or --plan")


def _keep_plan(session: "Session", selection: "Selection", reason: str) -> Presentation:
    from contactctl.operations.plan import plan_deactivation, show_plan
    from contactctl.output.runs import present_kept_plan

    run = plan_deactivation(session, selection, reason=reason)
    if run is None:
        return _nothing_to_do(session, selection)
    return present_kept_plan(show_plan(session, run.id))


def _deactivate_confirmed(
    invocation: StoreInvocation,
    session: "Session",
    selection: "Selection",
    reason: str,
    said: "Confirmation",
    background: bool,
    wait: float,
) -> Presentation:
    from contactctl.cli.background import finish_in_background
    from contactctl.operations.deactivate import run_confirmed
    from contactctl.operations.plan import plan_deactivation
    from contactctl.output.runs import present_run

    run = run_confirmed(
        session,
        lambda: plan_deactivation(session, selection, reason=reason, said=said),
        leave_to_background=background,
        wait_seconds=wait,
    )
    if run is None:
        return _nothing_to_do(session, selection)
    if background:
        finish_in_background(invocation, run)
    return present_run(run)


def deactivate_asking(
    invocation: StoreInvocation,
    session: "Session",
    selection: "Selection",
    reason: str,
    background: bool = False,
    wait: float = options.DEFAULT_WAIT,
) -> Presentation:
    """Plan, show, have the count typed, apply; the plan is gone when it is not confirmed."""
    from contactctl.cli.carry_out import carry_out
    from contactctl.operations.deactivate import require_same_operator_policy
    from contactctl.operations.plan import plan_deactivation, show_plan
    from contactctl.operations.preview import preview
    from contactctl.output.preview import present_dry_run
    from contactctl.output.runs import present_plan

    try:
        require_same_operator_policy(session)
        require_someone_to_ask(invocation.console)
    except RefusedError as refused:
        return present_dry_run(preview(session, selection, with_impact=True)).failed(refused)
    run = plan_deactivation(session, selection, reason=reason)
    if run is None:
        return _nothing_to_do(session, selection)
    with dropped_unless_started(session, run.id):
        shown = show_plan(session, run.id)
        invocation.show_before_prompt(present_plan(shown))
        ask_for_plan(invocation.console, shown.stakes)
        return carry_out(invocation, session, run.id, background=background, wait=wait)


def _nothing_to_do(session: "Session", selection: "Selection") -> Presentation:
    from contactctl.operations.preview import preview
    from contactctl.output.runs import present_nothing_to_do

    return present_nothing_to_do(preview(session, selection))
