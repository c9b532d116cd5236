"""The commands below `contacts` that repair one contact."""

from typing import Annotated

import typer

from contactctl.cli import options
from contactctl.cli.context import StoreInvocation
from contactctl.cli.options import read_assignments
from contactctl.output.presentation import Presentation

Set = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="FIELD=VALUE", help="Give this field a value. Repeatable."),
]
Unset = Annotated[
    list[str] | None,
    typer.Option("--unset", metavar="FIELD", help="Take this field's value away. Repeatable."),
]
NewEmail = Annotated[str, typer.Argument(metavar="NEW", help="The new email.")]
Into = Annotated[str, typer.Argument(metavar="INTO", help="The contact that stays: email or id.")]
Gone = Annotated[
    str, typer.Argument(metavar="GONE", help="The contact that is merged into it: email or id.")
]


def edit(
    invocation: StoreInvocation,
    contact: options.EmailOrId,
    set: Set = None,
    unset: Unset = None,
    reason: options.Reason = None,
) -> Presentation:
    """Change fields of one contact.

    Examples:
        contactctl contacts edit ann@example.com --set first_name=Ann
        contactctl contacts edit 1284 --set attributes.plan=pro --unset phone

    Values are written as in an import. Tags, groups, status and email have commands
    of their own.
    """
    from contactctl.operations.upkeep import edit_contact
    from contactctl.output.upkeep import EDITED_FIELDS, present_edited

    invocation.check_fields(*EDITED_FIELDS)
    values = read_assignments("--set", set)
    with invocation.open_session() as session:
        edited = edit_contact(session, contact, values, unset or (), reason=reason or "")
        return present_edited(edited)


def readdress(
    invocation: StoreInvocation,
    contact: options.EmailOrId,
    new: NewEmail,
    reason: options.Reason = None,
    confirm: options.ConfirmEmail = None,
) -> Presentation:
    """Give one contact another email, and keep all else.

    Examples:
        contactctl contacts readdress ann@old.example ann@new.example
        contactctl contacts readdress 1284 ann@new.example --confirm ann@new.example

    Number, tags, groups and history stay. Deactivations as invalid-address end;
    others, such as complaints and unsubscribes, do not. Bounces of the old email no
    longer count; late ones are recorded with the contact, which the old email still
    finds. A suppressed email is rejected. You type the new email to confirm it.
    """
    from contactctl.cli.confirmation import confirmed_or_refused
    from contactctl.operations.addresses import find_new_address
    from contactctl.operations.addresses import readdress as give
    from contactctl.output.upkeep import DONE_FIELDS, present_new_address, present_readdressed

    invocation.check_fields(*DONE_FIELDS)
    with invocation.open_session() as session:
        target = find_new_address(session, contact, new)
        if target.changes:
            shown, address = present_new_address(target), target.address
            refused = confirmed_or_refused(invocation, shown, address.email, address.key, confirm)
            if refused:
                return refused
        return present_readdressed(give(session, target, reason=reason or ""))


def merge(
    invocation: StoreInvocation,
    into: Into,
    gone: Gone,
    reason: options.Reason = None,
    confirm: options.ConfirmEmail = None,
) -> Presentation:
    """Merge one contact into another, and delete it.

    Examples:
        contactctl contacts merge ann@example.com ann.b@example.com
        contactctl contacts merge 12 17 --confirm ann.b@example.com

    The first contact stays. What it lacks comes from the second: values, tags,
    groups, responses, and reasons to be inactive, so that no complaint or
    unsubscribe is lost. The second one's email still finds the contact. You type
    that email to confirm it.
    """
    from contactctl.cli.confirmation import confirmed_or_refused
    from contactctl.operations.addresses import find_merging
    from contactctl.operations.addresses import merge as merge_contacts
    from contactctl.output.upkeep import DONE_FIELDS, present_merged, present_merging

    invocation.check_fields(*DONE_FIELDS)
    with invocation.open_session() as session:
        target = find_merging(session, into, gone)
        shown, goes = present_merging(target), target.gone
        refused = confirmed_or_refused(invocation, shown, goes.email, goes.email_key, confirm)
        return refused or present_merged(merge_contacts(session, target, reason=reason or ""))
