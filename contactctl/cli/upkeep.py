"""Commands that repair contacts: those below `contacts` for one, `tags`, and `db attributes`."""

from typing import TYPE_CHECKING, Annotated

from contactctl import operations, output
from contactctl.cli import options
from contactctl.cli.confirmation import (
    Change,
    change_any,
    change_selection,
    confirmed_or_refused,
)
from contactctl.cli.context import (
    ChangingInvocation,
    PlanningInvocation,
    ReasonedInvocation,
    StoreInvocation,
)
from contactctl.cli.options import argument, option, read_assignments
from contactctl.domain.errors import UsageError
from contactctl.domain.upkeep_kinds import TagRun, UntagRun
from contactctl.output.view import Presentation

if TYPE_CHECKING:
    from contactctl.operations.upkeep import Changing


Set = Annotated[
    list[str] | None, option("--set", "FIELD=VALUE", "Give this field a value. Repeatable.")
]
Unset = Annotated[
    list[str] | None, option("--unset", "FIELD", "Take this field's value away. Repeatable.")
]
NewEmail = Annotated[str, argument("NEW", "The new email.")]
Into = Annotated[str, argument("INTO", "The contact that stays: email or id.")]
Gone = Annotated[str, argument("GONE", "The contact that is merged into it: email or id.")]


def edit(
    invocation: ReasonedInvocation,
    contact: options.EmailOrId,
    set: Set = None,
    unset: Unset = None,
) -> Presentation:
    """Examples:
        contactctl contacts edit ann@example.com --set first_name=Ann
        contactctl contacts edit 1284 --set attributes.plan=pro --unset phone

    Values are written as in an import. Tags, groups, status and email have commands
    of their own.
    """
    invocation.check_fields(*output.upkeep.EDITED_FIELDS)
    values = read_assignments("--set", set)
    with invocation.open_session() as session:
        reason = invocation.reason
        return output.upkeep.present_edited(
            operations.editing.edit_contact(session, contact, values, unset or (), reason=reason)
        )


def readdress(
    invocation: ReasonedInvocation,
    contact: options.EmailOrId,
    new: NewEmail,
    confirm: options.ConfirmEmail = None,
) -> Presentation:
    """Examples:
        contactctl contacts readdress ann@old.example ann@new.example
        contactctl contacts readdress 1284 ann@new.example --confirm ann@new.example

    Number, tags, groups and history stay. Deactivations as invalid-address end;
    others, such as complaints and unsubscribes, do not. Bounces of the old email no
    longer count; late ones are recorded with the contact, which the old email still
    finds. A suppressed email is rejected. You type the new email to confirm it.
    """
    invocation.check_fields(*output.upkeep.DONE_FIELDS)
    with invocation.open_session() as session:
        target = operations.addresses.find_new_address(session, contact, new)
        if target.changes:
            shown, email = output.upkeep.present_new_address(target), target.address.email
            if refused := confirmed_or_refused(invocation, shown, email, confirm):
                return refused
        done = operations.addresses.readdress(session, target, reason=invocation.reason)
        return output.upkeep.present_done(done, "Readdressed", "Has this address already")


def merge(
    invocation: ReasonedInvocation,
    into: Into,
    gone: Gone,
    confirm: options.ConfirmEmail = None,
) -> Presentation:
    """Examples:
        contactctl contacts merge ann@example.com ann.b@example.com
        contactctl contacts merge 12 17 --confirm ann.b@example.com

    The first contact stays. What it lacks comes from the second: values, tags,
    groups, responses, and reasons to be inactive, so that no complaint or
    unsubscribe is lost. The second one's email still finds the contact. You type
    that email to confirm it.
    """
    invocation.check_fields(*output.upkeep.DONE_FIELDS)
    with invocation.open_session() as session:
        target = operations.addresses.find_merging(session, into, gone)
        shown, email = output.upkeep.present_merging(target), target.gone.email
        if refused := confirmed_or_refused(invocation, shown, email, confirm):
            return refused
        done = operations.addresses.merge(session, target, reason=invocation.reason)
        return output.upkeep.present_done(done, "Merged into")


# The commands below `tags`


TagName = Annotated[str, argument("TAG", "The tag; case is ignored.")]
Limit = Annotated[int, options.limit("Show at most N tags.")]


def list_(invocation: StoreInvocation, limit: Limit = 1000) -> Presentation:
    """Examples:
    contactctl tags list
    contactctl tags list --format csv
    """
    invocation.check_fields(*output.upkeep.TAG_FIELDS)
    with invocation.open_session() as session:
        return output.upkeep.present_tags(operations.upkeep.list_tags(session, limit))


def add(
    invocation: ChangingInvocation, tag: TagName, contact: options.OneContact = None
) -> Presentation:
    """Examples:
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
    """Examples:
    contactctl tags remove vip ann@example.com
    contactctl tags remove cold --where 'last_opened within-last 30 days'
    contactctl tags remove cold --where 'id exists' --confirm 312
    """
    return _change(invocation, UntagRun, tag, contact)


def _change(
    invocation: ChangingInvocation, changing: "Changing", tag: str, contact: str | None
) -> Presentation:
    name = operations.upkeep.tag_name(tag)
    if contact is None:
        return change_any(
            invocation,
            operations.upkeep.plan_changing,
            operations.upkeep.preview_changing,
            changing,
            name,
        )
    invocation.require_alone()
    invocation.check_fields(*output.upkeep.TAG_CHANGE_FIELDS)
    with invocation.open_session() as session:
        change = operations.upkeep.change_tag_of_one(
            session, changing, name, contact, reason=invocation.reason
        )
        if changing is TagRun:
            return output.upkeep.present_tag_change(change, "Tagged", "Has the tag already")
        return output.upkeep.present_tag_change(change, "Tag removed", "Did not have the tag")


# The command `db attributes`


Rename = Annotated[
    str | None, option("--rename", "OLD=NEW", "Give an attribute its declared name.")
]
Drop = Annotated[str | None, option("--drop", "NAME", "Drop an attribute with its values.")]


def attributes(
    invocation: PlanningInvocation, rename: Rename = None, drop: Drop = None
) -> Presentation:
    """Examples:
        contactctl db attributes
        contactctl db attributes --rename tier=plan --dry-run
        contactctl db attributes --drop shoe_size --confirm 1284

    An attribute that was renamed or taken out in the config is still stored with its
    contacts under the old name, where criteria cannot find it. Change the config
    first. The change is shown, and confirmed by the number of contacts.
    """
    manner = invocation.manner()
    if rename is None and drop is None:
        if manner.said is not None or manner.dry_run or manner.keeps_plan:
            raise UsageError("give --rename OLD=NEW or --drop NAME")
        invocation.check_fields(*output.upkeep.ATTRIBUTE_FIELDS)
        with invocation.open_session() as session:
            return output.upkeep.present_attributes(operations.upkeep.list_attributes(session))
    name, to = _names(rename, drop)
    with invocation.open_session() as session:

        def preview() -> Presentation:
            return output.upkeep.present_attribute_change(
                operations.upkeep.preview_change(session, name, to)
            )

        preview()  # what is not possible is told before anything is planned
        change = Change(
            lambda said: operations.upkeep.plan_change(
                session, name, to, reason=invocation.reason, said=said
            ),
            preview,
        )
        return change_selection(invocation, session, manner, change)


def _names(rename: str | None, drop: str | None) -> tuple[str, str | None]:
    if rename is None:
        return drop or "", None
    if drop is not None:
        raise UsageError("--rename and --drop cannot be combined")
    old, equals, new = rename.partition("=")
    if not (equals and old.strip() and new.strip()):
        raise UsageError(f"--rename '{rename}' has no '='", hint="write it as --rename 'OLD=NEW'")
    return old.strip(), new.strip()
