"""The commands below `contacts` that look at contacts, and the one that adds one."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from contactctl.cli import options
from contactctl.cli.assignments import read_assignments
from contactctl.cli.context import SelectingInvocation, StoreInvocation
from contactctl.output.choice import OutputFormat
from contactctl.output.presentation import Presentation

if TYPE_CHECKING:
    from contactctl.domain.contact_record import ContactRecord
    from contactctl.operations.export_contacts import ContactFilter

Email = Annotated[str, typer.Argument(metavar="EMAIL", help="The contact's email.")]
Deliverable = Annotated[
    bool, typer.Option("--deliverable", help="Only contacts that a campaign may mail.")
]
WithoutWaiting = Annotated[
    bool,
    typer.Option(
        "--without-waiting",
        help="With --deliverable: nor those that a plan of thresholds would deactivate.",
    ),
]
DeliverableGroup = Annotated[
    str | None,
    typer.Option("--group", metavar="NAME", help="With --deliverable: a campaign to this group."),
]
Limit = Annotated[int | None, options.limit("At most so many contacts.")]
Sort = Annotated[
    str, typer.Option("--sort", metavar="FIELD", help="Sort by this field; -FIELD for descending.")
]
FirstName = Annotated[str | None, typer.Option("--first-name", metavar="TEXT", help="First name.")]
LastName = Annotated[str | None, typer.Option("--last-name", metavar="TEXT", help="Last name.")]
Phone = Annotated[str | None, typer.Option("--phone", metavar="TEXT", help="Telephone number.")]
Company = Annotated[str | None, typer.Option("--company", metavar="TEXT", help="Company.")]
SourceText = Annotated[
    str | None, typer.Option("--source", metavar="TEXT", help="Where the contact came from.")
]
LastOpportunity = Annotated[
    str | None,
    typer.Option("--last-opportunity", metavar="DATE", help="As in 2024-05-31."),
]
Attribute = Annotated[
    list[str] | None,
    typer.Option("--attribute", metavar="NAME=VALUE", help="A declared attribute. Repeatable."),
]
InGroups = Annotated[
    list[str] | None,
    typer.Option("--group", metavar="NAME", help="Make it a member of this group. Repeatable."),
]
Tags = Annotated[
    list[str] | None, typer.Option("--tag", metavar="NAME", help="Give it this tag. Repeatable.")
]


def export(
    invocation: SelectingInvocation,
    deliverable: Deliverable = False,
    without_waiting: WithoutWaiting = False,
    group: DeliverableGroup = None,
) -> Presentation:
    """Print contacts as CSV or JSON lines, as an import takes them.

    Examples:
        contactctl contacts export > all.csv
        contactctl contacts export --where 'tag = vip' --format jsonl
        contactctl contacts export --deliverable --group newsletter --fields email

    CSV unless --format says otherwise. Without --fields it has every field that
    an import takes. --deliverable leaves exactly the contacts that a campaign
    to everybody, or to one group, may mail. While a plan of thresholds waits to be
    confirmed, its contacts are still mailed; --without-waiting leaves them out.
    """
    from contactctl.operations.export_contacts import ContactFilter
    from contactctl.operations.importing.columns import importable_fields
    from contactctl.output.contacts import present_contacts

    if invocation.output.format is OutputFormat.TABLE and invocation.shared["format"] is None:
        invocation.output = replace(invocation.output, format=OutputFormat.CSV)
    invocation.check_fields(*invocation.catalogue.names())
    importable = [field.name for field in importable_fields(invocation.catalogue)]
    fields = invocation.output.fields or importable
    source = invocation.criteria_source()
    contacts = _streamed(
        invocation, ContactFilter(source, deliverable, without_waiting, group, fields=fields)
    )
    return present_contacts(contacts, fields)


def list_(
    invocation: SelectingInvocation,
    deliverable: Deliverable = False,
    without_waiting: WithoutWaiting = False,
    group: DeliverableGroup = None,
    sort: Sort = "id",
    limit: Limit = None,
) -> Presentation:
    """List contacts, active and inactive.

    Examples:
        contactctl contacts list --limit 20
        contactctl contacts list --where 'email_domain = example.com' --sort -created
        contactctl contacts list --where 'group missing' --json
        contactctl contacts list --fields email,deactivated,deactivation_category

    Without criteria it lists all contacts, by id. --fields takes every field
    that `contactctl fields` lists.
    """
    from contactctl.operations.export_contacts import ContactFilter
    from contactctl.output.contacts import list_order, present_contacts

    known = invocation.catalogue.names()
    invocation.check_fields(*known)
    fields = invocation.output.fields or list_order(known)
    source = invocation.criteria_source()
    wanted = ContactFilter(source, deliverable, without_waiting, group, sort, limit, fields)
    return present_contacts(_streamed(invocation, wanted), fields)


def show(invocation: StoreInvocation, contact: options.EmailOrId) -> Presentation:
    """Show one contact: its data, groups, and deactivations.

    Examples:
        contactctl contacts show ann@example.com
        contactctl contacts show 1284 --json
    """
    from contactctl.operations.show_contact import show_contact
    from contactctl.output.contacts import present_contact

    with invocation.open_session() as session:
        return present_contact(show_contact(session, contact))


def add(
    invocation: StoreInvocation,
    email: Email,
    first_name: FirstName = None,
    last_name: LastName = None,
    phone: Phone = None,
    company: Company = None,
    source: SourceText = None,
    last_opportunity: LastOpportunity = None,
    attribute: Attribute = None,
    group: InGroups = None,
    tag: Tags = None,
    reason: options.Reason = None,
) -> Presentation:
    """Add one contact.

    Examples:
        contactctl contacts add ann@example.com --first-name Ann --group newsletter
        contactctl contacts add bo@example.com --attribute plan=free --tag vip

    An address that exists already is refused; `contacts import` updates.
    """
    from contactctl.operations.add_contact import add_contact
    from contactctl.output.contacts import ADDED_FIELDS, present_added

    invocation.check_fields(*ADDED_FIELDS)
    values = {
        "email": email,
        "first_name": first_name,
        "last_name": last_name,
        "phone": phone,
        "company": company,
        "source": source,
        "last_opportunity": last_opportunity,
    }
    given = {name: value for name, value in values.items() if value is not None}
    for name, value in read_assignments("--attribute", attribute).items():
        given[f"attributes.{name}"] = value
    with invocation.open_session() as session:
        contact_id, run = add_contact(
            session, given, groups=group or (), tags=tag or (), reason=reason or ""
        )
        return present_added(contact_id, email.strip(), run)


def _streamed(invocation: StoreInvocation, wanted: "ContactFilter") -> "Iterator[ContactRecord]":
    """The contacts, with the store open until the last one is taken; errors come at once."""
    from contactctl.operations.export_contacts import selected_contacts

    with ExitStack() as stack:
        session = stack.enter_context(invocation.open_session())
        contacts = stack.enter_context(selected_contacts(session, wanted))
        return _until_taken(contacts, stack.pop_all())


def _until_taken(
    contacts: "Iterator[ContactRecord]", resources: ExitStack
) -> "Iterator[ContactRecord]":
    with resources:
        yield from contacts
