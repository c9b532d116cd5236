"""Writing down what followers are told, reading it in its order, and whom a run has changed.

Each writer works inside a transaction that has its turn to change contacts (locks.serialise).
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any

import sqlalchemy as sa

from contactctl.domain.changes import FOLLOWED, Change, ChangeKind, Outcome
from contactctl.domain.contacts import MembershipState, Origin
from contactctl.domain.groups import scope_name
from contactctl.domain.runs import Run
from contactctl.store import tables
from contactctl.store.fields import is_one_of
from contactctl.store.thresholds.unswept import look_again
from contactctl.store.types import UtcInstant

_change = tables.change
_contact = tables.contact
_deactivation = tables.deactivation
_former = tables.former_membership
_former_address = tables.former_address
_group = tables.group
_membership = tables.membership
_response = tables.response

# a group may have thresholds of its own; of a former address other responses count
_MAKES_DUE = (ChangeKind.JOINED, ChangeKind.READDRESSED)
_PAGE = 1000

Chosen = sa.Select[Any]
"""Selects a contact's id, and after it perhaps a group's, and a membership's state."""


def change_contacts(
    connection: sa.Connection, which: sa.ColumnElement[bool], now: datetime, **values: Any
) -> int:
    """Set columns of contacts, and let plans and readers see that they are not as they were;
    returns how many."""
    revised = {"revision": _contact.c.revision + 1, "updated": now}
    return connection.execute(sa.update(_contact).where(which).values(**revised, **values)).rowcount


def note_change(
    connection: sa.Connection,
    run_id: int,
    kind: ChangeKind,
    contact_id: int,
    now: datetime,
    **values: Any,
) -> int:
    """Tell of one contact; `values` are further columns. Returns the change's number."""
    row = {"run_id": run_id, "kind": kind, "contact_id": contact_id, "at": now, **values}
    statement = sa.insert(_change).values(row).returning(_change.c.number)
    if kind in _MAKES_DUE:
        _look_again(connection, _response.c.contact_id == contact_id)
    return int(connection.execute(statement).scalar_one())


def note_rows(
    connection: sa.Connection,
    run_id: int,
    kind: ChangeKind,
    rows: Collection[Mapping[str, Any]],
    now: datetime,
) -> None:
    """Tell of each of these: `contact_id`, and perhaps `group_id` and `state`."""
    if rows:
        told = [{"run_id": run_id, "kind": kind, "at": now, **row} for row in rows]
        connection.execute(sa.insert(_change), told)
    if rows and kind in _MAKES_DUE:
        ids = {row["contact_id"] for row in rows}
        _look_again(connection, is_one_of(_response.c.contact_id, ids, connection.dialect.name))


def _look_again(connection: sa.Connection, of_contacts: sa.ColumnElement[bool]) -> None:
    look_again(connection, sa.select(_response.c.contact_id).where(of_contacts).distinct())


def note_batch(
    connection: sa.Connection, run_id: int, kind: ChangeKind, first: int, last: int, now: datetime
) -> None:
    """Tell of all contacts of a stretch of ids of whom it is true of this run (`_told_of`)."""
    row = {"run_id": run_id, "kind": kind, "contact_id": first, "last_contact_id": last, "at": now}
    connection.execute(sa.insert(_change).values(row))
    if kind in _MAKES_DUE:
        _look_again(connection, _response.c.contact_id.between(first, last))


def note_each(
    connection: sa.Connection, run_id: int, kind: ChangeKind, chosen: Chosen, now: datetime
) -> int:
    """Tell of each contact that is chosen, before what chooses them changes; returns how many."""
    found = chosen.subquery("found")
    columns = [*found.c]
    names = ["contact_id", "group_id", "state"][: len(columns)]
    told = sa.select(
        *columns,
        sa.literal(run_id, sa.Integer),
        sa.literal(kind.value, sa.Text),
        sa.literal(now, UtcInstant()),
    ).order_by(*columns[:2])
    statement = sa.insert(_change).from_select([*names, "run_id", "kind", "at"], told)
    return connection.execute(statement).rowcount


# Reading


@dataclass(frozen=True, slots=True)
class _Told:
    """One contact of a row of the table."""

    row: sa.RowMapping
    contact_id: int
    group_id: int
    state: str


def last_change(connection: sa.Connection) -> tuple[int, datetime] | None:
    """The number and the time of the latest change; None where there is none yet."""
    statement = sa.select(_change.c.number, _change.c.at).order_by(_change.c.number.desc()).limit(1)
    row = connection.execute(statement).first()
    return None if row is None else (row[0], row[1])


def change_at(connection: sa.Connection, number: int) -> datetime | None:
    """The time of the change of that number; None where there is none."""
    return connection.execute(sa.select(_change.c.at).where(_change.c.number == number)).scalar()


def changes_after(
    connection: sa.Connection, number: int, *, since: datetime | None = None
) -> Iterator[Change]:
    """What followers are told, after a number, in order. The transaction must stay open."""
    where = [_change.c.number > number, _change.c.kind.in_(FOLLOWED)]
    if since is not None:
        where.append(_change.c.at >= since)
    return _changes(connection, sa.and_(*where))


def changes_of_run(
    connection: sa.Connection, run_id: int, kinds: Collection[ChangeKind]
) -> Iterator[Change]:
    """The changes of these kinds that one run has made."""
    return _changes(connection, sa.and_(_change.c.run_id == run_id, _change.c.kind.in_(kinds)))


def _changes(connection: sa.Connection, where: sa.ColumnElement[bool]) -> Iterator[Change]:
    groups = {row.id: row.name for row in connection.execute(sa.select(_group.c.id, _group.c.name))}
    any_former = connection.execute(sa.select(_former_address.c.contact_id).limit(1)).first()
    streamed = connection.execution_options(stream_results=True, yield_per=_PAGE)
    rows = streamed.execute(sa.select(_change).where(where).order_by(_change.c.number)).mappings()
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

    def __init__(self, connection: sa.Connection, ids: Sequence[int], any_former: bool) -> None:
        dialect = connection.dialect.name
        of_these = is_one_of(_contact.c.id, ids, dialect)
        rows = connection.execute(sa.select(_contact.c.id, _contact.c.email).where(of_these))
        # an anonymised contact has a name that is not an address
        self._now = {row.id: row.email for row in rows if "@" in row.email}
        self._former: dict[int, list[tuple[int, str]]] = {}
        if any_former:
            owner = sa.func.coalesce(_former_address.c.from_contact, _former_address.c.contact_id)
            number, email = _former_address.c.change_number, _former_address.c.email
            statement = sa.select(owner.label("owner"), number, email).where(
                sa.or_(
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


def _told_by(connection: sa.Connection, row: sa.RowMapping) -> Iterator[_Told]:
    if row["last_contact_id"] is None:
        yield _Told(row, row["contact_id"], row["group_id"], row["state"])
        return
    streamed = connection.execution_options(stream_results=True, yield_per=_PAGE)
    for found in streamed.execute(_told_of(row)):
        yield _Told(row, found.contact_id, found.group_id, found.state)


def _told_of(row: sa.RowMapping) -> sa.Select[Any]:
    """The contacts of a batch, each with group and state, of whom its row tells."""
    match ChangeKind(row["kind"]):
        case ChangeKind.ADDED:
            none = sa.literal(tables.SYSTEM_WIDE).label("group_id")
            found = sa.select(
                _contact.c.id.label("contact_id"), none, sa.literal("").label("state")
            )
            return found.where(_is_in(row, _contact.c.id)).order_by(_contact.c.id)
        case ChangeKind.JOINED:
            key = (_membership.c.contact_id, _membership.c.group_id)
            joined = sa.and_(_is_in(row, key[0]), _membership.c.added <= row["at"])
            return sa.select(*key, _membership.c.state).where(joined).order_by(*key)
        case kind:
            return _deactivated(row, kind)


def _deactivated(row: sa.RowMapping, kind: ChangeKind) -> sa.Select[Any]:
    """What the run opened; before any record (run 0), all that was open then."""
    opened = _deactivation.c
    if row["run_id"]:
        mine = sa.and_(opened.run_id == row["run_id"], opened.from_contact.is_(None))
    else:
        ends_later = sa.or_(opened.ended_at.is_(None), opened.ended_at > row["at"])
        mine = sa.and_(opened.started_at <= row["at"], ends_later)
    if kind is ChangeKind.UNSUBSCRIBED:
        mine = sa.and_(mine, opened.origin == Origin.UNSUBSCRIBE)
    in_group = MembershipState.INACTIVE.value if kind is ChangeKind.DEACTIVATED else ""
    state = sa.case((opened.group_id == tables.SYSTEM_WIDE, ""), else_=in_group).label("state")
    return (
        sa.select(opened.contact_id, opened.group_id, state)
        .where(_is_in(row, opened.contact_id), mine)
        .group_by(opened.contact_id, opened.group_id)
        .order_by(opened.contact_id, opened.group_id)
    )


def _is_in(row: sa.RowMapping, contact_id: sa.ColumnElement[int]) -> sa.ColumnElement[bool]:
    return contact_id.between(row["contact_id"], row["last_contact_id"])


# Whom a run has changed: from the reasons that it opened and ended, the memberships that it
# ended, and what it has told followers of


ENDED = "ended"
# these have rows of their own, which say more, and which runs from before the record have as well
_FROM_ROWS = (ChangeKind.DEACTIVATED, ChangeKind.LEFT)


def outcomes_of_run(connection: sa.Connection, run: Run) -> Iterator[Outcome]:
    """What the run did, each kind of change in the order of contacts."""
    mine = _deactivation.c.from_contact.is_(None)
    opened = (_deactivation.c.run_id == run.id) & mine
    ended = (_deactivation.c.ended_by_run_id == run.id) & mine
    for statement in (
        _of_deactivations(ChangeKind.DEACTIVATED, _deactivation.c.started_at, opened),
        _of_deactivations(ENDED, _deactivation.c.ended_at, ended),
        _of_memberships(run.id),
    ):
        streamed = connection.execution_options(stream_results=True, yield_per=_PAGE)
        for row in streamed.execute(statement):
            group = scope_name(row.group_id, row.group_name)
            email = _address(row.email)
            yield Outcome(
                row.contact_id, email, row.change, row.at, group, row.origin, row.category
            )
    others = [kind for kind in ChangeKind if kind not in _FROM_ROWS]
    for change in changes_of_run(connection, run.id, others):
        yield Outcome(change.contact, change.email, change.kind, change.at, change.group)


def _of_deactivations(
    change: str, at: sa.ColumnElement[Any], where: sa.ColumnElement[bool]
) -> sa.Select[Any]:
    return (
        sa.select(
            _deactivation.c.contact_id,
            _contact.c.email,
            sa.literal(change).label("change"),
            at.label("at"),
            _deactivation.c.group_id,
            _group.c.name.label("group_name"),
            _deactivation.c.origin,
            _deactivation.c.category,
        )
        .join(_contact, _contact.c.id == _deactivation.c.contact_id)
        .outerjoin(_group, _group.c.id == _deactivation.c.group_id)
        .where(where)
        .order_by(_deactivation.c.contact_id, _deactivation.c.group_id, _deactivation.c.category)
    )


def _of_memberships(run_id: int) -> sa.Select[Any]:
    return (
        sa.select(
            _former.c.contact_id,
            _contact.c.email,
            sa.literal(ChangeKind.LEFT.value).label("change"),
            _former.c.ended_at.label("at"),
            _former.c.group_id,
            _former.c.group_name,
            sa.literal("").label("origin"),
            sa.literal("").label("category"),
        )
        .join(_contact, _contact.c.id == _former.c.contact_id)
        .where(_former.c.run_id == run_id)
        .order_by(_former.c.contact_id, _former.c.group_id)
    )


def _address(email: str) -> str | None:
    """An anonymised contact has a name that is not an address."""
    return email if "@" in email else None
