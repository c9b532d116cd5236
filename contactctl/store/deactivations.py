"""Deactivations opened in batches, and one contact brought back; status moves with them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from contactctl.domain.changes import ChangeKind
from contactctl.domain.contacts import MembershipState, Origin, Status
from contactctl.domain.errors import NotFoundError, RefusedError
from contactctl.domain.groups import scope_name
from contactctl.domain.handling import ContactStanding, Reason
from contactctl.domain.runs import Run, SkipReason
from contactctl.store import tables
from contactctl.store.changes import change_contacts, note_batch, note_change
from contactctl.store.handling import complained
from contactctl.store.impact import losses_of_plan
from contactctl.store.plans import BatchWork, Step
from contactctl.store.predicates import is_active, is_open, is_open_of
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


def bulk_deactivate(step: Step) -> int:
    """Deactivate the batch's contacts that are still as shown, system-wide; returns how many."""
    inactive = sa.update(_contact).values(status=Status.INACTIVE, updated=step.now)
    as_shown = sa.and_(_AS_SHOWN, step.items)
    if step.connection.dialect.name == "postgresql":
        # the range of ids once more: a dense batch's contacts are read as one stretch
        changed = (
            inactive.where(as_shown, step.covers(_contact.c.id))
            .returning(_contact.c.id)
            .cte("changed")
        )
        opened = open_each(step, Origin.BULK, sa.select(changed.c.id))
    else:  # SQLite changes one table at a time
        shown = sa.select(_item.c.contact_id).join_from(_item, _contact, as_shown)
        opened = open_each(step, Origin.BULK, shown)
        mine = sa.select(_deactivation.c.contact_id).where(
            _is_opened_by(step.run), step.covers(_deactivation.c.contact_id)
        )
        step.do(inactive.where(_contact.c.id.in_(mine)))
    if opened:
        stretch = (step.batch.after + 1, step.batch.last)
        note_batch(step.connection, step.run.id, ChangeKind.DEACTIVATED, *stretch, step.now)
    return opened


def bulk_skipped(step: Step) -> dict[str, int]:
    """Why the run has left contacts of the batch as they are: reason -> number."""
    is_mine = _is_opened_by(step.run)
    mine = sa.exists().where(_deactivation.c.contact_id == _item.c.contact_id, is_mine)
    reason = sa.case(
        (_contact.c.id.is_(None), SkipReason.GONE),
        (_contact.c.status != Status.ACTIVE, SkipReason.NOT_ACTIVE),
        else_=SkipReason.CHANGED,
    )
    statement = (
        sa.select(reason, sa.func.count())
        .select_from(_item.outerjoin(_contact, _contact.c.id == _item.c.contact_id))
        .where(step.items, ~mine)
        .group_by(reason)
    )
    return {row[0]: row[1] for row in step.connection.execute(statement)}


def open_each(step: Step, origin: Origin, chosen: sa.Select[Any]) -> int:
    """Open a deactivation for each (contact id, group id, category) that is chosen, system-wide
    where only contact ids are; returns how many."""
    contact_id, *scope = chosen.selected_columns
    opened = chosen.with_only_columns(
        contact_id,
        *(scope or (sa.literal(SYSTEM_WIDE, sa.Integer), sa.literal("", sa.Text))),
        sa.literal(step.run.id, sa.Integer),
        sa.literal(origin.value, sa.Text),
        sa.literal(step.now, UtcInstant),
        maintain_column_froms=True,
    )
    columns = ["contact_id", "group_id", "category", "run_id", "origin", "started_at"]
    return step.do(sa.insert(_deactivation).from_select(columns, opened, include_defaults=False))


def _is_opened_by(run: Run) -> sa.ColumnElement[bool]:
    """Not so of what a contact merged into another has brought along."""
    return sa.and_(is_open_of(run.id), _deactivation.c.from_contact.is_(None))


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
    change_contacts(connection, _contact.c.id == contact_id, now, status=Status.INACTIVE)


# Bringing one contact back: read what is open, and end exactly that


_group = tables.group


def read_standing(connection: sa.Connection, contact_id: int) -> ContactStanding:
    """The contact as it is now; NotFoundError where there is none of that number."""
    columns = ("id", "email", "email_key", "status", "revision")
    is_complained = complained(_contact.c.id).label("complained")
    statement = sa.select(*(_contact.c[name] for name in columns), is_complained)
    row = connection.execute(statement.where(_contact.c.id == contact_id)).first()
    if row is None:
        raise NotFoundError(f"contact {contact_id} has just been deleted")
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


def require_as_shown(connection: sa.Connection, shown: ContactStanding) -> None:
    """RefusedError where something of the contact has changed since it was shown."""
    try:
        is_as_shown = read_standing(connection, shown.id) == shown
    except NotFoundError:
        is_as_shown = False
    if not is_as_shown:
        raise RefusedError(
            f"contact {shown.id} has changed since it was shown; nothing was changed",
            hint="look at it again",
            code="changed-since-shown",
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
    back = {"status": Status.ACTIVE, "reactivated_at": now}
    change_contacts(connection, _contact.c.id == contact_id, now, **back)


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
    change_contacts(connection, _contact.c.id == contact_id, now)


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
