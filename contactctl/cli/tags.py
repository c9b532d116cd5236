"""The commands below `tags`."""

from typing import TYPE_CHECKING, Annotated

import typer

from contactctl.cli import options
from contactctl.cli.confirmation import ChangingInvocation, change_of_affected, change_selection
from contactctl.cli.context import StoreInvocation
from contactctl.domain.errors import UsageError
from contactctl.domain.upkeep_kinds import TagRun, UntagRun
from contactctl.output.presentation import Presentation

if TYPE_CHECKING:
    from contactctl.operations.tags import Changing

TagName = Annotated[str, typer.Argument(metavar="TAG", help="The tag; case is ignored.")]
Limit = Annotated[int, options.limit("Show at most N tags.")]


def list_(invocation: StoreInvocation, limit: Limit = 1000) -> Presentation:
    """List the tags with their numbers of contacts.

    Examples:
        contactctl tags list
        contactctl tags list --format csv
    """
    from contactctl.operations.tags import list_tags
    from contactctl.output.upkeep import TAG_FIELDS, present_tags

    invocation.check_fields(*TAG_FIELDS)
    with invocation.open_session() as session:
        return present_tags(list_tags(session, limit))


def add(
    invocation: ChangingInvocation, tag: TagName, contact: options.OneContact = None
) -> Presentation:
    """Give a tag to one contact, or to those that match.

    Examples:
        contactctl tags add vip ann@example.com
        contactctl tags add cold --where 'last_opened older-than 2 years'
        contactctl tags add cold --criteria cold.yaml --confirm 312

    Contacts that have the tag do not change. Many contacts are shown and confirmed by
    their number, as when they are deactivated.
    """
    return _change(invocation, TagRun, tag, contact)


def remove(
    invocation: ChangingInvocation, tag: TagName, contact: options.OneContact = None
) -> Presentation:
    """Take a tag from one contact, or from those that match.

    Examples:
        contactctl tags remove vip ann@example.com
        contactctl tags remove cold --where 'last_opened within-last 30 days'
        contactctl tags remove cold --where 'id exists' --confirm 312
    """
    return _change(invocation, UntagRun, tag, contact)


def _change(
    invocation: ChangingInvocation, changing: "Changing", tag: str, contact: str | None
) -> Presentation:
    from contactctl.operations.plans import select_any
    from contactctl.operations.tags import plan_changing, preview_changing, tag_name

    name, manner = tag_name(tag), invocation.manner()
    if contact is not None:
        plans = invocation.dry_run or invocation.keeps_plan or manner.said is not None
        if plans or invocation.has_criteria:
            raise UsageError("one contact takes no criteria, --dry-run, --plan or --confirm")
        return _change_one(invocation, changing, name, contact)
    source, reason = invocation.criteria_source(), invocation.reason
    with invocation.open_session() as session:
        selection = select_any(session, source)
        change = change_of_affected(
            lambda said: plan_changing(
                session, changing, name, selection, reason=reason, said=said
            ),
            lambda: preview_changing(session, changing, name, selection),
        )
        return change_selection(invocation, session, manner, change)


def _change_one(
    invocation: ChangingInvocation, changing: "Changing", tag: str, contact: str
) -> Presentation:
    from contactctl.operations.tags import change_tag_of_one
    from contactctl.output.upkeep import TAG_CHANGE_FIELDS, present_tag_change

    invocation.check_fields(*TAG_CHANGE_FIELDS)
    with invocation.open_session() as session:
        change = change_tag_of_one(session, changing, tag, contact, reason=invocation.reason)
        if changing is TagRun:
            return present_tag_change(change, "Tagged", "Has the tag already")
        return present_tag_change(change, "Tag removed", "Did not have the tag")
