"""Looking at contacts: one by what a person calls it, or many by filter, in flat memory."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from contactctl.domain.contact_record import ContactRecord
from contactctl.domain.errors import NotFoundError, UsageError
from contactctl.domain.fields import did_you_mean
from contactctl.operations.group_policies import policy_in_force
from contactctl.operations.groups import group_of
from contactctl.operations.select import CriteriaSource, selection_of
from contactctl.operations.session import Session
from contactctl.store.contacts import get_record
from contactctl.store.criteria_sql import where_clause
from contactctl.store.exports import (
    SORTABLE,
    deliverable,
    deliverable_in,
    not_waiting,
    stream_contacts,
)
from contactctl.store.named import contact_named


@dataclass(frozen=True, slots=True)
class ContactFilter:
    """Which contacts: all that match the criteria, if there are any.

    `without_waiting` leaves out whom a plan of thresholds, which waits, would deactivate.
    `deliverable` leaves those that a campaign may mail: one to everybody, or, with `group`, one
    to that group. `sort` is a field, with a minus before it for descending. `fields` are those
    that will be looked at; None: all.
    """

    source: CriteriaSource
    deliverable: bool = False
    without_waiting: bool = False
    group: str | None = None
    sort: str = "id"
    limit: int | None = None
    fields: Collection[str] | None = None


def contact_id_of(session: Session, name: str) -> int:
    """The id of a contact, from its email or its number; NotFoundError where there is none.

    For reading, or to show before a change. What changes it looks it up again in its own
    transaction: somebody else may have deleted it meanwhile.
    """
    with session.store.reading() as connection:
        return contact_named(connection, name)


def show_contact(session: Session, name: str) -> ContactRecord:
    """The contact with that email or number, with everything that is stored about it."""
    contact_id = contact_id_of(session, name)
    with session.store.reading() as connection:
        record = get_record(connection, contact_id)
    if record is None:
        raise NotFoundError(f"contact {contact_id} has just been deleted")
    return record


@contextmanager
def selected_contacts(session: Session, wanted: ContactFilter) -> Iterator[Iterator[ContactRecord]]:
    """The contacts, read as they are taken, all from one state of the store."""
    sort = _sort_field(wanted.sort)
    conditions = []
    criteria = wanted.source.read(session.catalogue)
    if criteria is not None:
        selection = selection_of(session, criteria)
        conditions.append(where_clause(selection.resolved, session.store.dialect))
    if wanted.without_waiting:
        _require_deliverable_for_waiting(wanted)
        conditions.append(not_waiting())
    if wanted.group is not None:
        _require_deliverable(wanted)
        group_id, bypasses = _group_and_bypass(session, wanted.group)
        conditions.append(deliverable_in(group_id, bypass_system_wide=bypasses))
    elif wanted.deliverable:
        conditions.append(deliverable())
    with session.store.reading() as connection:
        yield stream_contacts(
            connection,
            conditions,
            sort=sort,
            descending=wanted.sort.startswith("-"),
            limit=wanted.limit,
            fields=wanted.fields,
        )


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


def _sort_field(sort: str) -> str:
    name = sort.removeprefix("-")
    if name not in SORTABLE:
        hint = did_you_mean(name, list(SORTABLE)) or f"one of {', '.join(SORTABLE)}"
        raise UsageError(f"cannot sort by '{name}'", hint=hint)
    return name
