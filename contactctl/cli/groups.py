"""The commands below `groups`."""

from typing import TYPE_CHECKING, Annotated

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
    from contactctl.operations.groups import list_groups
    from contactctl.operations.response_policy import bypassing_groups
    from contactctl.output.groups import GROUP_FIELDS, present_groups

    invocation.check_fields(*GROUP_FIELDS)
    with invocation.open_session() as session:
        return present_groups(list_groups(session), bypassing_groups(session))


def create(invocation: ReasonedInvocation, group: GroupName) -> Presentation:
    """Examples:
        contactctl groups create newsletter

    Names ignore case, and cannot contain ; or |, which separate names in files.
    """
    from contactctl.operations.groups import create_group
    from contactctl.output.groups import CHANGE_FIELDS, present_created

    invocation.check_fields(*CHANGE_FIELDS)
    with invocation.open_session() as session:
        return present_created(create_group(session, group, reason=invocation.reason))


def add(
    invocation: ReasonedInvocation, group: GroupName, contact: options.EmailOrId
) -> Presentation:
    """Examples:
        contactctl groups add newsletter ann@example.com

    A contact that is already a member does not change, deactivated or not.
    """
    from contactctl.operations.groups import add_to_group
    from contactctl.output.groups import CHANGE_FIELDS, present_group_change

    invocation.check_fields(*CHANGE_FIELDS)
    with invocation.open_session() as session:
        change = add_to_group(session, group, contact, reason=invocation.reason)
        return present_group_change(change, "Added to", "Already a member of")


# The commands below `groups` that concern whole groups


NewName = Annotated[str, argument("NAME", "The new name.")]
Limit = Annotated[int, options.limit("Show at most N members.")]
Bypass = Annotated[
    bool | None, flag("--bypass/--no-bypass", "Mail members even if they are inactive system-wide.")
]
Deactivate = Annotated[
    str | None,
    option(
        "--deactivate", "SCOPE", "Where this group's responses deactivate: system-wide or group."
    ),
]
Thresholds = Annotated[
    list[str] | None,
    option(
        "--threshold",
        "CATEGORY=COUNT",
        "A threshold of its own: 'transient=3 within 14 days'. Repeatable.",
    ),
]
NoThresholds = Annotated[
    list[str] | None, option("--no-threshold", "CATEGORY", "Remove its threshold. Repeatable.")
]


def rename(invocation: ReasonedInvocation, group: GroupName, name: NewName) -> Presentation:
    """Examples:
        contactctl groups rename newsletter 'weekly news'

    Members do not change. What the config says about the old name no longer
    applies: rename it there as well.
    """
    from contactctl.operations.groups import rename as rename_group
    from contactctl.output.groups import present_renamed

    with invocation.open_session() as session:
        return present_renamed(*rename_group(session, group, name, reason=invocation.reason))


def delete(invocation: ReasonedInvocation, group: GroupName) -> Presentation:
    """Examples:
    contactctl groups delete newsletter
    """
    from contactctl.operations.groups import delete as delete_group
    from contactctl.output.groups import present_whole_group

    with invocation.open_session() as session:
        deleted, run = delete_group(session, group, reason=invocation.reason)
        return present_whole_group("Deleted", deleted, run)


def members(invocation: StoreInvocation, group: GroupName, limit: Limit = 1000) -> Presentation:
    """Examples:
        contactctl groups members newsletter
        contactctl groups members newsletter --limit 100000 --format csv

    `follows`: the contact's status decides; `active`: mailed here even if
    inactive system-wide; `inactive`: deactivated here alone.
    """
    from contactctl.operations.groups import list_members
    from contactctl.output.groups import MEMBER_FIELDS, present_members

    invocation.check_fields(*MEMBER_FIELDS)
    with invocation.open_session() as session:
        return present_members(list_members(session, group, limit))


class SettingInvocation(ReasonedInvocation):
    """A change of a group's own settings."""

    bypass: Bypass = None
    deactivate: Deactivate = None
    threshold: Thresholds = None
    no_threshold: NoThresholds = None

    def change(self) -> "SettingsChange":
        """What is to be changed; UsageError for words that are not known."""
        from contactctl.cli.options import chosen
        from contactctl.domain.groups import parse_threshold
        from contactctl.domain.policies import Scope
        from contactctl.domain.responses import Category
        from contactctl.operations.groups import SettingsChange

        own = {}
        for text in self.threshold or ():
            name, _, said = text.partition("=")
            try:
                own[chosen(Category, name.strip(), "--threshold")] = parse_threshold(said.strip())
            except ValueError as error:
                raise UsageError(f"--threshold: {error}") from None
        scope = self.deactivate
        return SettingsChange(
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
    from contactctl.operations.groups import SettingsChange, read_policy, set_policy
    from contactctl.output.groups import present_policy

    change = invocation.change()
    with invocation.open_session() as session:
        if change == SettingsChange():
            return present_policy(read_policy(session, group))
        return present_policy(set_policy(session, group, change, reason=invocation.reason))


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
    from contactctl.operations.groups import plan_removing, preview_removing, remove_from_group
    from contactctl.output.groups import present_group_change

    if contact is None:
        return change_any(invocation, plan_removing, preview_removing, group)
    invocation.require_alone()
    with invocation.open_session() as session:
        change = remove_from_group(session, group, contact, reason=invocation.reason)
        return present_group_change(change, "Removed from", "Was not a member of")
