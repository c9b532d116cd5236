"""Plan items: the frozen set of contacts that a run will change, worked through in batches."""

from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Integer,
    Select,
    delete,
    func,
    insert,
    literal,
    select,
)

from contactctl.store import tables
from contactctl.store.criteria_sql import active_where

_item = tables.plan_item
_contact = tables.contact


@dataclass(frozen=True, slots=True)
class Batch:
    """The plan items of one transaction: contact ids above `after`, up to and with `last`."""

    after: int
    last: int
    contacts: int


@dataclass(frozen=True, slots=True)
class BatchOutcome:
    """What a batch changes, in contacts, and how many it leaves as they are, by reason."""

    changed: int
    skipped: dict[str, int] = field(default_factory=dict)


def write_plan(connection: Connection, run_id: int, where: ColumnElement[bool]) -> int:
    """Freeze the active contacts that fulfil `where`, all inside the database; returns how many."""
    chosen = (
        select(_contact.c.id, literal(run_id, Integer), _contact.c.revision)
        .where(active_where(where))
        .order_by(_contact.c.id)  # rows in the order of the key are written at its end
    )
    statement = insert(_item).from_select(["contact_id", "run_id", "revision"], chosen)
    return connection.execute(statement).rowcount


def next_batch(connection: Connection, run_id: int, after: int, size: int) -> Batch | None:
    """The next batch of a plan in id order; None when the plan is worked through."""
    ids = (
        select(_item.c.contact_id)
        .where(_item.c.run_id == run_id, _item.c.contact_id > after)
        .distinct()
        .order_by(_item.c.contact_id)
        .limit(size)
        .subquery()
    )
    last, contacts = connection.execute(select(func.max(ids.c.contact_id), func.count())).one()
    return None if last is None else Batch(after, last, contacts)


def in_batch(run_id: int, batch: Batch) -> ColumnElement[bool]:
    """True for the plan items of this batch."""
    return (
        (_item.c.run_id == run_id)
        & (_item.c.contact_id > batch.after)
        & (_item.c.contact_id <= batch.last)
    )


def planned_contacts(connection: Connection, run_id: int) -> int:
    """How many contacts a plan holds."""
    statement = select(func.count(_item.c.contact_id.distinct())).where(_item.c.run_id == run_id)
    return int(connection.execute(statement).scalar_one())


def outcome_by_reason(connection: Connection, by_reason: Select[Any]) -> BatchOutcome:
    """From (reason to leave contacts as they are, number); the reason '' is of those changed."""
    counts: dict[str, int] = {row[0]: row[1] for row in connection.execute(by_reason)}
    changed = counts.pop("", 0)
    return BatchOutcome(changed, counts)


def delete_plan(connection: Connection, run_id: int) -> None:
    """Drop the temporary segment; the run stays."""
    connection.execute(delete(_item).where(_item.c.run_id == run_id))
