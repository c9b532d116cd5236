"""Deactivations opened in batches, and one contact brought back; status moves with them."""

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa

from contactctl.domain.changes import ChangeKind
from contactctl.domain.contacts import MembershipState, Origin, Status
from contactctl.domain.groups import scope_name
from contactctl.domain.handling import ContactStanding, Reason
from contactctl.domain.runs import Run, SkipReason
from contactctl.store import tables
from contactctl.store.changes import note_batch, note_change
from contactctl.store.groups import mark_changed
from contactctl.store.handling import complained
from contactctl.store.impact import losses_of_plan
from contactctl.store.plans import Batch, BatchWork, in_batch
from contactctl.store.predicates import is_active, is_open, is_open_system_wide, is_within
from contactctl.store.tables import SYSTEM_WIDE
from contactctl.store.types import UtcInstant

_contact = tables.contact
_deactivation = tables.deactivation
_item = tables.plan_item
_membership = tables.membership

_AS_SHOWN = sa.and_(
    _contact.c.id == _item.c.contact_id,
    is_active(),
    _contact.c.revision == _item.c.revision,
)


def bulk_deactivate(connection: sa.Connection, run: Run, batch: Batch, now: datetime) -> int:
    """Deactivate the batch's contacts that are still as shown, system-wide; returns how many."""
    inactive = sa.update(_contact).values(status=Status.INACTIVE, updated=now)
    as_shown = sa.and_(_AS_SHOWN, in_batch(run.id, batch))
    if connection.dialect.name == "postgresql":
        # the range of ids once more: a dense batch's contacts are read as one stretch
        changed = (
            inactive.where(as_shown, is_within(batch, _contact.c.id))
            .returning(_contact.c.id)
            .cte("changed")
        )
        opened = connection.execute(_opening(run, now, sa.select(changed.c.id))).rowcount
    else:  # SQLite changes one table at a time
        shown = sa.select(_item.c.contact_id).join_from(_item, _contact, as_shown)
        opened = connection.execute(_opening(run, now, shown)).rowcount
        mine = sa.select(_deactivation.c.contact_id).where(
            _is_opened_by(run), is_within(batch, _deactivation.c.contact_id)
        )
        connection.execute(inactive.where(_contact.c.id.in_(mine)))
    if opened:
        kind = ChangeKind.DEACTIVATED
        note_batch(connection, run.id, kind, batch.after + 1, batch.last, now)
    return opened


def bulk_skipped(connection: sa.Connection, run: Run, batch: Batch) -> dict[str, int]:
    """Why the run has left contacts of the batch as they are: reason -> number."""
    mine = sa.exists().where(_deactivation.c.contact_id == _item.c.contact_id, _is_opened_by(run))
    reason = sa.case(
        (_contact.c.id.is_(None), SkipReason.GONE),
        (_contact.c.status != Status.ACTIVE, SkipReason.NOT_ACTIVE),
        else_=SkipReason.CHANGED,
    )
    statement = (
        sa.select(reason, sa.func.count())
        .select_from(_item.outerjoin(_contact, _contact.c.id == _item.c.contact_id))
        .where(in_batch(run.id, batch), ~mine)
        .group_by(reason)
    )
    return {row[0]: row[1] for row in connection.execute(statement)}


def _opening(run: Run, now: datetime, contact_ids: sa.Select[int]) -> sa.Insert:
    (contact_id,) = contact_ids.selected_columns
    opened = contact_ids.with_only_columns(
        contact_id,
        sa.literal(SYSTEM_WIDE, sa.Integer),
        sa.literal(run.id, sa.Integer),
        sa.literal("", sa.Text),
        sa.literal(Origin.BULK.value, sa.Text),
        sa.literal(now, UtcInstant),
    )
    columns = ["contact_id", "group_id", "run_id", "category", "origin", "started_at"]
    return sa.insert(_deactivation).from_select(columns, opened, include_defaults=False)


def _is_opened_by(run: Run) -> sa.ColumnElement[bool]:
    """Not so of what a contact merged into another has brought along."""
    return sa.and_(is_open_of(run.id, _deactivation), _deactivation.c.from_contact.is_(None))


def open_system_wide(contact_id: sa.ColumnElement[int]) -> sa.ColumnElement[bool]:
    """True where a system-wide deactivation of the contact is open."""
    other = _deactivation.alias()
    return sa.exists().where(
        other.c.contact_id == contact_id,
        is_open_system_wide(other),
    )


def is_open_of(run_id: int, table: sa.FromClause) -> sa.ColumnElement[bool]:
    """True for a deactivation that this run opened and nobody has ended."""
    return sa.and_(table.c.run_id == run_id, is_open(table))


DEACTIVATING = BatchWork(
    None,
    bulk_deactivate,
    rights=(("INSERT", "deactivation"), ("UPDATE", "contact")),
    skipped=bulk_skipped,
    impact=losses_of_plan,
)


def deactivate_contact(
    connection: sa.Connection, contact_id: int, run_id: int, now: datetime, *, was_active: bool
) -> None:
    """Open an individual deactivation of one contact, system-wide."""
    opened = {
        "contact_id": contact_id,
        "group_id": SYSTEM_WIDE,
        "run_id": run_id,
        "category": "",
        "origin": Origin.INDIVIDUAL,
        "started_at": now,
    }
    connection.execute(sa.insert(_deactivation).values(opened))
    if was_active:
        note_change(connection, run_id, ChangeKind.DEACTIVATED, contact_id, now)
    inactive = {"status": Status.INACTIVE, "updated": now, "revision": _contact.c.revision + 1}
    connection.execute(sa.update(_contact).where(_contact.c.id == contact_id).values(inactive))


# Bringing one contact back: read what is open, and end exactly that


_group = tables.group


def read_standing(connection: sa.Connection, contact_id: int) -> ContactStanding | None:
    """The contact as it is now; None where there is none of that number."""
    row = connection.execute(
        sa.select(
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
    connection: sa.Connection, contact_id: int, group_id: int, run_id: int, now: datetime
) -> int:
    """End all open deactivations of one scope; returns how many."""
    return connection.execute(
        sa.update(_deactivation)
        .where(
            _deactivation.c.contact_id == contact_id,
            _deactivation.c.group_id == group_id,
            is_open(),
        )
        .values(ended_at=now, ended_by_run_id=run_id)
    ).rowcount


def set_active(connection: sa.Connection, contact_id: int, now: datetime) -> None:
    """Make the contact active again; responses from before count towards no threshold."""
    connection.execute(
        sa.update(_contact)
        .where(_contact.c.id == contact_id)
        .values(
            status=Status.ACTIVE, reactivated_at=now, updated=now, revision=_contact.c.revision + 1
        )
    )


def set_membership(
    connection: sa.Connection,
    contact_id: int,
    group_id: int,
    state: MembershipState,
    now: datetime,
    *,
    brings_back: bool,
) -> None:
    """Give the membership another state; where it brings back, earlier responses count no more."""
    values: dict[str, object] = {"state": state}
    if brings_back:
        values["reactivated_at"] = now
    connection.execute(
        sa.update(_membership)
        .where(_membership.c.contact_id == contact_id, _membership.c.group_id == group_id)
        .values(**values)
    )
    mark_changed(connection, [contact_id], now)


def _open_reasons(connection: sa.Connection, contact_id: int) -> list[Reason]:
    statement = (
        sa.select(
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
    connection: sa.Connection, contact_id: int
) -> Sequence[tuple[int, str, MembershipState]]:
    statement = (
        sa.select(_membership.c.group_id, _group.c.name, _membership.c.state)
        .join(_group, _group.c.id == _membership.c.group_id)
        .where(_membership.c.contact_id == contact_id)
        .order_by(_group.c.name_folded)
    )
    return [(row[0], row[1], MembershipState(row[2])) for row in connection.execute(statement)]
