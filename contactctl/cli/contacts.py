"""The commands below `contacts` that look at contacts or add one; `explain`, `reactivate`."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any

import typer

from contactctl import operations, output
from contactctl.cli import options
from contactctl.cli.confirmation import confirmed_or_refused
from contactctl.cli.context import (
    ReasonedInvocation,
    SelectingInvocation,
    StoreInvocation,
    until_taken,
)
from contactctl.cli.options import argument, flag, option, read_assignments
from contactctl.domain.criteria.fields import BUILT_IN_FIELDS, Field, FieldType
from contactctl.domain.errors import RefusedError, UsageError
from contactctl.domain.policies import BYPASS_WARNING
from contactctl.output.view import CsvForm, OutputFormat, Presentation

if TYPE_CHECKING:
    from collections.abc import Sequence

    from contactctl.domain.contacts import ContactRecord


Email = Annotated[str, argument("EMAIL", "The contact's email.")]
Full = Annotated[bool, flag("--full", "With status, reasons, overrides and creation.")]
_PAGE = 100  # contacts at a terminal, where nothing else is said
Limit = Annotated[int | None, options.limit("Show at most N contacts.")]
All = Annotated[bool, flag("--all", "Show all contacts, at a terminal too.")]


def _option_for(field: Field) -> Any:
    is_date = field.type is FieldType.DATE
    meaning = f"{field.help[0].upper()}{field.help[1:]}" + (
        ", for example 2024-05-31." if is_date else "."
    )
    flag = f"--{field.name.replace('_', '-')}"
    return Annotated[str | None, option(flag, "DATE" if is_date else "TEXT", meaning)]


_FIELD_OPTIONS = {
    field.name: (_option_for(field), None)
    for field in BUILT_IN_FIELDS
    if field.type in (FieldType.TEXT, FieldType.DATE) and not field.always_present
}


class AddingInvocation(ReasonedInvocation):
    """A command that takes the values of one contact, with an option for each field."""

    leads = True

    attribute: Annotated[
        list[str] | None, option("--attribute", "NAME=VALUE", "A declared attribute. Repeatable.")
    ] = None
    group: Annotated[
        list[str] | None, option("--group", "NAME", "Add it to this group. Repeatable.")
    ] = None
    tag: Annotated[list[str] | None, option("--tag", "NAME", "Give it this tag. Repeatable.")] = (
        None
    )

    @classmethod
    def options(cls) -> dict[str, tuple[Any, object]]:
        return {**_FIELD_OPTIONS, **super().options()}

    def values_given(self) -> dict[str, str]:
        """The text of each field that was given, by its name."""
        given = {name: vars(self)[name] for name in _FIELD_OPTIONS}
        attributes = read_assignments("--attribute", self.attribute).items()
        return {
            **{name: value for name, value in given.items() if value is not None},
            **{f"attributes.{name}": value for name, value in attributes},
        }


class ContactsInvocation(SelectingInvocation):
    """A command that reads contacts, of any status or those that a campaign may mail."""

    deliverable: Annotated[
        bool, flag("--deliverable", "Only contacts that a campaign may mail.")
    ] = False
    without_waiting: Annotated[
        bool,
        flag(
            "--without-waiting",
            "With --deliverable: nor those that a plan of thresholds would deactivate.",
        ),
    ] = False
    group: Annotated[
        str | None, option("--group", "NAME", "With --deliverable: a campaign to this group.")
    ] = None


class ExportInvocation(ContactsInvocation):
    """An export: also how its CSV is written."""

    delimiter: Annotated[
        str, option("--delimiter", "CHARACTER", "What separates cells of CSV; tab for TAB.")
    ] = ","
    bom: Annotated[
        bool, flag("--bom", "Begin CSV with a byte order mark, which Excel needs for umlauts.")
    ] = False

    def csv_form(self) -> CsvForm:
        """UsageError where no CSV is written."""
        form = CsvForm(options.one_character("--delimiter", self.delimiter), self.bom)
        if form != CsvForm() and self.output.format is not OutputFormat.CSV:
            raise UsageError("--delimiter and --bom are for CSV", hint="leave out --format")
        return form


def export(
    invocation: ExportInvocation,
    full: Full = False,
) -> Presentation:
    """Examples:
        contactctl contacts export > all.csv
        contactctl contacts export --full > copy.csv
        contactctl contacts export --where 'tag = vip' --format jsonl
        contactctl contacts export --deliverable --group newsletter --fields email
        contactctl contacts export --delimiter ';' --bom > for-excel.csv

    CSV unless --format says otherwise. Without --fields it has every field that
    an import reads; with --full also the status, its reasons, overrides, and when
    a contact was created. --deliverable selects exactly the contacts that a
    campaign to everybody, or to one group, may mail. While a plan of thresholds waits
    to be confirmed, its contacts are still mailed; --without-waiting leaves them out.
    """
    from contactctl.operations.importing.columns import exported_names

    if invocation.output.format is OutputFormat.TABLE and invocation.format is None:
        invocation.output = replace(invocation.output, format=OutputFormat.CSV)
    form = invocation.csv_form()
    in_full = exported_names(invocation.catalogue, full=True)
    invocation.check_fields(*dict.fromkeys((*invocation.catalogue.names(), *in_full)))
    fields = invocation.output.fields or exported_names(invocation.catalogue, full=full)
    if not (full or invocation.deliverable or invocation.output.fields):
        invocation.console.note(
            "status and overrides are left out: an import of this makes everybody active;"
            " --full has them"
        )
    contacts, _ = _streamed(invocation, fields)
    return replace(output.contacts.present_contacts(contacts, fields), csv_form=form)


def list_(
    invocation: ContactsInvocation,
    sort: options.Sort = "id",
    limit: Limit = None,
    all: All = False,
) -> Presentation:
    """Examples:
        contactctl contacts list --limit 20
        contactctl contacts list --where 'email_domain = example.com' --sort -created
        contactctl contacts list --where 'group missing' --json
        contactctl contacts list --fields email,deactivated,deactivation_category

    Without criteria it lists all contacts, by id; at a terminal only the first 100,
    and how many more there are, unless --limit or --all is given. --fields accepts
    every field that `contactctl fields` lists.
    """
    known = invocation.catalogue.names()
    invocation.check_fields(*known)
    fields = invocation.output.fields or output.contacts.list_order(known)
    if all and limit is not None:
        raise UsageError("--all and --limit cannot be combined")
    is_table = invocation.output.format is OutputFormat.TABLE
    is_page = is_table and invocation.console.stdout_is_tty and not all and limit is None
    most = _PAGE if is_page else limit
    contacts, more = _streamed(invocation, fields, sort=sort, limit=most, counted=is_page)
    return output.contacts.present_contacts(contacts, fields, more)


def show(invocation: StoreInvocation, contact: options.EmailOrId) -> Presentation:
    """Examples:
    contactctl contacts show ann@example.com
    contactctl contacts show 1284 --json
    """
    with invocation.open_session() as session:
        return output.contacts.present_contact(operations.contacts.show_contact(session, contact))


def add(
    invocation: AddingInvocation,
    email: Email,
) -> Presentation:
    """Examples:
        contactctl contacts add ann@example.com --first-name Ann --group newsletter
        contactctl contacts add bo@example.com --attribute plan=free --tag vip

    An address that already exists is refused; `contacts import` updates contacts.
    """
    invocation.check_fields(*output.contacts.ADDED_FIELDS)
    given = {"email": email, **invocation.values_given()}
    groups, tags, reason = invocation.group or (), invocation.tag or (), invocation.reason
    with invocation.open_session() as session:
        contact_id, run = operations.editing.add_contact(
            session, given, groups=groups, tags=tags, reason=reason
        )
        return output.contacts.present_added(contact_id, email.strip(), run)


def _streamed(
    invocation: ContactsInvocation,
    fields: "Sequence[str]",
    *,
    sort: str = "id",
    limit: int | None = None,
    counted: bool = False,
) -> "tuple[Iterator[ContactRecord], int]":
    """The contacts, with the store open until the last one is read, and how many more there are.

    Errors are raised at once.
    """
    wanted = operations.contacts.ContactFilter(
        invocation.criteria_source(),
        invocation.deliverable,
        invocation.without_waiting,
        invocation.group,
        sort,
        limit,
        fields,
        counted=counted,
    )
    with ExitStack() as stack:
        session = stack.enter_context(invocation.open_session())
        contacts = stack.enter_context(operations.contacts.selected_contacts(session, wanted))
        if contacts.bypassing:
            invocation.console.note(f"{contacts.bypassing} {BYPASS_WARNING}")
        return until_taken(contacts.rows, stack.pop_all()), contacts.more


# The command `explain`


def explain(invocation: StoreInvocation, contact: options.EmailOrId) -> Presentation:
    """Examples:
        contactctl explain ann@example.com
        contactctl explain ann@example.com --json
        contactctl explain 1284 --format csv

    The timeline has every response and deactivation with its run. Below it are
    the responses that count now towards each threshold, and what handling rules
    will do, and when.
    """
    invocation.check_fields(*output.contacts.TIMELINE_FIELDS)
    with invocation.open_session() as session:
        return output.contacts.present_explanation(operations.explain.explain(session, contact))


# The command `reactivate`


Contacts = Annotated[list[str] | None, argument("EMAIL|ID", "The contact: exactly one.")]
Clear = Annotated[bool, flag("--clear", "With --group: clear the override there.")]
Acknowledge = Annotated[
    list[str] | None,
    option(
        "--acknowledge",
        "CATEGORY",
        "Accept the warning: spam-complaint, invalid-address, unsubscribed. Repeatable.",
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
    invocation: ReasonedInvocation,
    contact: Contacts = None,
    group: options.Group = None,
    clear: Clear = False,
    acknowledge: Acknowledge = None,
    confirm: options.ConfirmEmail = None,
    no_filter: NoFilter = None,
) -> Presentation:
    """Examples:
        contactctl reactivate ann@example.com
        contactctl reactivate 1284 --reason 'asked by phone'
        contactctl reactivate ann@example.com --group newsletter
        contactctl reactivate ann@example.com --group newsletter --clear
        contactctl reactivate ann@example.com --confirm ann@example.com --json

    Ends all system-wide deactivations of the contact, after you type its email.
    With --group it may be mailed in that group only, and stays inactive
    everywhere else. Complaints, invalid addresses and those who unsubscribed need
    --acknowledge too.
    Contacts come back one at a time: there is no bulk reactivation.
    """
    from contactctl.cli.options import chosen

    name = _the_only_one(contact, no_filter)
    acknowledged = [
        chosen(operations.reactivation.Acknowledgement, each, "--acknowledge")
        for each in acknowledge or ()
    ]
    with invocation.open_session() as session:
        target = operations.reactivation.find_target(session, name, group=group, clears=clear)
        if target.changes:
            shown, email = output.upkeep.present_target(target), target.contact.email
            try:
                operations.reactivation.require_acknowledged(target, acknowledged)
            except RefusedError as error:
                return shown.failed(error)
            if refused := confirmed_or_refused(invocation, shown, email, confirm):
                return refused
        return output.upkeep.present_reactivated(
            operations.reactivation.reactivate(session, target, reason=invocation.reason)
        )


def _the_only_one(contacts: list[str] | None, filters: list[str] | None) -> str:
    if contacts and len(contacts) == 1 and not filters:
        return contacts[0]
    raise UsageError(
        "reactivate takes exactly one contact; there is no bulk reactivation",
        hint="mailing everybody again is what costs a sender's reputation;"
        " `contactctl runs undo RUN` takes a mistaken run back",
    )
