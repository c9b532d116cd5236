"""A provider's suppression list that follows the contacts: planned, and told batch by batch."""

from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Integer,
    Select,
    and_,
    column,
    delete,
    exists,
    func,
    insert,
    literal,
    not_,
    or_,
    select,
    table,
)

from contactctl.domain.contacts import Status
from contactctl.domain.run_kinds import PushRun
from contactctl.domain.runs import Run, SkipReason
from contactctl.store import tables
from contactctl.store.addresses import ids_of_keys
from contactctl.store.fields import is_one_of
from contactctl.store.handling.due import complained
from contactctl.store.plans import Batch, BatchOutcome, BatchWork, in_batch, settle
from contactctl.store.preview import first_rows
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


# (action, addresses) -> those that the provider refuses
Send = Callable[[PushAction, Sequence[str]], Collection[str]]


def plan_push(connection: Connection, run_id: int, source: str) -> int:
    """Freeze who is to be suppressed by the provider, and who is to be taken off; returns how many.

    Taken off are contacts that we have put there, are active, and never complained.
    """
    columns = ["contact_id", "run_id", "action", "revision"]
    return sum(
        connection.execute(insert(_item).from_select(columns, chosen)).rowcount
        for chosen in (_chosen(run_id, source, action) for action in PushAction)
    )


def count_push(connection: Connection, source: str) -> dict[PushAction, int]:
    """How many there would be of each."""
    return {
        action: int(
            connection.execute(
                select(func.count()).select_from(_chosen(0, source, action).subquery())
            ).scalar_one()
        )
        for action in PushAction
    }


def first_of_push(connection: Connection, source: str, most: int) -> list[dict[str, Any]]:
    """The first contacts of such a plan."""
    wanted = or_(*(_is_due(source, action) for action in PushAction))
    return first_rows(connection, select(_contact.c.id).where(wanted), most)


def _chosen(run_id: int, source: str, action: PushAction) -> Select[Any]:
    return (
        select(
            _contact.c.id, literal(run_id, Integer), literal(action, CodeText), _contact.c.revision
        )
        .where(_is_due(source, action))
        .order_by(_contact.c.id)
    )


def _is_due(source: str, action: PushAction) -> ColumnElement[bool]:
    is_pushed = exists().where(_pushed.c.contact_id == _contact.c.id, _pushed.c.source == source)
    if action is PushAction.REMOVE:
        return and_(is_pushed, _still(action))
    return and_(not_(is_pushed), _still(action))


def _still(action: PushAction) -> ColumnElement[bool]:
    """Whether a contact is one of whom the provider is to be told that."""
    if action is PushAction.REMOVE:
        return and_(_contact.c.status == Status.ACTIVE, ~complained(_contact.c.id))
    # an anonymised one has no address
    return and_(_contact.c.status == Status.INACTIVE, _contact.c.email_key.contains("@"))


def push_outcome(connection: Connection, run: Run, batch: Batch, *, send: Send) -> BatchOutcome:
    """Tell the provider, before anything is noted: told twice, after a kill, changes nothing there.

    Contacts that have changed since the plan, and addresses that the provider refuses, leave it.
    """
    still = or_(*(and_(_item.c.action == action, _still(action)) for action in PushAction))
    outcome = settle(connection, run, batch, still)
    refused = 0
    for action in PushAction:
        emails = _emails(connection, run, batch, action)
        bad = set(send(action, list(emails))) if emails else set()
        if bad:
            ids = [contact for email, contact in emails.items() if email in bad]
            of_bad = (in_batch(run.id, batch), _item.c.contact_id.in_(ids))
            refused += connection.execute(delete(_item).where(*of_bad)).rowcount
    skipped = dict(outcome.skipped)
    if refused:
        skipped[SkipReason.REFUSED] = refused
    return BatchOutcome(outcome.changed - refused, skipped)


def note_pushed(connection: Connection, run: Run, batch: Batch, now: datetime) -> int:
    """Note whom the provider suppresses for us now; returns how many it was told of."""
    source = run.details_as(PushRun).source
    items = select(_item.c.contact_id).where(in_batch(run.id, batch))
    added = (
        select(
            _item.c.contact_id,
            literal(source, CodeText),
            literal(run.id, Integer),
            literal(now, UtcInstant),
        )
        .where(in_batch(run.id, batch), _item.c.action == PushAction.ADD)
        .order_by(_item.c.contact_id)
    )
    columns = ["contact_id", "source", "run_id", "pushed_at"]
    number = connection.execute(insert(_pushed).from_select(columns, added)).rowcount
    removed = items.where(_item.c.action == PushAction.REMOVE)
    of_removed = (_pushed.c.source == source, _pushed.c.contact_id.in_(removed))
    return number + connection.execute(delete(_pushed).where(*of_removed)).rowcount


def pushed_among(connection: Connection, source: str, keys: Collection[str]) -> set[str]:
    """Those of these email keys that we have put on the provider's list ourselves."""
    owners = {contact: key for key, contact in ids_of_keys(connection, keys).items()}
    is_theirs = is_one_of(_pushed.c.contact_id, owners, connection.dialect.name)
    pushed = select(_pushed.c.contact_id).where(_pushed.c.source == source, is_theirs)
    return {owners[contact] for contact in connection.execute(pushed).scalars()}


def compare_lists(
    connection: Connection, theirs: Iterable[Sequence[str]], most: int
) -> tuple[dict[str, int], dict[str, list[dict[str, Any]]]]:
    """How many contacts are on both lists, inactive only `here`, suppressed only `there` though
    active; and the first of them. `unknown` counts addresses that no contact has.

    The caller rolls the transaction back.
    """
    there = table(_THEIRS, column("contact_id"))
    on_theirs = exists().where(there.c.contact_id == _contact.c.id)
    is_inactive = _contact.c.status == Status.INACTIVE
    sides = {
        "both": and_(is_inactive, on_theirs),
        "here": and_(is_inactive, not_(on_theirs), _contact.c.email_key.contains("@")),
        "there": and_(_contact.c.status == Status.ACTIVE, on_theirs),
    }
    unknown = 0
    with temporary_tables(connection, {_THEIRS: "contact_id bigint PRIMARY KEY"}):
        for keys in theirs:
            ids = ids_of_keys(connection, keys)
            fill(connection, _THEIRS, [(contact,) for contact in ids.values()])
            unknown += len(keys) - len(ids)
        counts = {side: _count(connection, where) for side, where in sides.items()}
        rows = {
            side: first_rows(connection, select(_contact.c.id).where(where), most)
            for side, where in sides.items()
        }
    return counts | {"unknown": unknown}, rows


def _count(connection: Connection, where: ColumnElement[bool]) -> int:
    counted = select(func.count()).select_from(_contact).where(where)
    return int(connection.execute(counted).scalar_one())


def _emails(connection: Connection, run: Run, batch: Batch, action: PushAction) -> dict[str, int]:
    statement = (
        select(_contact.c.email, _contact.c.id)
        .join(_item, _item.c.contact_id == _contact.c.id)
        .where(in_batch(run.id, batch), _item.c.action == action)
        .order_by(_contact.c.id)
    )
    return {row.email: row.id for row in connection.execute(statement)}


PUSHING = BatchWork(
    push_outcome,
    note_pushed,
    rights=(("INSERT", "pushed_suppression"), ("DELETE", "pushed_suppression")),
)
