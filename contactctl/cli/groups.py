"""The commands below `groups`."""

from typing import Annotated

import typer

from contactctl.cli import options
from contactctl.cli.context import StoreInvocation
from contactctl.output.presentation import Presentation

GroupName = Annotated[str, typer.Argument(metavar="GROUP", help="The group's name.")]


def list_(invocation: StoreInvocation) -> Presentation:
    """List the groups with their sizes.

    Examples:
        contactctl groups list
        contactctl groups list --json
    """
    from contactctl.operations.groups import list_groups
    from contactctl.output.groups import GROUP_FIELDS, present_groups

    invocation.check_fields(*GROUP_FIELDS)
    with invocation.open_session() as session:
        return present_groups(list_groups(session))


def create(
    invocation: StoreInvocation, group: GroupName, reason: options.Reason = None
) -> Presentation:
    """Create a group.

    Examples:
        contactctl groups create newsletter

    Names ignore case, and cannot contain ; or |, which separate names in files.
    """
    from contactctl.operations.groups import create_group
    from contactctl.output.groups import CHANGE_FIELDS, present_created

    invocation.check_fields(*CHANGE_FIELDS)
    with invocation.open_session() as session:
        change = create_group(session, group, reason=reason or "")
        return present_created(change)


def add(
    invocation: StoreInvocation,
    group: GroupName,
    contact: options.EmailOrId,
    reason: options.Reason = None,
) -> Presentation:
    """Add one contact to a group.

    Examples:
        contactctl groups add newsletter ann@example.com

    A contact that is already a member does not change, deactivated or not.
    """
    from contactctl.operations.groups import add_to_group
    from contactctl.output.groups import CHANGE_FIELDS, present_group_change

    invocation.check_fields(*CHANGE_FIELDS)
    with invocation.open_session() as session:
        change = add_to_group(session, group, contact, reason=reason or "")
        return present_group_change(change, "Added to", "Already a member of")
