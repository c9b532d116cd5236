"""One contact moved into another, or to another address.

What both had is the other's, and nothing that holds is lost. With another address, a contact's past
stays, and what was only about the old one ends.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import tuple_ as row_value

from contactctl.domain.changes import ChangeKind
from contactctl.domain.contacts import MembershipState, Origin, Status
from contactctl.domain.emails import EmailAddress
from contactctl.domain.policies import OnUnsubscribe
from contactctl.domain.responses import UNSUBSCRIBED, Category
from contactctl.store import tables
from contactctl.store.addresses import keep_address, release_key, set_address, stop_counting
from contactctl.store.changes import note_change, note_each
from contactctl.store.contacts import delete_with_theirs
from contactctl.store.engagement import count_mails
from contactctl.store.fields import FOLDED_COLUMNS, GIVEN_COLUMNS, JSON_COLUMNS
from contactctl.store.predicates import is_open, unsubscribed_from_all
from contactctl.store.responses import adopt_unmatched
from contactctl.store.tables import SYSTEM_WIDE
from contactctl.store.temporary import insert_new, written_columns
from contactctl.store.thresholds.unswept import look_again
from contactctl.store.unsubscribes import obey

_contact = tables.contact
_deactivation = tables.deactivation
_former_address = tables.former_address
_membership = tables.membership
_pushed = tables.pushed_suppression

# of the address alone, which the other contact does not have
_ABOUT_THE_ADDRESS = [each.value for each in Category if each is not Category.SPAM_COMPLAINT]
_LATEST = (
    *("last_opportunity", "last_emailed", "last_opened", "last_clicked"),
    "last_machine_opened",
)
_MOVED_AS_THEY_ARE = (
    *(tables.contact_tag, tables.response, tables.former_membership),
    *(tables.delivery, tables.click, tables.external_id),
)


def merge_contact(
    connection: sa.Connection, gone: int, into: int, run_id: int, now: datetime
) -> None:
    """Move all that is kept of the contact `gone` into another, and delete it.

    What the other has stays; values that it lacks are filled in. A reason to be inactive comes
    along, unless it is about the address that is gone; overrides do not.
    """
    change = note_change(connection, run_id, ChangeKind.MERGED, gone, now, into_id=into)
    keep_address(connection, into, change, run_id, now, of_contact=gone)
    moved = {"contact_id": into, "from_contact": _came_from(_former_address, gone)}
    of_gone = _former_address.c.contact_id == gone
    connection.execute(sa.update(_former_address).where(of_gone).values(moved))
    stop_counting(connection, gone)
    end_about_address(connection, gone, _ABOUT_THE_ADDRESS, run_id, now)
    _move_memberships(connection, gone, into, run_id, now)
    _move_deactivations(connection, gone, into, run_id)
    for table in _MOVED_AS_THEY_ARE:
        _move(connection, table, gone, {"contact_id": sa.literal(into)})
    had = sa.select(tables.response.c.contact_id).where(tables.response.c.contact_id == into)
    look_again(connection, had.distinct())
    _fill_in(connection, gone, into, now)
    count_mails(connection, into, now)
    release_key(connection, gone)
    delete_with_theirs(connection, lambda contact_id: contact_id == gone)
    settle(connection, into, run_id, now)


def end_about_address(
    connection: sa.Connection, contact_id: int, categories: list[str], run_id: int, now: datetime
) -> None:
    """End what is open of these categories, everywhere and in groups."""
    connection.execute(
        sa.update(_deactivation)
        .where(
            _deactivation.c.contact_id == contact_id,
            _deactivation.c.category.in_(categories),
            is_open(),
        )
        .values(ended_at=now, ended_by_run_id=run_id)
    )


def settle(connection: sa.Connection, contact_id: int, run_id: int, now: datetime) -> None:
    """Make status and memberships agree with the reasons that are open now, and tell of it."""
    me = _contact.c.id == contact_id
    status = connection.execute(sa.select(_contact.c.status).where(me)).scalar_one()
    opened = _open_scopes(connection, contact_id)
    if SYSTEM_WIDE in opened and status == Status.ACTIVE:
        note_change(connection, run_id, ChangeKind.DEACTIVATED, contact_id, now)
        values = {"status": Status.INACTIVE, "updated": now}
        connection.execute(sa.update(_contact).where(me).values(values))
    elif SYSTEM_WIDE not in opened and status == Status.INACTIVE:
        note_change(connection, run_id, ChangeKind.REACTIVATED, contact_id, now)
        back = {"status": Status.ACTIVE, "reactivated_at": now, "updated": now}
        connection.execute(sa.update(_contact).where(me).values(back))
    _settle_memberships(connection, contact_id, opened, run_id, now)


def _open_scopes(connection: sa.Connection, contact_id: int) -> set[int]:
    of_contact = sa.and_(_deactivation.c.contact_id == contact_id, is_open())
    return set(connection.execute(sa.select(_deactivation.c.group_id).where(of_contact)).scalars())


def _settle_memberships(
    connection: sa.Connection, contact_id: int, opened: set[int], run_id: int, now: datetime
) -> None:
    """Deactivated where something is open; no override for who unsubscribed from everything."""
    statement = sa.select(_membership.c.group_id, _membership.c.state).where(
        _membership.c.contact_id == contact_id
    )
    takes_none = connection.execute(sa.select(unsubscribed_from_all(contact_id))).scalar_one()
    for group_id, state in connection.execute(statement).all():
        becomes, kind = MembershipState(state), ChangeKind.DEACTIVATED
        if group_id in opened:
            becomes = MembershipState.INACTIVE
        elif state == MembershipState.INACTIVE:
            becomes, kind = MembershipState.FOLLOWS, ChangeKind.REACTIVATED
        elif state == MembershipState.ACTIVE and takes_none:
            becomes, kind = MembershipState.FOLLOWS, ChangeKind.OVERRIDE_CLEARED
        if becomes == state:
            continue
        told = {"group_id": group_id, "state": becomes}
        note_change(connection, run_id, kind, contact_id, now, **told)
        values: dict[str, Any] = {"state": becomes}
        if kind is ChangeKind.REACTIVATED:
            values["reactivated_at"] = now
        connection.execute(
            sa.update(_membership)
            .where(_membership.c.contact_id == contact_id, _membership.c.group_id == group_id)
            .values(values)
        )


def _move_memberships(
    connection: sa.Connection, gone: int, into: int, run_id: int, now: datetime
) -> None:
    """In a group in which both are the other's membership stays. An override is of one contact."""
    # first the numbers: the two contacts may be on different machines
    is_mine = _membership.c.contact_id == into
    mine = connection.execute(sa.select(_membership.c.group_id).where(is_mine)).scalars().all()
    follows = MembershipState.FOLLOWS.value
    overridden = _membership.c.state == MembershipState.ACTIVE
    state = sa.case((overridden, follows), else_=_membership.c.state)
    joins = sa.and_(_membership.c.contact_id == gone, _membership.c.group_id.not_in(mine))
    told = sa.select(sa.literal(into), _membership.c.group_id, state).where(joins)
    note_each(connection, run_id, ChangeKind.JOINED, told, now)
    moved = {"contact_id": sa.literal(into), "state": state, "added": sa.literal(now, _TIME)}
    _move(connection, _membership, gone, moved)


def _move_deactivations(connection: sa.Connection, gone: int, into: int, run_id: int) -> None:
    """Each stays its run's, unless the other has one of that run; then it is this run's."""
    key = [_deactivation.c[name] for name in ("group_id", "run_id", "category")]
    mine = connection.execute(sa.select(*key).where(_deactivation.c.contact_id == into)).all()
    has_alike = row_value(*key).in_([tuple(row) for row in mine]) if mine else sa.false()
    run = sa.case((sa.and_(has_alike, is_open()), run_id), else_=_deactivation.c.run_id)
    moved = {
        "contact_id": sa.literal(into),
        "run_id": run,
        "from_contact": _came_from(_deactivation, gone),
    }
    # where two become one, what the person wished comes first
    first = sa.case((_deactivation.c.origin == Origin.UNSUBSCRIBE, 0), else_=1)
    _move(connection, _deactivation, gone, moved, first)


def _move(
    connection: sa.Connection,
    table: sa.Table,
    gone: int,
    changed: Mapping[str, Any],
    *order: sa.ColumnElement[Any],
) -> None:
    """Rows of one contact as rows of another, but for those whose key that one has already."""
    names = [column.name for column in written_columns(table)]
    chosen = sa.select(*(changed.get(name, table.c[name]) for name in names))
    rows = chosen.where(table.c.contact_id == gone).order_by(*order)
    insert_new(connection, table, names, rows)


def _came_from(table: sa.Table, gone: int) -> sa.ColumnElement[int]:
    return sa.func.coalesce(table.c.from_contact, gone)


def _fill_in(connection: sa.Connection, gone: int, into: int, now: datetime) -> None:
    statement = sa.select(_contact).where(sa.or_(_contact.c.id == gone, _contact.c.id == into))
    rows = {row["id"]: row for row in connection.execute(statement).mappings()}
    theirs, ours = rows[gone], rows[into]
    filled: dict[str, Any] = {
        name: ours[name] if ours[name] is not None else theirs[name] for name in GIVEN_COLUMNS
    }
    for name in _LATEST:
        filled[name] = max((each for each in (ours[name], theirs[name]) if each), default=None)
    for name in FOLDED_COLUMNS:
        whose = ours if ours[name] is not None else theirs
        filled[f"{name}_folded"] = whose[f"{name}_folded"]
    for name in JSON_COLUMNS:
        filled[name] = {**theirs[name], **ours[name]}
    filled["created"] = min(ours["created"], theirs["created"])
    filled |= {"updated": now, "revision": ours["revision"] + 1}
    connection.execute(sa.update(_contact).where(_contact.c.id == into).values(filled))


_TIME = _membership.c.added.type


# Another address for a contact: its past stays, and what was only about the old one ends


_WISHED = (
    "SELECT contact_id, source_key FROM response"  # noqa: S608 (our own words and a number)
    f" WHERE contact_id = {{contact}} AND category = '{UNSUBSCRIBED}'"
)


def give_address(
    connection: sa.Connection,
    contact_id: int,
    address: EmailAddress,
    run_id: int,
    on_unsubscribe: OnUnsubscribe,
    now: datetime,
) -> None:
    """Give the contact an address that no other has, with what waits for one that has it."""
    change = note_change(connection, run_id, ChangeKind.READDRESSED, contact_id, now)
    keep_address(connection, contact_id, change, run_id, now)
    set_address(connection, contact_id, address, now)
    stop_counting(connection, contact_id)
    # no provider was told of the new one
    connection.execute(sa.delete(_pushed).where(_pushed.c.contact_id == contact_id))
    end_about_address(connection, contact_id, [Category.INVALID_ADDRESS.value], run_id, now)
    settle(connection, contact_id, run_id, now)
    if adopt_unmatched(connection, [address.key]):
        obey(connection, _WISHED.format(contact=contact_id), on_unsubscribe, now)
