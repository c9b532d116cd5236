"""The commands below `suppressions`."""

from typing import Annotated

import typer

from contactctl.cli import options
from contactctl.cli.context import StoreInvocation
from contactctl.output.presentation import Presentation

Address = Annotated[str, typer.Argument(metavar="EMAIL", help="One address.")]
Confirm = Annotated[
    str | None,
    typer.Option("--confirm", metavar="EMAIL", help="The address again, instead of typing it."),
]
Limit = Annotated[int, options.limit("Show at most N, newest first.")]


def list_(invocation: StoreInvocation, limit: Limit = 100) -> Presentation:
    """List the suppressed addresses, as hashes.

    Examples:
        contactctl suppressions list
        contactctl suppressions list --limit 100000 --format csv

    A hash does not reveal its address; `suppressions check` tests one address.
    """
    from contactctl.operations.suppressions import read_suppressions
    from contactctl.output.suppressions import SUPPRESSION_FIELDS, present_suppressions

    invocation.check_fields(*SUPPRESSION_FIELDS)
    with invocation.open_session() as session:
        return present_suppressions(read_suppressions(session, limit))


def check(invocation: StoreInvocation, email: Address) -> Presentation:
    """Show whether an address is suppressed.

    Examples:
        contactctl suppressions check ann@example.com
    """
    from contactctl.operations.suppressions import is_suppressed
    from contactctl.output.suppressions import present_suppressed

    with invocation.open_session() as session:
        return present_suppressed(is_suppressed(session, email))


def add(
    invocation: StoreInvocation,
    email: Address,
    reason: options.Reason = None,
    confirm: Confirm = None,
) -> Presentation:
    """Suppress an address that no contact has.

    Examples:
        contactctl suppressions add ann@example.com
        contactctl suppressions add ann@example.com --confirm ann@example.com

    Imports, `contacts add` and ingests reject it from now on. To suppress a
    contact's address, delete the contact: `contactctl contacts delete EMAIL`.
    """
    from contactctl.operations.suppressions import add_suppression
    from contactctl.output.suppressions import present_suppression_change

    with invocation.open_session() as session:
        _confirm(invocation, email, confirm)
        return present_suppression_change(add_suppression(session, email, reason=reason or ""))


def remove(
    invocation: StoreInvocation,
    email: Address,
    reason: options.Reason = None,
    confirm: Confirm = None,
) -> Presentation:
    """Allow an address to be imported again.

    Examples:
        contactctl suppressions remove ann@example.com
        contactctl suppressions remove ann@example.com --confirm ann@example.com

    Do this only if the person has asked for it.
    """
    from contactctl.operations.suppressions import remove_suppression
    from contactctl.output.suppressions import present_suppression_change

    with invocation.open_session() as session:
        _confirm(invocation, email, confirm)
        return present_suppression_change(remove_suppression(session, email, reason=reason or ""))


def rotate_key(invocation: StoreInvocation) -> Presentation:
    """Create a new key for future hashes.

    Examples:
        contactctl suppressions rotate-key

    Stored hashes cannot be renewed without the addresses, so each old key stays in
    the key file as long as a hash made with it is stored.
    """
    from contactctl.operations.suppressions import rotate_key as make_new_key
    from contactctl.output.suppressions import present_rotated

    with invocation.open_session() as session:
        return present_rotated(make_new_key(session))


def _confirm(invocation: StoreInvocation, email: str, confirm: str | None) -> None:
    from contactctl.cli.prompts import confirm_email
    from contactctl.operations.suppressions import key_of

    confirm_email(invocation.console, email, key_of(email), confirm)
