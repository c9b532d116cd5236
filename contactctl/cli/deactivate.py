"""The command `deactivate`."""

from typing import TYPE_CHECKING

from contactctl.cli import options
from contactctl.cli.changes import Change, ChangingInvocation, change_selection
from contactctl.output.presentation import Presentation

if TYPE_CHECKING:
    from contactctl.operations.select import Selection
    from contactctl.operations.session import Session


def deactivate(
    invocation: ChangingInvocation, background: options.Background = False
) -> Presentation:
    """Deactivate the active contacts that match, after a preview and a confirmation.

    Examples:
        contactctl deactivate
        contactctl deactivate --where 'last_opportunity older-than 3 years' --dry-run
        contactctl deactivate --criteria stale.yaml --reason 'spring cleaning'
        contactctl deactivate --criteria stale.yaml --confirm 1284 --json
        contactctl deactivate --criteria stale.yaml --plan

    Deactivated contacts get no more campaigns and no longer count for billing;
    they come back one at a time. Exactly the contacts shown are deactivated, after
    you type their number (scripts: --confirm). A run over the config's limits
    needs the whole phrase (scripts: --limit-override).
    """
    from contactctl.operations.select import select_contacts

    manner = invocation.manner(background=background)
    source = invocation.criteria_source()
    with invocation.open_session() as session:
        selection = select_contacts(session, source)
        change = deactivation(session, selection, reason=invocation.reason)
        return change_selection(invocation, session, manner, change)


def deactivation(session: "Session", selection: "Selection", *, reason: str) -> Change:
    """Deactivating exactly the selected contacts."""
    from contactctl.operations.plans import plan_deactivation
    from contactctl.operations.preview import preview
    from contactctl.output.preview import present_dry_run
    from contactctl.output.runs import present_nothing_to_do

    return Change(
        make_plan=lambda said: plan_deactivation(session, selection, reason=reason, said=said),
        preview=lambda: present_dry_run(preview(session, selection, with_impact=True)),
        nothing=lambda: present_nothing_to_do(preview(session, selection)),
    )
