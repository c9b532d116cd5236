"""A provider's suppression list that follows the contacts: planned, and told batch by batch.

Before the provider is told of a contact, a row of `pushed_suppression` says so, not `confirmed`:
its list may have the contact or not. Whatever happens then, the next push finds the row, and tells
the provider what is right by that time.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from contactctl.domain.contacts import Status
from contactctl.domain.run_kinds import PushRun
from contactctl.domain.runs import SkipReason
from contactctl.store import tables
from contactctl.store.addresses import ids_of_keys
from contactctl.store.fields import is_one_of
from contactctl.store.handling import complained
from contactctl.store.plans import BatchOutcome, BatchWork, Step, WritePlan, plan_of, settle
from contactctl.store.predicates import Clause, how_many, one_number
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


def plan_push(source: str) -> WritePlan:
    """What freezes who is to be suppressed by the provider, and who is to be taken off.

    Taken off are contacts that we have put there, are active, and never complained.
    """
    parts = [plan_of(_is_due(source, action), action=action) for action in PushAction]
    return lambda connection, run_id: sum(write(connection, run_id) for write in parts)


def count_push(connection: sa.Connection, source: str) -> dict[PushAction, int]:
    """How many there would be of each."""
    due = {action: _is_due(source, action) for action in PushAction}
    return {action: how_many(connection, _contact, is_due) for action, is_due in due.items()}


def first_of_push(connection: sa.Connection, source: str, most: int) -> list[dict[str, Any]]:
    """The first contacts of such a plan."""
    wanted = sa.or_(*(_is_due(source, action) for action in PushAction))
    return first_rows(connection, sa.select(_contact.c.id).where(wanted), most)


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


def begin_push(step: Step) -> tuple[BatchOutcome, Told]:
    """Note of whom the provider is about to be told; contacts that have changed since the plan
    leave it."""
    still = sa.or_(*(sa.and_(_item.c.action == action, _still(action)) for action in PushAction))
    outcome = settle(step, still)
    step.do(sa.delete(_pushed).where(_of_batch(step)))
    about_to_be_told = step.contact_ids.add_columns(
        sa.literal(step.run.details_as(PushRun).source, CodeText),
        sa.literal(step.run.id, sa.Integer),
        sa.literal(step.now, UtcInstant),
        sa.false(),
    ).order_by(_item.c.contact_id)
    columns = ["contact_id", "source", "run_id", "pushed_at", "confirmed"]
    step.do(sa.insert(_pushed).from_select(columns, about_to_be_told))
    return outcome, {action: _emails(step, action) for action in PushAction}


def push_outcome(step: Step, *, answer: tuple[Told, Refused]) -> BatchOutcome:
    """Contacts of whom the provider has been told; those erased or given another address meanwhile,
    and addresses that it refuses, leave the plan."""
    told, refused = answer
    skipped: Counter[str] = Counter()
    for action, addresses in refused.items():
        ids = [told[action][each] for each in addresses]
        if action is PushAction.ADD:
            step.do(sa.delete(_pushed).where(_of_batch(step), _pushed.c.contact_id.in_(ids)))
        leaving = sa.delete(_item).where(step.items, _item.c.contact_id.in_(ids))
        skipped[SkipReason.REFUSED] += step.do(leaving)
    is_noted = sa.exists().where(
        _pushed.c.contact_id == _item.c.contact_id,
        _pushed.c.source == step.run.details_as(PushRun).source,
    )
    skipped[SkipReason.GONE] = step.do(sa.delete(_item).where(step.items, sa.not_(is_noted)))
    return BatchOutcome(how_many(step.connection, _item, step.items), dict(+skipped))


def note_pushed(step: Step) -> int:
    """Confirm whom the provider suppresses for us now; returns how many it was told of."""
    confirmed = {"confirmed": sa.true(), "pushed_at": step.now}
    added = sa.update(_pushed).where(_of_batch(step, PushAction.ADD)).values(confirmed)
    removed = sa.delete(_pushed).where(_of_batch(step, PushAction.REMOVE))
    return step.do(added) + step.do(removed)


def _of_batch(step: Step, *actions: PushAction) -> Clause:
    """What is noted of the source's contacts in a batch."""
    items = step.contact_ids.where(_item.c.action.in_(actions or list(PushAction)))
    of_source = _pushed.c.source == step.run.details_as(PushRun).source
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
    return one_number(connection, counted)


def _emails(step: Step, action: PushAction) -> dict[str, int]:
    statement = (
        sa.select(_contact.c.email, _contact.c.id)
        .join(_item, _item.c.contact_id == _contact.c.id)
        .where(step.items, _item.c.action == action)
        .order_by(_contact.c.id)
    )
    return {row.email: row.id for row in step.connection.execute(statement)}


PUSHING = BatchWork(
    push_outcome,
    note_pushed,
    rights=tuple((each, "pushed_suppression") for each in ("INSERT", "UPDATE", "DELETE")),
    begin=begin_push,
)
