"""Bringing one contact back: read what is open, and end exactly that."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, select, update

from contactctl.domain.contacts import MembershipState, Origin, Status
from contactctl.domain.reactivation import ContactStanding, Reason
from contactctl.store import tables
from contactctl.store.groups import scope_name
from contactctl.store.handling_sql import complained
from contactctl.store.predicates import is_open

_contact = tables.contact
_deactivation = tables.deactivation
_group = tables.group
_membership = tables.membership


def read_standing(connection: Connection, contact_id: int) -> ContactStanding | None:
    """The contact as it is now; None where there is none of that number."""
    row = connection.execute(
        select(
            _contact.c.id,
            _contact.c.email,
            _contact.c.email_key,
            _contact.c.status,
            _contact.c.revision,
            complained(_contact.c.id).label("complained"),
        ).where(_contact.c.id == contact_id)
    ).first()
    if row is None:
        return None
    return ContactStanding(
        row.id,
        row.email,
        row.email_key,
        Status(row.status),
        row.revision,
        bool(row.complained),
        tuple(_open_reasons(connection, contact_id)),
        tuple(_memberships(connection, contact_id)),
    )


def end_reasons(
    connection: Connection, contact_id: int, group_id: int, run_id: int, now: datetime
) -> int:
    """End all open deactivations of one scope; returns how many."""
    return connection.execute(
        update(_deactivation)
        .where(
            _deactivation.c.contact_id == contact_id,
            _deactivation.c.group_id == group_id,
            is_open(),
        )
        .values(ended_at=now, ended_by_run_id=run_id)
    ).rowcount


def set_active(connection: Connection, contact_id: int, now: datetime) -> None:
    """Make the contact active again; responses from before count towards no threshold."""
    connection.execute(
        update(_contact)
        .where(_contact.c.id == contact_id)
        .values(status=Status.ACTIVE, reactivated_at=now, revision=_contact.c.revision + 1)
    )


def set_membership(
    connection: Connection,
    contact_id: int,
    group_id: int,
    state: MembershipState,
    *,
    reactivated_at: datetime | None,
) -> None:
    """Give the membership another state; with `reactivated_at` earlier responses count no more."""
    values: dict[str, object] = {"state": state}
    if reactivated_at is not None:
        values["reactivated_at"] = reactivated_at
    connection.execute(
        update(_membership)
        .where(_membership.c.contact_id == contact_id, _membership.c.group_id == group_id)
        .values(**values)
    )
    connection.execute(
        update(_contact).where(_contact.c.id == contact_id).values(revision=_contact.c.revision + 1)
    )


def _open_reasons(connection: Connection, contact_id: int) -> list[Reason]:
    statement = (
        select(
            _deactivation.c.group_id,
            _group.c.name,
            _deactivation.c.run_id,
            _deactivation.c.origin,
            _deactivation.c.category,
            _deactivation.c.started_at,
        )
        .outerjoin(_group, _group.c.id == _deactivation.c.group_id)
        .where(_deactivation.c.contact_id == contact_id, is_open())
        .order_by(_deactivation.c.group_id, _deactivation.c.started_at, _deactivation.c.category)
    )
    return [
        Reason(
            row.group_id,
            scope_name(row.group_id, row.name),
            row.run_id,
            Origin(row.origin),
            row.category,
            row.started_at,
        )
        for row in connection.execute(statement)
    ]


def _memberships(
    connection: Connection, contact_id: int
) -> Sequence[tuple[int, str, MembershipState]]:
    statement = (
        select(_membership.c.group_id, _group.c.name, _membership.c.state)
        .join(_group, _group.c.id == _membership.c.group_id)
        .where(_membership.c.contact_id == contact_id)
        .order_by(_group.c.name_folded)
    )
    return [(row[0], row[1], MembershipState(row[2])) for row in connection.execute(statement)]
