"""The commands below `groups`."""

from typing import TYPE_CHECKING, Annotated

from contactctl import operations, output
from contactctl.cli import options
from contactctl.cli.confirmation import change_any
from contactctl.cli.context import ChangingInvocation, ReasonedInvocation, StoreInvocation
from contactctl.cli.options import argument, flag, option
from contactctl.domain.errors import UsageError
from contactctl.output.view import Presentation

if TYPE_CHECKING:
    from contactctl.operations.groups import SettingsChange


GroupName = Annotated[str, argument("GROUP", "The group's name.")]


def list_(invocation: StoreInvocation) -> Presentation:
    """Examples:
    contactctl groups list
    contactctl groups list --json
    """
    invocation.check_fields(*output.groups.GROUP_FIELDS)
    with invocation.open_session() as session:
        return output.groups.present_groups(
            operations.groups.list_groups(session),
            operations.response_policy.bypassing_groups(session),
        )


def create(invocation: ReasonedInvocation, group: GroupName) -> Presentation:
    """Examples:
        contactctl groups create newsletter

    Names ignore case, and cannot contain ; or |, which separate names in files.
    """
    invocation.check_fields(*output.groups.CHANGE_FIELDS)
    with invocation.open_session() as session:
        return output.groups.present_created(
            operations.groups.create_group(session, group, reason=invocation.reason)
        )


def add(
    invocation: ReasonedInvocation, group: GroupName, contact: options.EmailOrId
) -> Presentation:
    """Examples:
        contactctl groups add newsletter ann@example.com

    A contact that is already a member does not change, deactivated or not.
    """
    invocation.check_fields(*output.groups.CHANGE_FIELDS)
    with invocation.open_session() as session:
        change = operations.groups.add_to_group(session, group, contact, reason=invocation.reason)
        return output.groups.present_group_change(change, "Added to", "Already a member of")


# The commands below `groups` that concern whole groups


NewName = Annotated[str, argument("NAME", "The new name.")]
Limit = Annotated[int, options.limit("Show at most N members.")]


def rename(invocation: ReasonedInvocation, group: GroupName, name: NewName) -> Presentation:
    """Examples:
        contactctl groups rename newsletter 'weekly news'

    Members do not change. What the config says about the old name no longer
    applies: rename it there as well.
    """
    with invocation.open_session() as session:
        return output.groups.present_renamed(
            *operations.groups.rename(session, group, name, reason=invocation.reason)
        )


def delete(invocation: ReasonedInvocation, group: GroupName) -> Presentation:
    """Examples:
    contactctl groups delete newsletter
    """
    with invocation.open_session() as session:
        deleted, run = operations.groups.delete(session, group, reason=invocation.reason)
        return output.groups.present_whole_group("Deleted", deleted, run)


def members(invocation: StoreInvocation, group: GroupName, limit: Limit = 1000) -> Presentation:
    """Examples:
        contactctl groups members newsletter
        contactctl groups members newsletter --limit 100000 --format csv

    `follows`: the contact's status decides; `active`: mailed here even if
    inactive system-wide; `inactive`: deactivated here alone.
    """
    invocation.check_fields(*output.groups.MEMBER_FIELDS)
    with invocation.open_session() as session:
        return output.groups.present_members(operations.groups.list_members(session, group, limit))


class SettingInvocation(ReasonedInvocation):
    """A change of a group's own settings."""

    bypass: Annotated[
        bool | None,
        flag("--bypass/--no-bypass", "Mail members even if they are inactive system-wide."),
    ] = None
    deactivate: Annotated[
        str | None,
        option(
            "--deactivate",
            "SCOPE",
            "Where this group's responses deactivate: system-wide or group.",
        ),
    ] = None
    threshold: Annotated[
        list[str] | None,
        option(
            "--threshold",
            "CATEGORY=COUNT",
            "A threshold of its own: 'transient=3 within 14 days'. Repeatable.",
        ),
    ] = None
    no_threshold: Annotated[
        list[str] | None, option("--no-threshold", "CATEGORY", "Remove its threshold. Repeatable.")
    ] = None

    def change(self) -> "SettingsChange":
        """What is to be changed; UsageError for words that are not known."""
        from contactctl.cli.options import chosen
        from contactctl.domain.groups import parse_threshold
        from contactctl.domain.policies import Scope
        from contactctl.domain.responses import Category

        own = {}
        for text in self.threshold or ():
            name, _, said = text.partition("=")
            try:
                own[chosen(Category, name.strip(), "--threshold")] = parse_threshold(said.strip())
            except ValueError as error:
                raise UsageError(f"--threshold: {error}") from None
        scope = self.deactivate
        return operations.groups.SettingsChange(
            bypass_system_wide=self.bypass,
            deactivate=None if scope is None else chosen(Scope, scope, "--deactivate"),
            thresholds=own or None,
            dropped=tuple(
                chosen(Category, each, "--no-threshold") for each in self.no_threshold or ()
            ),
        )


def set_(invocation: SettingInvocation, group: GroupName) -> Presentation:
    """Examples:
        contactctl groups set newsletter
        contactctl groups set newsletter --threshold 'transient=3 within 14 days'
        contactctl groups set newsletter --deactivate group
        contactctl groups set alerts --bypass

    A group that the config names follows the config, and cannot be set here.
    """
    change = invocation.change()
    with invocation.open_session() as session:
        if change == operations.groups.SettingsChange():
            return output.groups.present_policy(operations.groups.read_policy(session, group))
        return output.groups.present_policy(
            operations.groups.set_policy(session, group, change, reason=invocation.reason)
        )


def remove(
    invocation: ChangingInvocation, group: GroupName, contact: options.OneContact = None
) -> Presentation:
    """Examples:
        contactctl groups remove newsletter ann@example.com
        contactctl groups remove newsletter --where 'last_opened older-than 2 years'
        contactctl groups remove newsletter --criteria cold.yaml --confirm 312

    The contacts themselves stay, and so do their other groups. Removing many works
    like deactivating them: a preview first, then a confirmation by their number.
    """
    if contact is None:
        return change_any(
            invocation, operations.groups.plan_removing, operations.groups.preview_removing, group
        )
    invocation.require_alone()
    with invocation.open_session() as session:
        change = operations.groups.remove_from_group(
            session, group, contact, reason=invocation.reason
        )
        return output.groups.present_group_change(change, "Removed from", "Was not a member of")
