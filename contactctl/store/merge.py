"""One contact moved into another: what both had is the other's, and nothing that holds is lost."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Table,
    and_,
    case,
    delete,
    exists,
    false,
    func,
    literal,
    or_,
    select,
    update,
)
from sqlalchemy import tuple_ as row_value

from contactctl.domain.changes import ChangeKind
from contactctl.domain.contacts import MembershipState, Origin, Status
from contactctl.domain.responses import Category
from contactctl.store import tables
from contactctl.store.addresses import keep_address, release_key, stop_counting
from contactctl.store.changes import note_change, note_each
from contactctl.store.engagement import count_mails
from contactctl.store.fields import FOLDED_COLUMNS, GIVEN_COLUMNS, JSON_COLUMNS
from contactctl.store.inserts import insert_new
from contactctl.store.predicates import is_open, is_open_system_wide
from contactctl.store.tables import SYSTEM_WIDE
from contactctl.store.thresholds.unswept import look_again

_contact = tables.contact
_deactivation = tables.deactivation
_former_address = tables.former_address
_membership = tables.membership

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


def merge_contact(connection: Connection, gone: int, into: int, run_id: int, now: datetime) -> None:
    """Move all that is kept of the contact `gone` into another, and delete it.

    What the other has stays; values that it lacks are filled in. A reason to be inactive comes
    along, unless it is about the address that is gone; overrides do not.
    """
    change = note_change(connection, run_id, ChangeKind.MERGED, gone, now, into_id=into)
    keep_address(connection, into, change, run_id, now, of_contact=gone)
    moved = {"contact_id": into, "from_contact": _came_from(_former_address, gone)}
    of_gone = _former_address.c.contact_id == gone
    connection.execute(update(_former_address).where(of_gone).values(moved))
    stop_counting(connection, gone)
    end_about_address(connection, gone, _ABOUT_THE_ADDRESS, run_id, now)
    _move_memberships(connection, gone, into, run_id, now)
    _move_deactivations(connection, gone, into, run_id)
    for table in _MOVED_AS_THEY_ARE:
        _move(connection, table, gone, {"contact_id": literal(into)})
    had = select(tables.response.c.contact_id).where(tables.response.c.contact_id == into)
    look_again(connection, had.distinct())
    _fill_in(connection, gone, into, now)
    count_mails(connection, into, now)
    connection.execute(delete(_deactivation).where(_deactivation.c.contact_id == gone))
    release_key(connection, gone)
    connection.execute(delete(_contact).where(_contact.c.id == gone))
    settle(connection, into, run_id, now)


def end_about_address(
    connection: Connection, contact_id: int, categories: list[str], run_id: int, now: datetime
) -> None:
    """End what is open of these categories, everywhere and in groups."""
    connection.execute(
        update(_deactivation)
        .where(
            _deactivation.c.contact_id == contact_id,
            _deactivation.c.category.in_(categories),
            is_open(),
        )
        .values(ended_at=now, ended_by_run_id=run_id)
    )


def settle(connection: Connection, contact_id: int, run_id: int, now: datetime) -> None:
    """Make status and memberships agree with the reasons that are open now, and tell of it."""
    me = _contact.c.id == contact_id
    status = connection.execute(select(_contact.c.status).where(me)).scalar_one()
    opened = _open_scopes(connection, contact_id)
    if SYSTEM_WIDE in opened and status == Status.ACTIVE:
        note_change(connection, run_id, ChangeKind.DEACTIVATED, contact_id, now)
        values = {"status": Status.INACTIVE, "updated": now}
        connection.execute(update(_contact).where(me).values(values))
    elif SYSTEM_WIDE not in opened and status == Status.INACTIVE:
        note_change(connection, run_id, ChangeKind.REACTIVATED, contact_id, now)
        back = {"status": Status.ACTIVE, "reactivated_at": now, "updated": now}
        connection.execute(update(_contact).where(me).values(back))
    _settle_memberships(connection, contact_id, opened, run_id, now)


def _open_scopes(connection: Connection, contact_id: int) -> set[int]:
    of_contact = and_(_deactivation.c.contact_id == contact_id, is_open())
    return set(connection.execute(select(_deactivation.c.group_id).where(of_contact)).scalars())


def _settle_memberships(
    connection: Connection, contact_id: int, opened: set[int], run_id: int, now: datetime
) -> None:
    """Deactivated where something is open; no override for who unsubscribed from everything."""
    statement = select(_membership.c.group_id, _membership.c.state).where(
        _membership.c.contact_id == contact_id
    )
    unsubscribed = exists().where(
        _deactivation.c.contact_id == contact_id,
        _deactivation.c.origin == Origin.UNSUBSCRIBE,
        is_open_system_wide(),
    )
    takes_none = connection.execute(select(unsubscribed)).scalar_one()
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
            update(_membership)
            .where(_membership.c.contact_id == contact_id, _membership.c.group_id == group_id)
            .values(values)
        )


def _move_memberships(
    connection: Connection, gone: int, into: int, run_id: int, now: datetime
) -> None:
    """In a group in which both are the other's membership stays. An override is of one contact."""
    # first the numbers: the two contacts may be on different machines
    is_mine = _membership.c.contact_id == into
    mine = connection.execute(select(_membership.c.group_id).where(is_mine)).scalars().all()
    follows = MembershipState.FOLLOWS.value
    overridden = _membership.c.state == MembershipState.ACTIVE
    state = case((overridden, follows), else_=_membership.c.state)
    joins = and_(_membership.c.contact_id == gone, _membership.c.group_id.not_in(mine))
    told = select(literal(into), _membership.c.group_id, state).where(joins)
    note_each(connection, run_id, ChangeKind.JOINED, told, now)
    moved = {"contact_id": literal(into), "state": state, "added": literal(now, _TIME)}
    _move(connection, _membership, gone, moved)


def _move_deactivations(connection: Connection, gone: int, into: int, run_id: int) -> None:
    """Each stays its run's, unless the other has one of that run; then it is this run's."""
    key = [_deactivation.c[name] for name in ("group_id", "run_id", "category")]
    mine = connection.execute(select(*key).where(_deactivation.c.contact_id == into)).all()
    has_alike = row_value(*key).in_([tuple(row) for row in mine]) if mine else false()
    run = case((and_(has_alike, is_open()), run_id), else_=_deactivation.c.run_id)
    moved = {
        "contact_id": literal(into),
        "run_id": run,
        "from_contact": _came_from(_deactivation, gone),
    }
    # where two become one, what the person wished comes first
    first = case((_deactivation.c.origin == Origin.UNSUBSCRIBE, 0), else_=1)
    _move(connection, _deactivation, gone, moved, first)


def _move(
    connection: Connection,
    table: Table,
    gone: int,
    changed: Mapping[str, Any],
    *order: ColumnElement[Any],
) -> None:
    """Rows of one contact as rows of another, but for those whose key that one has already."""
    names = table.columns.keys()
    chosen = select(*(changed.get(name, table.c[name]) for name in names))
    rows = chosen.where(table.c.contact_id == gone).order_by(*order)
    insert_new(connection, table, names, rows)


def _came_from(table: Table, gone: int) -> ColumnElement[int]:
    return func.coalesce(table.c.from_contact, gone)


def _fill_in(connection: Connection, gone: int, into: int, now: datetime) -> None:
    statement = select(_contact).where(or_(_contact.c.id == gone, _contact.c.id == into))
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
    connection.execute(update(_contact).where(_contact.c.id == into).values(filled))


_TIME = _membership.c.added.type
