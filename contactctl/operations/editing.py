"""One contact added or edited: its values are read as strictly as a row of an import."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from contactctl.domain.criteria.fields import did_you_mean
from contactctl.domain.errors import RefusedError, RejectedError, UsageError
from contactctl.domain.name_cells import list_cell
from contactctl.domain.run_kinds import AddRun
from contactctl.domain.text import show_safely, trim
from contactctl.domain.upkeep_kinds import EditRun
from contactctl.domain.waits import FOR_ONE_CONTACT_S
from contactctl.operations.contacts import address_of
from contactctl.operations.importing.batches import ColumnReading, wave_of
from contactctl.operations.importing.columns import (
    STATUS_FIELDS,
    ColumnNames,
    FileColumn,
    importable_fields,
)
from contactctl.operations.importing.convert import Converted, Plan, convert, make_plan
from contactctl.operations.importing.load import CREATING_CONTACTS
from contactctl.operations.importing.options import ImportOptions
from contactctl.operations.importing.rows import Batch
from contactctl.operations.importing.told import Told
from contactctl.operations.session import Session
from contactctl.operations.suppressions import suppressed_in
from contactctl.operations.upkeep import read_one
from contactctl.store.addresses import contact_of_former, id_of_key
from contactctl.store.contacts import group_named
from contactctl.store.database.locks import exclusive, taking_turn
from contactctl.store.groups import group_ids
from contactctl.store.imported_status import Creating
from contactctl.store.imports import put_in
from contactctl.store.runs import insert_done_run

_AS_IT_IS = ImportOptions()
_OTHERWISE: Mapping[str, str] = {
    "email": "`contactctl contacts readdress` gives a contact another address",
    "tag": "`contactctl tags add` and `contactctl tags remove` change tags",
    **dict.fromkeys(
        ("group", "group_active", "group_inactive"),
        "`contactctl groups add` and `contactctl groups remove` change memberships",
    ),
    **dict.fromkeys(
        STATUS_FIELDS, "`contactctl deactivate` and `contactctl reactivate` change the status"
    ),
    "created": "when a contact was added stays as it is",
}


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


@dataclass(frozen=True, slots=True)
class Edited:
    """The contact, and the fields that were given or taken away; `run` None: all was so already."""

    contact: int
    fields: tuple[str, ...]
    run: int | None


def edit_contact(
    session: Session,
    name: str,
    values: Mapping[str, str],
    unset: Collection[str],
    *,
    reason: str = "",
) -> Edited:
    """Give fields of one contact other values, or (`unset`) none, from texts as in an import.

    UsageError for a field that cannot be edited, or a text that is not such a value.
    """
    given = _by_field(session, values, unset)
    contact = read_one(session, name)
    options = ImportOptions(empty_clears=True)
    plan, converted = staged_row(session, {"email": contact.email, **given}, options)
    now, fields = session.clock(), tuple(given)
    request = session.request(EditRun(contact.id, fields), reason=reason)
    with taking_turn(session.store) as connection:
        if id_of_key(connection, contact.email_key) != contact.id:
            raise RefusedError(f"contact {contact.id} has just been changed; nothing was changed")
        run_id = insert_done_run(connection, request, now)
        counts = put_in(
            connection,
            plan.layout,
            wave_of(converted.rows, converted, {}),
            now,
            Creating(run_id, contact.id, session.settings.responses.unsubscribes),
        )
        if not counts.updated:
            connection.rollback()
            return Edited(contact.id, fields, None)
    return Edited(contact.id, fields, run_id)


def _by_field(
    session: Session, values: Mapping[str, str], unset: Collection[str]
) -> dict[str, str]:
    """Each text by its field's name, '' for what is to be unset."""
    if not values and not unset:
        raise UsageError("nothing to change", hint="give --set 'FIELD=VALUE' or --unset FIELD")
    editable = {
        field.name.casefold(): field.name
        for field in importable_fields(session.catalogue)
        if field.name not in _OTHERWISE
    }
    found: dict[str, str] = {}
    for name, text in [*values.items(), *((name, "") for name in unset)]:
        field = editable.get(name.strip().casefold())
        if field is None:
            hint = _OTHERWISE.get(name.strip().casefold()) or did_you_mean(
                name, list(editable.values())
            )
            raise UsageError(
                f"'{show_safely(name)}' is not a field that can be edited",
                hint=hint or f"fields: {', '.join(editable.values())}",
            )
        if field in found:
            raise UsageError(f"'{field}' is given twice")
        if name in values and not text.strip():
            raise UsageError(f"'{field}' has no value", hint=f"--unset {field} takes it away")
        found[field] = text
    return found
