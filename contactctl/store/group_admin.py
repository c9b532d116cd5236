"""Groups as a whole: renamed, deleted, with settings of their own, and emptied by criteria."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Integer,
    and_,
    delete,
    exists,
    func,
    insert,
    literal,
    select,
    update,
)

from contactctl.domain.run_kinds import RemoveFromGroupRun
from contactctl.domain.runs import Run
from contactctl.domain.text import fold
from contactctl.store import tables
from contactctl.store.memberships import end_memberships
from contactctl.store.plans import Batch, BatchOutcome, BatchWork, in_batch, settle

_group = tables.group
_membership = tables.membership
_contact = tables.contact
_item = tables.plan_item


def stored_settings(connection: Connection) -> dict[str, tuple[str, Mapping[str, Any]]]:
    """Name and settings, by folded name, of the groups that have any of their own."""
    statement = select(_group.c.name_folded, _group.c.name, _group.c.settings)
    return {
        row.name_folded: (row.name, row.settings)
        for row in connection.execute(statement)
        if row.settings
    }


def group_settings(connection: Connection, group_id: int) -> dict[str, Any]:
    """What `groups set` keeps for a group."""
    statement = select(_group.c.settings).where(_group.c.id == group_id)
    return dict(connection.execute(statement).scalar_one())


def set_group_settings(connection: Connection, group_id: int, settings: Mapping[str, Any]) -> None:
    """Keep these settings, in place of all others."""
    connection.execute(
        update(_group).where(_group.c.id == group_id).values(settings=dict(settings))
    )


def rename_group(connection: Connection, group_id: int, name: str) -> None:
    """Give a group another name, which no other group may have."""
    connection.execute(
        update(_group).where(_group.c.id == group_id).values(name=name, name_folded=fold(name))
    )


def count_members(connection: Connection, group_id: int) -> int:
    """How many members a group has, in whatever state."""
    statement = (
        select(func.count()).select_from(_membership).where(_membership.c.group_id == group_id)
    )
    return int(connection.execute(statement).scalar_one())


def first_members(connection: Connection, group_id: int, limit: int) -> list[dict[str, Any]]:
    """The first members by id: id, email, status, and state and start of the membership."""
    statement = (
        select(
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


def delete_group(connection: Connection, group_id: int) -> None:
    """Delete a group that has no members left."""
    connection.execute(delete(_group).where(_group.c.id == group_id))


def members_among(where: ColumnElement[bool], group_id: int) -> ColumnElement[bool]:
    """True for the contacts that fulfil `where` and are members, in whatever state."""
    is_member = exists().where(
        _membership.c.contact_id == _contact.c.id, _membership.c.group_id == group_id
    )
    return and_(is_member, where)


def plan_removal(
    connection: Connection, run_id: int, where: ColumnElement[bool], group_id: int
) -> int:
    """Freeze these members of the group; returns how many."""
    chosen = select(
        _contact.c.id,
        literal(run_id, Integer),
        literal(group_id, Integer),
        _contact.c.revision,
    ).where(members_among(where, group_id))
    columns = ["contact_id", "run_id", "group_id", "revision"]
    return connection.execute(insert(_item).from_select(columns, chosen)).rowcount


def removal_outcome(connection: Connection, run: Run, batch: Batch) -> BatchOutcome:
    """How many of the batch are still members, as they were shown; the others leave the plan."""
    still_member = exists().where(
        _membership.c.contact_id == _item.c.contact_id,
        _membership.c.group_id == _item.c.group_id,
    )
    return settle(connection, run, batch, still_member)


def remove_memberships(connection: Connection, run: Run, batch: Batch, now: datetime) -> int:
    """Take the batch's contacts out of the group; the contacts stay. Returns how many."""
    chosen = select(_item.c.contact_id).where(in_batch(run.id, batch))
    connection.execute(
        update(_contact)
        .where(_contact.c.id.in_(chosen))
        .values(revision=_contact.c.revision + 1, updated=now)
    )
    group_id = run.details_as(RemoveFromGroupRun).group_id
    removed = and_(_membership.c.group_id == group_id, _membership.c.contact_id.in_(chosen))
    return end_memberships(connection, removed, run.id, now)


REMOVING_FROM_GROUP = BatchWork(
    removal_outcome,
    remove_memberships,
    rights=(("UPDATE", "contact"), ("DELETE", "membership"), ("INSERT", "former_membership")),
)
