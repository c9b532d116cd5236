"""The command `reactivate`."""

from typing import TYPE_CHECKING, Annotated

import typer

from contactctl.cli import options
from contactctl.cli.context import StoreInvocation
from contactctl.domain.errors import RefusedError, UsageError
from contactctl.output.presentation import Presentation

if TYPE_CHECKING:
    from contactctl.operations.reactivate import Target

Contacts = Annotated[
    list[str] | None,
    typer.Argument(metavar="EMAIL|ID", help="The contact: exactly one."),
]
Clear = Annotated[
    bool,
    typer.Option("--clear", help="With --group: clear the override there."),
]
Acknowledge = Annotated[
    list[str] | None,
    typer.Option(
        "--acknowledge",
        metavar="CATEGORY",
        help="Accept the warning about spam-complaint or invalid-address. Repeatable.",
    ),
]
# named only to say why they do not exist
NoFilter = Annotated[
    list[str] | None,
    typer.Option(
        "--where", "--where-any", "--where-not", "--criteria", hidden=True, help="Refused."
    ),
]


def reactivate(
    invocation: StoreInvocation,
    contact: Contacts = None,
    group: options.Group = None,
    clear: Clear = False,
    reason: options.Reason = None,
    acknowledge: Acknowledge = None,
    confirm: options.ConfirmEmail = None,
    no_filter: NoFilter = None,
) -> Presentation:
    """Reactivate one contact, after showing why it is inactive.

    Examples:
        contactctl reactivate ann@example.com
        contactctl reactivate 1284 --reason 'asked by phone'
        contactctl reactivate ann@example.com --group newsletter
        contactctl reactivate ann@example.com --group newsletter --clear
        contactctl reactivate ann@example.com --confirm ann@example.com --json

    Ends all system-wide deactivations of the contact, after you type its email.
    With --group it may be mailed in that group only, and stays inactive
    everywhere else. Complaints and invalid addresses need --acknowledge too.
    Contacts come back one at a time: there is no bulk reactivation.
    """
    from contactctl.cli.choices import chosen
    from contactctl.domain.responses import Category
    from contactctl.operations.reactivate import find_target, reactivate, require_acknowledged
    from contactctl.output.reactivation import present_reactivated, present_target

    name = _the_only_one(contact, no_filter)
    acknowledged = [chosen(Category, each, "--acknowledge") for each in acknowledge or ()]
    with invocation.open_session() as session:
        target = find_target(session, name, group=group, clears=clear)
        if target.changes:
            try:
                require_acknowledged(target, acknowledged)
                _confirm(invocation, target, confirm)
            except RefusedError as refused:
                return present_target(target).failed(refused)
        return present_reactivated(reactivate(session, target, reason=reason or ""))


def _the_only_one(contacts: list[str] | None, filters: list[str] | None) -> str:
    if contacts and len(contacts) == 1 and not filters:
        return contacts[0]
    raise UsageError(
        "reactivate takes exactly one contact; there is no bulk reactivation",
        hint="mailing everybody again is what costs a sender's reputation;"
        " `contactctl runs undo RUN` takes a mistaken run back",
    )


def _confirm(invocation: StoreInvocation, target: "Target", confirm: str | None) -> None:
    from contactctl.cli.prompts import confirm_email
    from contactctl.output.reactivation import present_target

    if confirm is None:
        invocation.show_before_prompt(present_target(target))
    confirm_email(invocation.console, target.contact.email, target.contact.email_key, confirm)
