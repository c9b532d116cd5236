"""Groups and memberships."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import Connection, and_, case, func, insert, select, update

from contactctl.domain.contacts import MembershipState
from contactctl.domain.groups import GroupSummary
from contactctl.domain.text import fold
from contactctl.store import tables
from contactctl.store.memberships import end_memberships
from contactctl.store.predicates import is_active

_group = tables.group
_membership = tables.membership
_contact = tables.contact
_deactivation = tables.deactivation


def group_ids(connection: Connection) -> dict[str, int]:
    """The id of every group, by folded name."""
    return {row[0]: row[1] for row in connection.execute(select(_group.c.name_folded, _group.c.id))}


def group_names_by_id(connection: Connection) -> dict[int, str]:
    """The name of every group, by id."""
    return {row[0]: row[1] for row in connection.execute(select(_group.c.id, _group.c.name))}


def group_names(connection: Connection) -> list[str]:
    """The name of every group, in order."""
    return list(connection.execute(select(_group.c.name).order_by(_group.c.name_folded)).scalars())


def scope_name(group_id: int, name: str | None) -> str | None:
    """Where a deactivation holds: None for everywhere, a number for a group that is gone."""
    if group_id == tables.SYSTEM_WIDE:
        return None
    return name if name is not None else f"group {group_id}"


def find_group(connection: Connection, name: str) -> tuple[int, str] | None:
    """Id and name of a group, case ignored; None where there is none."""
    statement = select(_group.c.id, _group.c.name).where(_group.c.name_folded == fold(name))
    row = connection.execute(statement).first()
    return None if row is None else (int(row[0]), str(row[1]))


def create_groups(connection: Connection, names: Sequence[str], now: datetime) -> dict[str, int]:
    """New groups of these names, which must not exist; returns their ids by folded name."""
    rows = [
        {"name": name, "name_folded": fold(name), "created": now, "settings": {}} for name in names
    ]
    statement = insert(_group).returning(_group.c.name_folded, _group.c.id)
    return {row[0]: row[1] for row in connection.execute(statement, rows)} if rows else {}


def list_groups(connection: Connection) -> list[GroupSummary]:
    """Every group with its size, in the order of the names."""
    sizes = (
        select(
            _membership.c.group_id,
            func.count().label("members"),
            func.sum(case((is_active(), 1), else_=0)).label("active"),
        )
        .join(_contact, _contact.c.id == _membership.c.contact_id)
        .group_by(_membership.c.group_id)
        .subquery()
    )
    statement = (
        select(_group, func.coalesce(sizes.c.members, 0), func.coalesce(sizes.c.active, 0))
        .outerjoin(sizes, sizes.c.group_id == _group.c.id)
        .order_by(_group.c.name_folded)
    )
    return [
        GroupSummary(row.id, row.name, row.created, int(row[-2]), int(row[-1]))
        for row in connection.execute(statement)
    ]


def add_member(connection: Connection, contact_id: int, group_id: int, now: datetime) -> bool:
    """Make a contact a member; False when it was one already, as it was.

    It follows the contact's status, unless the contact is deactivated in this group still.
    """
    key = {"contact_id": contact_id, "group_id": group_id}
    if connection.execute(select(_membership.c.state).filter_by(**key)).first():
        return False
    opened = select(_deactivation.c.run_id).filter_by(**key, ended_at=None)
    is_open = connection.execute(opened.limit(1)).first() is not None
    state = MembershipState.INACTIVE if is_open else MembershipState.FOLLOWS
    row = {**key, "state": state, "added": now}
    connection.execute(insert(_membership).values(row))
    mark_changed(connection, [contact_id], now)
    return True


def remove_member(
    connection: Connection, contact_id: int, group_id: int, run_id: int, now: datetime
) -> bool:
    """End a contact's membership, in whatever state it is; False when there was none."""
    chosen = and_(_membership.c.contact_id == contact_id, _membership.c.group_id == group_id)
    if end_memberships(connection, chosen, run_id, now) == 0:
        return False
    mark_changed(connection, [contact_id], now)
    return True


def mark_changed(connection: Connection, contact_ids: Iterable[int], now: datetime) -> None:
    """Tell plans and readers that these contacts' data, tags or memberships have changed."""
    statement = (
        update(_contact)
        .where(_contact.c.id.in_(list(contact_ids)))
        .values(revision=_contact.c.revision + 1, updated=now)
    )
    connection.execute(statement)
