"""The commands `preview` and `deactivate`."""

from typing import TYPE_CHECKING, Annotated

from contactctl import operations, output
from contactctl.cli import options
from contactctl.cli.confirmation import Change, change_selection, confirmed_or_refused
from contactctl.cli.context import (
    BackgroundInvocation,
    OneOrManyInvocation,
    SelectingInvocation,
)
from contactctl.output.view import Presentation

if TYPE_CHECKING:
    from contactctl.operations.criteria import Selection
    from contactctl.operations.session import Session


def preview(
    invocation: SelectingInvocation,
    limit: Annotated[int, options.limit("Show the first N contacts.")] = 30,
    sort: options.Sort = "id",
) -> Presentation:
    """Examples:
        contactctl preview
        contactctl preview --where 'last_opportunity older-than 24 months'
        contactctl preview --where 'group = newsletter' --where-not 'tag = vip'
        contactctl preview --prebuilt unengaged
        contactctl preview --criteria stale.yaml --json
        contactctl preview --sort -last_opportunity --limit 100

    It shows the fields that the criteria name; --fields accepts any other that
    `contactctl fields` lists. Without criteria it uses the prebuilt ones named
    no-opportunity, last_opportunity older-than 24 months; --prebuilt chooses others.
    Nothing is changed; `contactctl deactivate` accepts the same flags.
    """
    invocation.check_fields(*invocation.catalogue.names())
    source = invocation.criteria_source()
    with invocation.open_session() as session:
        selection = operations.criteria.select_contacts(session, source)
        return output.criteria.present_preview(
            operations.criteria.preview(session, selection, limit=limit, sort=sort)
        )


# The command `deactivate`


class DeactivatingInvocation(OneOrManyInvocation, BackgroundInvocation):
    """Deactivating, which can work in the background."""


def deactivate(
    invocation: DeactivatingInvocation, contact: options.OneContact = None
) -> Presentation:
    """Examples:
        contactctl deactivate
        contactctl deactivate ann@example.com --reason 'asked by phone'
        contactctl deactivate --where 'last_opportunity older-than 3 years' --dry-run
        contactctl deactivate --criteria stale.yaml --reason 'spring cleaning'
        contactctl deactivate --prebuilt unengaged --dry-run
        contactctl deactivate --criteria stale.yaml --confirm 1284 --json
        contactctl deactivate --criteria stale.yaml --plan

    Deactivated contacts get no more campaigns and no longer count for billing;
    they come back one at a time. Exactly the contacts shown are deactivated, after
    you type their number (scripts: --confirm). A run over the config's limits
    needs the whole phrase (scripts: --limit-override).
    """
    if contact is not None:
        return _deactivate_one(invocation, contact)
    manner = invocation.manner()
    source = invocation.criteria_source()
    with invocation.open_session() as session:
        selection = operations.criteria.select_contacts(session, source)
        change = deactivation(session, selection, reason=invocation.reason)
        return change_selection(invocation, session, manner, change)


def _deactivate_one(invocation: OneOrManyInvocation, name: str) -> Presentation:
    invocation.require_alone()
    invocation.check_fields(*output.upkeep.DONE_FIELDS)
    with invocation.open_session() as session:
        contact = operations.upkeep.read_one(session, name)
        if not operations.upkeep.is_deactivated_by_hand(contact):
            shown = output.upkeep.present_before_deactivating(contact)
            said = invocation.confirm
            if refused := confirmed_or_refused(invocation, shown, contact.email, said):
                return refused
        return output.upkeep.present_deactivated(
            operations.upkeep.deactivate_one(session, contact, reason=invocation.reason)
        )


def deactivation(session: "Session", selection: "Selection", *, reason: str) -> Change:
    """Deactivating exactly the selected contacts."""
    return Change(
        make_plan=lambda said: operations.plans.plan_deactivation(
            session, selection, reason=reason, said=said
        ),
        preview=lambda: output.criteria.present_dry_run(
            operations.criteria.preview(session, selection, with_members_lost=True)
        ),
        otherwise=lambda: output.runs.present_nothing_to_do(
            operations.criteria.preview(session, selection)
        ),
    )
