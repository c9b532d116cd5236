"""One new contact, read as strictly as a row of an import."""

from collections.abc import Mapping, Sequence

from contactctl.domain.emails import parse_email
from contactctl.domain.errors import RefusedError, RejectedError, UsageError
from contactctl.domain.name_cells import list_cell
from contactctl.domain.run_kinds import AddRun
from contactctl.domain.text import show_safely, trim
from contactctl.operations import waits
from contactctl.operations.import_contacts import CREATING_CONTACTS
from contactctl.operations.importing.columns import STATUS_FIELDS, ColumnNames, FileColumn
from contactctl.operations.importing.convert import (
    Converted,
    Plan,
    convert,
    make_plan,
)
from contactctl.operations.importing.options import ImportOptions
from contactctl.operations.importing.reading import ColumnReading
from contactctl.operations.importing.rows import Batch
from contactctl.operations.importing.told import Told
from contactctl.operations.importing.waves import wave_of
from contactctl.operations.session import Session
from contactctl.operations.suppressions import suppressed_in
from contactctl.store.contacts import id_of_key
from contactctl.store.groups import group_ids
from contactctl.store.imported_status import Creating
from contactctl.store.locks import exclusive, serialise
from contactctl.store.named import group_named
from contactctl.store.runs import CONTACT_CHANGES, insert_done_run
from contactctl.store.staging import put_in

_AS_ACTIVE = Creating(run_id=0, last_id=0)  # no deactivation comes along that would name the run


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
    key = _key(values["email"])
    plan, converted = _converted(session, {**values, "group": groups, "tag": tags})
    now = session.clock()
    with (
        exclusive(session.store, CREATING_CONTACTS, wait_seconds=waits.FOR_ONE_CONTACT_S),
        session.store.writing() as connection,
    ):
        serialise(connection, CONTACT_CHANGES)
        for name in groups:
            group_named(connection, name)
        if suppressed_in(session)(connection, [key]):
            raise RejectedError("the address is suppressed")
        if id_of_key(connection, key) is not None:
            raise RefusedError(
                f"there is already a contact '{show_safely(key)}'",
                hint=f"`contactctl contacts show {show_safely(key)}` shows it",
            )
        put_in(
            connection,
            plan.layout,
            wave_of(converted.rows, converted, group_ids(connection)),
            now,
            _AS_ACTIVE,
        )
        contact_id = id_of_key(connection, key)
        if contact_id is None:
            raise AssertionError("the contact was added")
        request = session.request(AddRun(contact_id), reason=reason)
        run_id = insert_done_run(connection, request, identity=session.store.identity, now=now)
    return contact_id, run_id


def _key(email: str) -> str:
    try:
        return parse_email(email).key
    except ValueError as error:
        raise UsageError(f"'{show_safely(email)}' is not an email address: {error}") from None


def _converted(
    session: Session, values: Mapping[str, str | Sequence[str]]
) -> tuple[Plan, Converted]:
    """The values as one staged row, with the plan it was read by."""
    if given := sorted(values.keys() & set(STATUS_FIELDS)):
        raise UsageError(f"'{given[0]}' cannot be given: a contact is added as active")
    options = ImportOptions()
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
