"""A provider's suppression list that follows the contacts: planned, and told batch by batch.

Before the provider is told of a contact, a row of `pushed_suppression` says so, not `confirmed`:
its list may have the contact or not. Whatever happens then, the next push finds the row, and tells
the provider what is right by that time.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from contactctl.domain.contacts import Status
from contactctl.domain.run_kinds import PushRun
from contactctl.domain.runs import Run, SkipReason
from contactctl.store import tables
from contactctl.store.addresses import ids_of_keys
from contactctl.store.fields import is_one_of
from contactctl.store.handling import complained
from contactctl.store.plans import Batch, BatchOutcome, BatchWork, in_batch, settle
from contactctl.store.selections import first_rows
from contactctl.store.temporary import fill, temporary_tables
from contactctl.store.types import CodeText, UtcInstant

_contact = tables.contact
_item = tables.plan_item
_pushed = tables.pushed_suppression
_THEIRS = "provider_list"


class PushAction(StrEnum):
    """What the provider is told of a contact."""

    ADD = "add"
    REMOVE = "remove"


# the addresses of which the provider is told, and of those the ones that it refuses
Told = Mapping[PushAction, Mapping[str, int]]  # by address the contact
Refused = Mapping[PushAction, Collection[str]]


def plan_push(connection: sa.Connection, run_id: int, source: str) -> int:
    """Freeze who is to be suppressed by the provider, and who is to be taken off; returns how many.

    Taken off are contacts that we have put there, are active, and never complained.
    """
    columns = ["contact_id", "run_id", "action", "revision"]
    return sum(
        connection.execute(sa.insert(_item).from_select(columns, chosen)).rowcount
        for chosen in (_chosen(run_id, source, action) for action in PushAction)
    )


def count_push(connection: sa.Connection, source: str) -> dict[PushAction, int]:
    """How many there would be of each."""
    return {
        action: int(
            connection.execute(
                sa.select(sa.func.count()).select_from(_chosen(0, source, action).subquery())
            ).scalar_one()
        )
        for action in PushAction
    }


def first_of_push(connection: sa.Connection, source: str, most: int) -> list[dict[str, Any]]:
    """The first contacts of such a plan."""
    wanted = sa.or_(*(_is_due(source, action) for action in PushAction))
    return first_rows(connection, sa.select(_contact.c.id).where(wanted), most)


def _chosen(run_id: int, source: str, action: PushAction) -> sa.Select[Any]:
    return (
        sa.select(
            _contact.c.id,
            sa.literal(run_id, sa.Integer),
            sa.literal(action, CodeText),
            _contact.c.revision,
        )
        .where(_is_due(source, action))
        .order_by(_contact.c.id)
    )


def _is_due(source: str, action: PushAction) -> sa.ColumnElement[bool]:
    may_be_there = sa.and_(_pushed.c.contact_id == _contact.c.id, _pushed.c.source == source)
    if action is PushAction.REMOVE:
        return sa.and_(sa.exists().where(may_be_there), _still(action))
    return sa.and_(sa.not_(sa.exists().where(may_be_there, _pushed.c.confirmed)), _still(action))


def _still(action: PushAction) -> sa.ColumnElement[bool]:
    """Whether a contact is one of whom the provider is to be told that."""
    if action is PushAction.REMOVE:
        return sa.and_(_contact.c.status == Status.ACTIVE, ~complained(_contact.c.id))
    # an anonymised one has no address
    return sa.and_(_contact.c.status == Status.INACTIVE, _contact.c.email_key.contains("@"))


def begin_push(
    connection: sa.Connection, run: Run, batch: Batch, now: datetime
) -> tuple[BatchOutcome, Told]:
    """Note of whom the provider is about to be told; contacts that have changed since the plan
    leave it."""
    still = sa.or_(*(sa.and_(_item.c.action == action, _still(action)) for action in PushAction))
    outcome = settle(connection, run, batch, still)
    connection.execute(sa.delete(_pushed).where(_of_batch(run, batch)))
    about_to_be_told = sa.select(
        _item.c.contact_id,
        sa.literal(run.details_as(PushRun).source, CodeText),
        sa.literal(run.id, sa.Integer),
        sa.literal(now, UtcInstant),
        sa.false(),
    ).where(in_batch(run.id, batch))
    columns = ["contact_id", "source", "run_id", "pushed_at", "confirmed"]
    connection.execute(
        sa.insert(_pushed).from_select(columns, about_to_be_told.order_by(_item.c.contact_id))
    )
    told = {action: _emails(connection, run, batch, action) for action in PushAction}
    return outcome, told


def push_outcome(
    connection: sa.Connection, run: Run, batch: Batch, *, answer: tuple[Told, Refused]
) -> BatchOutcome:
    """Contacts of whom the provider has been told; those erased or given another address meanwhile,
    and addresses that it refuses, leave the plan."""
    told, refused = answer
    skipped: dict[str, int] = {}
    for action, addresses in refused.items():
        of_refused = _item.c.contact_id.in_([told[action][each] for each in addresses])
        leaving = sa.delete(_item).where(in_batch(run.id, batch), of_refused)
        if action is PushAction.ADD:
            is_listed = _pushed.c.contact_id.in_([told[action][each] for each in addresses])
            connection.execute(sa.delete(_pushed).where(_of_batch(run, batch), is_listed))
        number = connection.execute(leaving).rowcount
        skipped[SkipReason.REFUSED] = skipped.get(SkipReason.REFUSED, 0) + number
    is_noted = sa.exists().where(
        _pushed.c.contact_id == _item.c.contact_id,
        _pushed.c.source == run.details_as(PushRun).source,
    )
    gone = sa.delete(_item).where(in_batch(run.id, batch), sa.not_(is_noted))
    skipped[SkipReason.GONE] = connection.execute(gone).rowcount
    left = sa.select(sa.func.count()).select_from(_item).where(in_batch(run.id, batch))
    changed = int(connection.execute(left).scalar_one())
    return BatchOutcome(changed, {reason: number for reason, number in skipped.items() if number})


def note_pushed(connection: sa.Connection, run: Run, batch: Batch, now: datetime) -> int:
    """Confirm whom the provider suppresses for us now; returns how many it was told of."""
    confirmed = {"confirmed": sa.true(), "pushed_at": now}
    added = sa.update(_pushed).where(_of_batch(run, batch, PushAction.ADD)).values(confirmed)
    removed = sa.delete(_pushed).where(_of_batch(run, batch, PushAction.REMOVE))
    return sum(connection.execute(statement).rowcount for statement in (added, removed))


def _of_batch(run: Run, batch: Batch, *actions: PushAction) -> sa.ColumnElement[bool]:
    """What is noted of the source's contacts in a batch."""
    items = sa.select(_item.c.contact_id).where(
        in_batch(run.id, batch), _item.c.action.in_(actions or list(PushAction))
    )
    of_source = _pushed.c.source == run.details_as(PushRun).source
    return sa.and_(of_source, _pushed.c.contact_id.in_(items))


def pushed_among(connection: sa.Connection, source: str, keys: Collection[str]) -> set[str]:
    """Those of these email keys that we have put on the provider's list ourselves."""
    owners = {contact: key for key, contact in ids_of_keys(connection, keys).items()}
    is_theirs = is_one_of(_pushed.c.contact_id, owners, connection.dialect.name)
    pushed = sa.select(_pushed.c.contact_id).where(_pushed.c.source == source, is_theirs)
    return {owners[contact] for contact in connection.execute(pushed).scalars()}


def compare_lists(
    connection: sa.Connection, theirs: Iterable[Sequence[str]], most: int
) -> tuple[dict[str, int], dict[str, list[dict[str, Any]]]]:
    """How many contacts are on both lists, inactive only `here`, suppressed only `there` though
    active; and the first of them. `unknown` counts addresses that no contact has.

    The caller rolls the transaction back.
    """
    there = sa.table(_THEIRS, sa.column("contact_id"))
    both = _contact.outerjoin(there, there.c.contact_id == _contact.c.id)
    on_theirs = there.c.contact_id.is_not(None)
    is_inactive = _contact.c.status == Status.INACTIVE
    sides = {
        "both": sa.and_(is_inactive, on_theirs),
        "here": sa.and_(is_inactive, sa.not_(on_theirs), _contact.c.email_key.contains("@")),
        "there": sa.and_(_contact.c.status == Status.ACTIVE, on_theirs),
    }
    unknown = 0
    with temporary_tables(connection, {_THEIRS: "contact_id bigint PRIMARY KEY"}):
        for keys in theirs:
            ids = ids_of_keys(connection, keys)
            fill(connection, _THEIRS, [(contact,) for contact in ids.values()])
            unknown += len(keys) - len(ids)
        chosen = {
            side: sa.select(_contact.c.id).select_from(both).where(where)
            for side, where in sides.items()
        }
        counts = {side: _count(connection, ids) for side, ids in chosen.items()}
        rows = {side: first_rows(connection, ids, most) for side, ids in chosen.items()}
    return counts | {"unknown": unknown}, rows


def _count(connection: sa.Connection, ids: sa.Select[int]) -> int:
    counted = ids.with_only_columns(sa.func.count(), maintain_column_froms=True)
    return int(connection.execute(counted).scalar_one())


def _emails(
    connection: sa.Connection, run: Run, batch: Batch, action: PushAction
) -> dict[str, int]:
    statement = (
        sa.select(_contact.c.email, _contact.c.id)
        .join(_item, _item.c.contact_id == _contact.c.id)
        .where(in_batch(run.id, batch), _item.c.action == action)
        .order_by(_contact.c.id)
    )
    return {row.email: row.id for row in connection.execute(statement)}


PUSHING = BatchWork(
    push_outcome,
    note_pushed,
    rights=tuple((each, "pushed_suppression") for each in ("INSERT", "UPDATE", "DELETE")),
    begin=begin_push,
)
