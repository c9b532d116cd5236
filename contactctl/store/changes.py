"""Writing down what followers are told, and reading it in its order.

Each writer works inside a transaction that has its turn to change contacts (locks.serialise).
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Integer,
    RowMapping,
    Select,
    Text,
    and_,
    case,
    func,
    insert,
    literal,
    or_,
    select,
)

from contactctl.domain.changes import FOLLOWED, Change, ChangeKind
from contactctl.domain.contacts import MembershipState, Origin
from contactctl.store import tables
from contactctl.store.fields import is_one_of
from contactctl.store.thresholds.unswept import look_again
from contactctl.store.types import UtcInstant

_change = tables.change
_contact = tables.contact
_deactivation = tables.deactivation
_former_address = tables.former_address
_group = tables.group
_membership = tables.membership
_response = tables.response

# a group may have thresholds of its own; of a former address other responses count
_MAKES_DUE = (ChangeKind.JOINED, ChangeKind.READDRESSED)
_PAGE = 1000

Chosen = Select[Any]
"""Selects a contact's id, and after it perhaps a group's, and a membership's state."""


def note_change(
    connection: Connection,
    run_id: int,
    kind: ChangeKind,
    contact_id: int,
    now: datetime,
    **values: Any,
) -> int:
    """Tell of one contact; `values` are further columns. Returns the change's number."""
    row = {"run_id": run_id, "kind": kind, "contact_id": contact_id, "at": now, **values}
    statement = insert(_change).values(row).returning(_change.c.number)
    if kind in _MAKES_DUE:
        _look_again(connection, _response.c.contact_id == contact_id)
    return int(connection.execute(statement).scalar_one())


def note_rows(
    connection: Connection,
    run_id: int,
    kind: ChangeKind,
    rows: Collection[Mapping[str, Any]],
    now: datetime,
) -> None:
    """Tell of each of these: `contact_id`, and perhaps `group_id` and `state`."""
    if rows:
        told = [{"run_id": run_id, "kind": kind, "at": now, **row} for row in rows]
        connection.execute(insert(_change), told)
    if rows and kind in _MAKES_DUE:
        ids = {row["contact_id"] for row in rows}
        _look_again(connection, is_one_of(_response.c.contact_id, ids, connection.dialect.name))


def _look_again(connection: Connection, of_contacts: ColumnElement[bool]) -> None:
    look_again(connection, select(_response.c.contact_id).where(of_contacts).distinct())


def note_batch(
    connection: Connection, run_id: int, kind: ChangeKind, first: int, last: int, now: datetime
) -> None:
    """Tell of all contacts of a stretch of ids of whom it is true of this run (`_told_of`)."""
    row = {"run_id": run_id, "kind": kind, "contact_id": first, "last_contact_id": last, "at": now}
    connection.execute(insert(_change).values(row))
    if kind in _MAKES_DUE:
        _look_again(connection, _response.c.contact_id.between(first, last))


def note_each(
    connection: Connection, run_id: int, kind: ChangeKind, chosen: Chosen, now: datetime
) -> int:
    """Tell of each contact that is chosen, before what chooses them changes; returns how many."""
    found = chosen.subquery("found")
    columns = [*found.c]
    names = ["contact_id", "group_id", "state"][: len(columns)]
    told = select(
        *columns,
        literal(run_id, Integer),
        literal(kind.value, Text),
        literal(now, UtcInstant()),
    ).order_by(*columns[:2])
    statement = insert(_change).from_select([*names, "run_id", "kind", "at"], told)
    return connection.execute(statement).rowcount


# Reading


@dataclass(frozen=True, slots=True)
class _Told:
    """One contact of a row of the table."""

    row: RowMapping
    contact_id: int
    group_id: int
    state: str


def last_change(connection: Connection) -> tuple[int, datetime] | None:
    """The number and the time of the latest change; None where there is none yet."""
    statement = select(_change.c.number, _change.c.at).order_by(_change.c.number.desc()).limit(1)
    row = connection.execute(statement).first()
    return None if row is None else (row[0], row[1])


def change_at(connection: Connection, number: int) -> datetime | None:
    """The time of the change of that number; None where there is none."""
    return connection.execute(select(_change.c.at).where(_change.c.number == number)).scalar()


def changes_after(
    connection: Connection, number: int, *, since: datetime | None = None
) -> Iterator[Change]:
    """What followers are told, after a number, in order. The transaction must stay open."""
    where = [_change.c.number > number, _change.c.kind.in_(FOLLOWED)]
    if since is not None:
        where.append(_change.c.at >= since)
    return _changes(connection, and_(*where))


def changes_of_run(
    connection: Connection, run_id: int, kinds: Collection[ChangeKind]
) -> Iterator[Change]:
    """The changes of these kinds that one run has made."""
    return _changes(connection, and_(_change.c.run_id == run_id, _change.c.kind.in_(kinds)))


def _changes(connection: Connection, where: ColumnElement[bool]) -> Iterator[Change]:
    groups = {row.id: row.name for row in connection.execute(select(_group.c.id, _group.c.name))}
    any_former = connection.execute(select(_former_address.c.contact_id).limit(1)).first()
    streamed = connection.execution_options(stream_results=True, yield_per=_PAGE)
    rows = streamed.execute(select(_change).where(where).order_by(_change.c.number)).mappings()
    told = (each for row in rows for each in _told_by(connection, row))
    while page := list(islice(told, _PAGE)):
        addresses = _Addresses(connection, [each.contact_id for each in page], bool(any_former))
        for each in page:
            yield _to_change(each, addresses, groups)


def _to_change(told: _Told, addresses: "_Addresses", groups: dict[int, str]) -> Change:
    row = told.row
    in_group = told.group_id != tables.SYSTEM_WIDE
    return Change(
        number=row["number"],
        at=row["at"],
        kind=ChangeKind(row["kind"]),
        contact=told.contact_id,
        email=addresses.after(told.contact_id, row["number"]),
        previous_email=addresses.taken_by(told.contact_id, row["number"]),
        group_id=told.group_id if in_group else None,
        group=groups.get(told.group_id, f"group {told.group_id}") if in_group else None,
        state=told.state,
        into=row["into_id"],
        run=row["run_id"] or None,
    )


class _Addresses:
    """The addresses of some contacts, now and at each change before."""

    def __init__(self, connection: Connection, ids: Sequence[int], any_former: bool) -> None:
        dialect = connection.dialect.name
        of_these = is_one_of(_contact.c.id, ids, dialect)
        rows = connection.execute(select(_contact.c.id, _contact.c.email).where(of_these))
        # an anonymised contact has a name that is not an address
        self._now = {row.id: row.email for row in rows if "@" in row.email}
        self._former: dict[int, list[tuple[int, str]]] = {}
        if any_former:
            owner = func.coalesce(_former_address.c.from_contact, _former_address.c.contact_id)
            number, email = _former_address.c.change_number, _former_address.c.email
            statement = select(owner.label("owner"), number, email).where(
                or_(
                    is_one_of(_former_address.c.contact_id, ids, dialect),
                    is_one_of(_former_address.c.from_contact, ids, dialect),
                )
            )
            for row in connection.execute(statement.order_by(number)):
                self._former.setdefault(row.owner, []).append((row.change_number, row.email))

    def after(self, contact_id: int, number: int) -> str | None:
        later = (email for until, email in self._former.get(contact_id, ()) if until > number)
        return next(later, self._now.get(contact_id))

    def taken_by(self, contact_id: int, number: int) -> str | None:
        return dict(self._former.get(contact_id, ())).get(number)


def _told_by(connection: Connection, row: RowMapping) -> Iterator[_Told]:
    if row["last_contact_id"] is None:
        yield _Told(row, row["contact_id"], row["group_id"], row["state"])
        return
    streamed = connection.execution_options(stream_results=True, yield_per=_PAGE)
    for found in streamed.execute(_told_of(row)):
        yield _Told(row, found.contact_id, found.group_id, found.state)


def _told_of(row: RowMapping) -> Select[Any]:
    """The contacts of a batch, each with group and state, of whom its row tells."""
    match ChangeKind(row["kind"]):
        case ChangeKind.ADDED:
            none = literal(tables.SYSTEM_WIDE).label("group_id")
            found = select(_contact.c.id.label("contact_id"), none, literal("").label("state"))
            return found.where(_is_in(row, _contact.c.id)).order_by(_contact.c.id)
        case ChangeKind.JOINED:
            key = (_membership.c.contact_id, _membership.c.group_id)
            joined = and_(_is_in(row, key[0]), _membership.c.added <= row["at"])
            return select(*key, _membership.c.state).where(joined).order_by(*key)
        case kind:
            return _deactivated(row, kind)


def _deactivated(row: RowMapping, kind: ChangeKind) -> Select[Any]:
    """What the run opened; before any record (run 0), all that was open then."""
    opened = _deactivation.c
    if row["run_id"]:
        mine = and_(opened.run_id == row["run_id"], opened.from_contact.is_(None))
    else:
        ends_later = or_(opened.ended_at.is_(None), opened.ended_at > row["at"])
        mine = and_(opened.started_at <= row["at"], ends_later)
    if kind is ChangeKind.UNSUBSCRIBED:
        mine = and_(mine, opened.origin == Origin.UNSUBSCRIBE)
    in_group = MembershipState.INACTIVE.value if kind is ChangeKind.DEACTIVATED else ""
    state = case((opened.group_id == tables.SYSTEM_WIDE, ""), else_=in_group).label("state")
    return (
        select(opened.contact_id, opened.group_id, state)
        .where(_is_in(row, opened.contact_id), mine)
        .group_by(opened.contact_id, opened.group_id)
        .order_by(opened.contact_id, opened.group_id)
    )


def _is_in(row: RowMapping, contact_id: ColumnElement[int]) -> ColumnElement[bool]:
    return contact_id.between(row["contact_id"], row["last_contact_id"])
