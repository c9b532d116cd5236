"""How memberships end: who left which group, when and by which run is kept."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, Integer, delete, insert, literal, select

from contactctl.store import tables
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
    connection: Connection, chosen: ColumnElement[bool], run_id: int, now: datetime
) -> int:
    """End the memberships that are `chosen`, in whatever state they are; returns how many."""
    ended = (
        select(
            _membership.c.contact_id,
            literal(run_id, Integer),
            _membership.c.group_id,
            _group.c.name,
            _membership.c.added,
            literal(now, UtcInstant()),
        )
        .join(_group, _group.c.id == _membership.c.group_id)
        .where(chosen)
    )
    columns = ["contact_id", "run_id", "group_id", "group_name", "added", "ended_at"]
    connection.execute(insert(_former).from_select(columns, ended))
    return connection.execute(delete(_membership).where(chosen)).rowcount


def membership_periods(connection: Connection, contact_id: int) -> Sequence[MembershipPeriod]:
    """The groups that a contact was in, then those that it is in."""
    present = (
        select(_group.c.name, _membership.c.added)
        .join(_group, _group.c.id == _membership.c.group_id)
        .where(_membership.c.contact_id == contact_id)
    )
    past = select(_former.c.group_name, _former.c.added, _former.c.ended_at, _former.c.run_id)
    return [
        MembershipPeriod(*row)
        for statement in (past.where(_former.c.contact_id == contact_id), present)
        for row in connection.execute(statement)
    ]
