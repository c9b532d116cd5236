"""What taking a run back gives: to the active total, and to what groups mail again."""

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, Select, and_, exists, func, or_, select

from contactctl.domain.contacts import MembershipState, Status
from contactctl.store import tables
from contactctl.store.deactivations import is_only_reason_of
from contactctl.store.losses import members_by_group
from contactctl.store.predicates import is_active
from contactctl.store.tables import SYSTEM_WIDE

_contact = tables.contact
_deactivation = tables.deactivation
_membership = tables.membership


@dataclass(frozen=True, slots=True)
class Regains:
    """Contacts that become active, and by group the members that it does not mail now, and then
    does again."""

    active: int
    members: dict[str, int]


def regains_of_undo(
    connection: Connection, undone: int, contact_ids: Select[int], bypassing: Collection[int]
) -> Regains:
    """When the run `undone` is taken back for these contacts; groups that bypass system-wide
    deactivation (`bypassing`, by id) regain nobody by it."""
    chosen = _contact.c.id.in_(contact_ids)
    comes_back = and_(_contact.c.status == Status.INACTIVE, _ends_in(undone, SYSTEM_WIDE))
    coming_back = select(func.count()).select_from(_contact).where(chosen, comes_back)
    follows_back = and_(
        _membership.c.state == MembershipState.FOLLOWS,
        _membership.c.group_id.not_in(bypassing),
        comes_back,
    )
    back_in_group = and_(
        _membership.c.state == MembershipState.INACTIVE,
        _ends_in(undone, _membership.c.group_id),
        or_(is_active(), comes_back, _membership.c.group_id.in_(bypassing)),
    )
    return Regains(
        int(connection.execute(coming_back).scalar_one()),
        members_by_group(connection, and_(chosen, or_(follows_back, back_in_group))),
    )


def _ends_in(undone: int, group_id: ColumnElement[int] | int) -> ColumnElement[bool]:
    """True where the run's deactivation is the only one that keeps the contact back there."""
    return exists().where(
        _deactivation.c.contact_id == _contact.c.id,
        _deactivation.c.group_id == group_id,
        is_only_reason_of(undone, _deactivation),
    )
