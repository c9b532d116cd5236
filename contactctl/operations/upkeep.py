"""One contact looked after by hand: its data edited, or the contact deactivated."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from contactctl.domain.contacts import Origin, Status
from contactctl.domain.criteria.fields import did_you_mean
from contactctl.domain.errors import NotFoundError, RefusedError, UsageError
from contactctl.domain.handling import ContactStanding
from contactctl.domain.run_kinds import DeactivateRun
from contactctl.domain.text import show_safely
from contactctl.domain.upkeep_kinds import EditRun
from contactctl.operations.contacts import contact_id_of, staged_row
from contactctl.operations.importing.columns import STATUS_FIELDS, importable_fields
from contactctl.operations.importing.options import ImportOptions
from contactctl.operations.importing.waves import wave_of
from contactctl.operations.session import Session
from contactctl.store.addresses import id_of_key
from contactctl.store.database.locks import serialise
from contactctl.store.impact import count_active
from contactctl.store.imported_status import Creating
from contactctl.store.imports import put_in
from contactctl.store.reactivation import deactivate_contact, read_standing
from contactctl.store.runs import CONTACT_CHANGES, insert_done_run
from contactctl.store.tables import SYSTEM_WIDE

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
    with session.store.writing() as connection:
        serialise(connection, CONTACT_CHANGES)
        if id_of_key(connection, contact.email_key) != contact.id:
            raise RefusedError(f"contact {contact.id} has just been changed; nothing was changed")
        run_id = insert_done_run(connection, request, identity=session.store.identity, now=now)
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


# Deactivating one contact


@dataclass(frozen=True, slots=True)
class Deactivated:
    """What was done to the contact; `run` None: somebody had done so before."""

    contact: ContactStanding
    run: int | None


def read_one(session: Session, name: str) -> ContactStanding:
    """The contact by email or number; RefusedError for one that was anonymised."""
    contact_id = contact_id_of(session, name)
    with session.store.reading() as connection:
        contact = read_standing(connection, contact_id)
    if contact is None:
        raise NotFoundError(f"contact {contact_id} has just been deleted")
    if contact.is_erased:
        raise RefusedError(f"contact {contact_id} was anonymised; nothing is left to change")
    return contact


def is_deactivated_by_hand(contact: ContactStanding) -> bool:
    """Whether nothing would change: an individual deactivation of it is open system-wide."""
    reasons = contact.reasons_in(SYSTEM_WIDE)
    return any(each.origin is Origin.INDIVIDUAL for each in reasons)


def deactivate_one(session: Session, contact: ContactStanding, *, reason: str = "") -> Deactivated:
    """Deactivate the contact that was shown, system-wide, until somebody reactivates it.

    One that is inactive already has a further reason then, which no rule ends.
    """
    if is_deactivated_by_hand(contact):
        return Deactivated(contact, None)
    now = session.clock()
    request = session.request(DeactivateRun(contact=contact.id), reason=reason)
    with session.store.writing() as connection:
        serialise(connection, CONTACT_CHANGES)
        if read_standing(connection, contact.id) != contact:
            raise RefusedError(
                "the contact has changed since it was shown; nothing was changed",
                hint="look at it again",
                code="changed-since-shown",
            )
        active, was_active = count_active(connection), contact.status is Status.ACTIVE
        run_id = insert_done_run(
            connection,
            request,
            identity=session.store.identity,
            now=now,
            values={"active_before": active, "active_after": active - was_active},
        )
        deactivate_contact(connection, contact.id, run_id, now, was_active=was_active)
    return Deactivated(contact, run_id)
