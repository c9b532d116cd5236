"""Tags: counted, and given to or taken from one contact, or those of a plan."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import (
    ColumnElement,
    Connection,
    Integer,
    and_,
    delete,
    exists,
    func,
    insert,
    literal,
    select,
    update,
)

from contactctl.domain.changes import ChangeKind
from contactctl.domain.runs import Run, RunKind
from contactctl.domain.text import fold
from contactctl.domain.upkeep_kinds import TagRun, UntagRun
from contactctl.store import tables
from contactctl.store.changes import note_each
from contactctl.store.plans import Batch, BatchOutcome, BatchWork, in_batch, settle

_contact = tables.contact
_item = tables.plan_item
_tag = tables.contact_tag


def list_tags(connection: Connection, limit: int) -> Sequence[tuple[str, int]]:
    """Each tag as one of its contacts has it, with the number of contacts; in order."""
    statement = (
        select(func.min(_tag.c.tag), func.count())
        .group_by(_tag.c.tag_folded)
        .order_by(_tag.c.tag_folded)
        .limit(limit)
    )
    return [(row[0], row[1]) for row in connection.execute(statement)]


def count_tags(connection: Connection) -> int:
    """How many different tags there are."""
    statement = select(func.count(_tag.c.tag_folded.distinct()))
    return int(connection.execute(statement).scalar_one())


def to_change_among(where: ColumnElement[bool], kind: RunKind, tag: str) -> ColumnElement[bool]:
    """True for the contacts that fulfil `where` and whom such a run would change."""
    return and_(where, _is_to_change(kind, tag, _contact.c.id))


def plan_tags(
    connection: Connection, run_id: int, where: ColumnElement[bool], kind: RunKind, tag: str
) -> int:
    """Freeze the contacts that fulfil `where` and lack, or have, the tag; returns how many."""
    chosen = select(_contact.c.id, literal(run_id, Integer), _contact.c.revision).where(
        to_change_among(where, kind, tag)
    )
    columns = ["contact_id", "run_id", "revision"]
    return connection.execute(insert(_item).from_select(columns, chosen)).rowcount


def change_tag(
    connection: Connection,
    run_id: int,
    kind: RunKind,
    tag: str,
    chosen: ColumnElement[bool],
    now: datetime,
) -> int:
    """Give the tag to, or take it from, the contacts that are chosen; returns how many."""
    to_change = and_(chosen, _is_to_change(kind, tag, _contact.c.id))
    told = ChangeKind.TAGGED if kind is RunKind.TAG else ChangeKind.UNTAGGED
    note_each(connection, run_id, told, select(_contact.c.id).where(to_change), now)
    changed = connection.execute(
        update(_contact).where(to_change).values(revision=_contact.c.revision + 1, updated=now)
    ).rowcount
    if kind is RunKind.TAG:
        rows = select(_contact.c.id, literal(fold(tag)), literal(tag)).where(to_change)
        names = ["contact_id", "tag_folded", "tag"]
        connection.execute(insert(_tag).from_select(names, rows))
    else:
        ids = select(_contact.c.id).where(chosen)
        theirs = and_(_tag.c.tag_folded == fold(tag), _tag.c.contact_id.in_(ids))
        connection.execute(delete(_tag).where(theirs))
    return changed


def _is_to_change(kind: RunKind, tag: str, contact_id: ColumnElement[int]) -> ColumnElement[bool]:
    has_it = exists().where(_tag.c.contact_id == contact_id, _tag.c.tag_folded == fold(tag))
    return ~has_it if kind is RunKind.TAG else has_it


def _tag_of(run: Run) -> str:
    return run.details_as(TagRun if run.kind is RunKind.TAG else UntagRun).tag


def _outcome(connection: Connection, run: Run, batch: Batch) -> BatchOutcome:
    to_change = _is_to_change(run.kind, _tag_of(run), _item.c.contact_id)
    return settle(connection, run, batch, to_change)


def _change(connection: Connection, run: Run, batch: Batch, now: datetime) -> int:
    chosen = _contact.c.id.in_(select(_item.c.contact_id).where(in_batch(run.id, batch)))
    return change_tag(connection, run.id, run.kind, _tag_of(run), chosen, now)


CHANGING_TAGS = BatchWork(
    _outcome,
    _change,
    rights=(("UPDATE", "contact"), ("INSERT", "contact_tag"), ("DELETE", "contact_tag")),
)
