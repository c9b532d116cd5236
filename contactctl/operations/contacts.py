"""Looking at contacts, one or many by filter, and adding one."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from contactctl.domain.contacts import ContactRecord
from contactctl.domain.emails import EmailAddress, parse_email
from contactctl.domain.errors import RefusedError, RejectedError, UsageError
from contactctl.domain.handling import ContactStanding, Reason
from contactctl.domain.name_cells import list_cell
from contactctl.domain.run_details import EndedReason
from contactctl.domain.run_kinds import AddRun
from contactctl.domain.text import show_safely, trim
from contactctl.domain.waits import FOR_ONE_CONTACT_S
from contactctl.operations.criteria import CriteriaSource, require_sortable, selection_of
from contactctl.operations.groups import group_of
from contactctl.operations.importing.batches import ColumnReading, wave_of
from contactctl.operations.importing.columns import STATUS_FIELDS, ColumnNames, FileColumn
from contactctl.operations.importing.convert import Converted, Plan, convert, make_plan
from contactctl.operations.importing.load import CREATING_CONTACTS
from contactctl.operations.importing.options import ImportOptions
from contactctl.operations.importing.rows import Batch
from contactctl.operations.importing.told import Told
from contactctl.operations.response_policy import policy_in_force
from contactctl.operations.session import Session
from contactctl.operations.suppressions import suppressed_in
from contactctl.store.addresses import contact_of_former, id_of_key
from contactctl.store.contacts import contact_named, get_record, group_named
from contactctl.store.database.locks import exclusive, taking_turn
from contactctl.store.deactivations import read_standing
from contactctl.store.groups import group_ids
from contactctl.store.imported_status import Creating
from contactctl.store.imports import put_in
from contactctl.store.runs import insert_done_run
from contactctl.store.selections import (
    count_where,
    deliverable,
    deliverable_in,
    not_waiting,
    stream_contacts,
)

_AS_IT_IS = ImportOptions()


@dataclass(frozen=True, slots=True)
class ContactFilter:
    """Which contacts: all that match the criteria, if there are any.

    `without_waiting` leaves out whom a plan of thresholds, which waits, would deactivate.
    `deliverable` leaves those that a campaign may mail: one to everybody, or, with `group`, one
    to that group. `sort` is a field, with a minus before it for descending. `fields` are those
    that will be looked at; None: all. With `counted`, how many more than `limit` there are is told.
    """

    source: CriteriaSource
    deliverable: bool = False
    without_waiting: bool = False
    group: str | None = None
    sort: str = "id"
    limit: int | None = None
    fields: Collection[str] | None = None
    counted: bool = False


@dataclass(frozen=True, slots=True)
class SelectedContacts:
    """Contacts, read as they are taken, and how many `more` there are, where that was asked.

    `bypassing` is the group that they are mailed in although some are inactive system-wide.
    """

    rows: Iterator[ContactRecord]
    more: int = 0
    bypassing: str = ""


def contact_id_of(session: Session, name: str) -> int:
    """The id of a contact, from its email or its number; NotFoundError where there is none.

    For reading, or to show before a change. What changes it looks it up again in its own
    transaction: somebody else may have deleted it meanwhile.
    """
    with session.store.reading() as connection:
        return contact_named(connection, name)


def show_contact(session: Session, name: str) -> ContactRecord:
    """The contact with that email or number, with everything that is stored about it."""
    with session.store.reading() as connection:
        return get_record(connection, contact_named(connection, name))


def standing_of(session: Session, name: str, *, erased: str = "") -> ContactStanding:
    """The contact by email or number, as it is to be shown before it is changed; RefusedError for
    one that was anonymised, where `erased` says why nothing can be done to it."""
    with session.store.reading() as connection:
        contact = read_standing(connection, contact_named(connection, name))
    if contact.is_erased and erased:
        raise RefusedError(f"contact {contact.id} was anonymised; {erased}")
    return contact


def ended_reasons(ending: Sequence[Reason]) -> tuple[EndedReason, ...]:
    """What a run keeps of the reasons that it ends: numbers, and no address."""
    return tuple(EndedReason(each.run, each.origin, each.category) for each in ending)


@contextmanager
def selected_contacts(session: Session, wanted: ContactFilter) -> Iterator[SelectedContacts]:
    """The contacts that the filter leaves, all from one state of the store."""
    require_sortable(wanted.sort)
    conditions = []
    bypassing = ""
    criteria = wanted.source.read(session.catalogue)
    if criteria is not None:
        selection = selection_of(session, criteria, emails=wanted.source.emails)
        conditions.append(selection.where(session.store.dialect))
    if wanted.without_waiting:
        _require_deliverable_for_waiting(wanted)
        conditions.append(not_waiting())
    if wanted.group is not None:
        _require_deliverable(wanted)
        group_id, bypasses = _group_and_bypass(session, wanted.group)
        conditions.append(deliverable_in(group_id, bypass_system_wide=bypasses))
        bypassing = wanted.group if bypasses else ""
    elif wanted.deliverable:
        conditions.append(deliverable())
    with session.store.reading() as connection:
        more = 0
        if wanted.counted and wanted.limit is not None:
            more = max(count_where(connection, *conditions) - wanted.limit, 0)
        rows = stream_contacts(
            connection,
            conditions,
            sort=wanted.sort,
            limit=wanted.limit,
            fields=wanted.fields,
        )
        yield SelectedContacts(rows, more, bypassing)


def _require_deliverable(wanted: ContactFilter) -> None:
    if not wanted.deliverable:
        raise UsageError(
            "--group needs --deliverable: the contacts that a campaign to that group may mail",
            hint=f"for all members use --where 'group = {wanted.group}'",
        )


def _require_deliverable_for_waiting(wanted: ContactFilter) -> None:
    if not wanted.deliverable:
        raise UsageError(
            "--without-waiting goes with --deliverable: whom a campaign may mail",
            hint="`contactctl status` says how many wait",
        )


def _group_and_bypass(session: Session, name: str) -> tuple[int, bool]:
    """The group's id, and whether it mails members that are inactive system-wide."""
    group_id, stored_name = group_of(session, name)
    return group_id, policy_in_force(session).group(stored_name).bypass_system_wide


# One new contact, read as strictly as a row of an import


def add_contact(
    session: Session,
    values: Mapping[str, str],
    *,
    groups: Sequence[str] = (),
    tags: Sequence[str] = (),
    reason: str = "",
) -> tuple[int, int]:
    """Add a contact; returns its id and the run's number.

    `values` maps field names to text, `email` among them. UsageError for what cannot be read,
    NotFoundError for an unknown group, RefusedError for an address that exists, RejectedError
    for one that is suppressed.
    """
    key = address_of(values["email"]).key
    plan, converted = staged_row(session, {**values, "group": groups, "tag": tags})
    now = session.clock()
    with (
        exclusive(session.store, CREATING_CONTACTS, wait_seconds=FOR_ONE_CONTACT_S),
        taking_turn(session.store) as connection,
    ):
        for name in groups:
            group_named(connection, name)
        if suppressed_in(session)(connection, [key]):
            raise RejectedError("the address is suppressed")
        _require_new(key, id_of_key(connection, key), contact_of_former(connection, key))
        added = []

        def begin_run(contact_id: int) -> int:
            request = session.request(AddRun(contact_id), reason=reason)
            run_id = insert_done_run(connection, request, now)
            added.append((contact_id, run_id))
            return run_id

        put_in(
            connection,
            plan.layout,
            wave_of(converted.rows, converted, group_ids(connection)),
            now,
            # no deactivation comes along that would name the run
            Creating(0, 0, session.settings.responses.unsubscribes),
            begin_run,
        )
    return added[0]


def _require_new(key: str, owner: int | None, former_owner: int | None) -> None:
    if former_owner is not None:
        raise RefusedError(
            f"contact {former_owner} had this address before",
            hint=f"`contactctl contacts show {show_safely(key)}` shows the contact",
            code="former-address",
        )
    if owner is not None:
        raise RefusedError(
            f"there is already a contact '{show_safely(key)}'",
            hint=f"`contactctl contacts show {show_safely(key)}` shows it",
        )


def address_of(text: str) -> EmailAddress:
    """An address as it was given; UsageError for what is not one."""
    try:
        return parse_email(text)
    except ValueError as error:
        raise UsageError(f"'{show_safely(text)}' is not an email address: {error}") from None


def staged_row(
    session: Session,
    values: Mapping[str, str | Sequence[str]],
    options: ImportOptions = _AS_IT_IS,
) -> tuple[Plan, Converted]:
    """The values by field as one staged row, with the plan it was read by; UsageError for one that
    cannot be given or read."""
    if given := sorted(values.keys() & set(STATUS_FIELDS)):
        raise UsageError(f"'{given[0]}' cannot be given: a contact is added as active")
    names = ColumnNames(options, session.catalogue)
    columns = [FileColumn(name, names.resolve(name)) for name in values]
    for name, reason in names.left_out.items():
        raise UsageError(f"'{name}' cannot be given: {reason}")
    plan = make_plan(
        columns, ColumnReading(session, options), options, from_spreadsheet=False, latest={}
    )
    cells = [
        trim(value) if isinstance(value, str) else list_cell(list(map(trim, value)))
        for value in values.values()
    ]
    converted = convert(plan, Batch(lines=[1], rows=[cells]), Told())
    for reject in converted.rejects:
        raise UsageError(reject.reason)
    return plan, converted
