"""Groups and memberships: how they end is kept, by which run."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from contactctl.domain.changes import ChangeKind
from contactctl.domain.contacts import MembershipState
from contactctl.domain.groups import GroupSummary
from contactctl.domain.run_kinds import RemoveFromGroupRun
from contactctl.domain.text import fold
from contactctl.store import tables
from contactctl.store.changes import change_contacts, note_change, note_each
from contactctl.store.plans import BatchOutcome, BatchWork, Step, settle
from contactctl.store.predicates import has_open, how_many, is_active
from contactctl.store.types import UtcInstant

_membership = tables.membership
_former = tables.former_membership
_group = tables.group


@dataclass(frozen=True, slots=True)
class MembershipPeriod:
    """When a contact was in a group. `ended_at` and `run`, which ended it, are None if it is."""

    group: str
    added: datetime
    ended_at: datetime | None = None
    run: int | None = None


def end_memberships(
    connection: sa.Connection, chosen: sa.ColumnElement[bool], run_id: int, now: datetime
) -> int:
    """End the memberships that are `chosen`, in whatever state they are; returns how many."""
    ended = (
        sa.select(
            _membership.c.contact_id,
            sa.literal(run_id, sa.Integer),
            _membership.c.group_id,
            _group.c.name,
            _membership.c.added,
            sa.literal(now, UtcInstant()),
        )
        .join(_group, _group.c.id == _membership.c.group_id)
        .where(chosen)
    )
    columns = ["contact_id", "run_id", "group_id", "group_name", "added", "ended_at"]
    connection.execute(sa.insert(_former).from_select(columns, ended))
    told = sa.select(_membership.c.contact_id, _membership.c.group_id).where(chosen)
    note_each(connection, run_id, ChangeKind.LEFT, told, now)
    return connection.execute(sa.delete(_membership).where(chosen)).rowcount


def membership_periods(connection: sa.Connection, contact_id: int) -> Sequence[MembershipPeriod]:
    """The groups that a contact was in, then those that it is in."""
    present = (
        sa.select(_group.c.name, _membership.c.added)
        .join(_group, _group.c.id == _membership.c.group_id)
        .where(_membership.c.contact_id == contact_id)
    )
    past = sa.select(_former.c.group_name, _former.c.added, _former.c.ended_at, _former.c.run_id)
    return [
        MembershipPeriod(*row)
        for statement in (past.where(_former.c.contact_id == contact_id), present)
        for row in connection.execute(statement)
    ]


# Groups and memberships


_contact = tables.contact


def group_ids(connection: sa.Connection) -> dict[str, int]:
    """The id of every group, by folded name."""
    return {
        row[0]: row[1] for row in connection.execute(sa.select(_group.c.name_folded, _group.c.id))
    }


def group_names_by_id(connection: sa.Connection) -> dict[int, str]:
    """The name of every group, by id."""
    return {row[0]: row[1] for row in connection.execute(sa.select(_group.c.id, _group.c.name))}


def group_names(connection: sa.Connection) -> list[str]:
    """The name of every group, in order."""
    return list(
        connection.execute(sa.select(_group.c.name).order_by(_group.c.name_folded)).scalars()
    )


def find_group(connection: sa.Connection, name: str) -> tuple[int, str] | None:
    """Id and name of a group, case ignored; None where there is none."""
    statement = sa.select(_group.c.id, _group.c.name).where(_group.c.name_folded == fold(name))
    row = connection.execute(statement).first()
    return None if row is None else (int(row[0]), str(row[1]))


def create_groups(connection: sa.Connection, names: Sequence[str], now: datetime) -> dict[str, int]:
    """New groups of these names, which must not exist; returns their ids by folded name."""
    rows = [
        {"name": name, "name_folded": fold(name), "created": now, "settings": {}} for name in names
    ]
    statement = sa.insert(_group).returning(_group.c.name_folded, _group.c.id)
    return {row[0]: row[1] for row in connection.execute(statement, rows)} if rows else {}


def list_groups(connection: sa.Connection) -> list[GroupSummary]:
    """Every group with its size, in the order of the names."""
    sizes = (
        sa.select(
            _membership.c.group_id,
            sa.func.count().label("members"),
            sa.func.sum(sa.case((is_active(), 1), else_=0)).label("active"),
        )
        .join(_contact, _contact.c.id == _membership.c.contact_id)
        .group_by(_membership.c.group_id)
        .subquery()
    )
    statement = (
        sa.select(_group, sa.func.coalesce(sizes.c.members, 0), sa.func.coalesce(sizes.c.active, 0))
        .outerjoin(sizes, sizes.c.group_id == _group.c.id)
        .order_by(_group.c.name_folded)
    )
    return [
        GroupSummary(row.id, row.name, row.created, int(row[-2]), int(row[-1]))
        for row in connection.execute(statement)
    ]


def add_member(
    connection: sa.Connection, contact_id: int, group_id: int, run_id: int, now: datetime
) -> bool:
    """Make a contact a member; False when it was one already, as it was.

    It follows the contact's status, unless the contact is deactivated in this group still.
    """
    key = {"contact_id": contact_id, "group_id": group_id}
    if connection.execute(sa.select(_membership.c.state).filter_by(**key)).first():
        return False
    is_open = connection.execute(sa.select(has_open(contact_id, group_id))).scalar_one()
    state = MembershipState.INACTIVE if is_open else MembershipState.FOLLOWS
    row = {**key, "state": state, "added": now}
    connection.execute(sa.insert(_membership).values(row))
    told = {"group_id": group_id, "state": state}
    note_change(connection, run_id, ChangeKind.JOINED, contact_id, now, **told)
    change_contacts(connection, _contact.c.id == contact_id, now)
    return True


def remove_member(
    connection: sa.Connection, contact_id: int, group_id: int, run_id: int, now: datetime
) -> bool:
    """End a contact's membership, in whatever state it is; False when there was none."""
    chosen = sa.and_(_membership.c.contact_id == contact_id, _membership.c.group_id == group_id)
    if end_memberships(connection, chosen, run_id, now) == 0:
        return False
    change_contacts(connection, _contact.c.id == contact_id, now)
    return True


# Groups as a whole: renamed, deleted, with settings of their own, and emptied by criteria


_item = tables.plan_item


def stored_settings(connection: sa.Connection) -> dict[str, tuple[str, Mapping[str, Any]]]:
    """Name and settings, by folded name, of the groups that have any of their own."""
    statement = sa.select(_group.c.name_folded, _group.c.name, _group.c.settings)
    return {
        row.name_folded: (row.name, row.settings)
        for row in connection.execute(statement)
        if row.settings
    }


def group_settings(connection: sa.Connection, group_id: int) -> dict[str, Any]:
    """What `groups set` keeps for a group."""
    statement = sa.select(_group.c.settings).where(_group.c.id == group_id)
    return dict(connection.execute(statement).scalar_one())


def set_group_settings(
    connection: sa.Connection, group_id: int, settings: Mapping[str, Any]
) -> None:
    """Keep these settings, in place of all others."""
    connection.execute(
        sa.update(_group).where(_group.c.id == group_id).values(settings=dict(settings))
    )


def rename_group(connection: sa.Connection, group_id: int, name: str) -> None:
    """Give a group another name, which no other group may have."""
    connection.execute(
        sa.update(_group).where(_group.c.id == group_id).values(name=name, name_folded=fold(name))
    )


def count_members(connection: sa.Connection, group_id: int) -> int:
    """How many members a group has, in whatever state."""
    return how_many(connection, _membership, _membership.c.group_id == group_id)


def first_members(connection: sa.Connection, group_id: int, limit: int) -> list[dict[str, Any]]:
    """The first members by id: id, email, status, and state and start of the membership."""
    statement = (
        sa.select(
            _contact.c.id,
            _contact.c.email,
            _contact.c.status,
            _membership.c.state,
            _membership.c.added,
        )
        .join(_membership, _membership.c.contact_id == _contact.c.id)
        .where(_membership.c.group_id == group_id)
        .order_by(_membership.c.contact_id)
        .limit(limit)
    )
    return [dict(row) for row in connection.execute(statement).mappings()]


def delete_group(connection: sa.Connection, group_id: int) -> None:
    """Delete a group that has no members left."""
    connection.execute(sa.delete(_group).where(_group.c.id == group_id))


def members_among(where: sa.ColumnElement[bool], group_id: int) -> sa.ColumnElement[bool]:
    """True for the contacts that fulfil `where` and are members, in whatever state."""
    is_member = sa.exists().where(
        _membership.c.contact_id == _contact.c.id, _membership.c.group_id == group_id
    )
    return sa.and_(is_member, where)


def removal_outcome(step: Step) -> BatchOutcome:
    """How many of the batch are still members, as they were shown; the others leave the plan."""
    still_member = sa.exists().where(
        _membership.c.contact_id == _item.c.contact_id,
        _membership.c.group_id == _item.c.group_id,
    )
    still_member = still_member.correlate(_item)  # two levels out, which is not found by itself
    return settle(step, still_member)


def remove_memberships(step: Step) -> int:
    """Take the batch's contacts out of the group; the contacts stay. Returns how many."""
    step.change_contacts(_contact.c.id.in_(step.contact_ids))
    group_id = step.run.details_as(RemoveFromGroupRun).group_id
    is_theirs = _membership.c.contact_id.in_(step.contact_ids)
    removed = sa.and_(_membership.c.group_id == group_id, is_theirs)
    return end_memberships(step.connection, removed, step.run.id, step.now)


REMOVING_FROM_GROUP = BatchWork(
    removal_outcome,
    remove_memberships,
    rights=(("UPDATE", "contact"), ("DELETE", "membership"), ("INSERT", "former_membership")),
)
