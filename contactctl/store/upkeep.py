"""Tags and attributes as contacts have them: counted, and changed in one contact or in a plan.

Attributes are what contacts have, whatever the config declares.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from contactctl.domain.changes import ChangeKind
from contactctl.domain.criteria.fields import Field
from contactctl.domain.runs import Run, RunKind
from contactctl.domain.text import fold
from contactctl.domain.upkeep_kinds import AttributesRun, TagRun, UntagRun
from contactctl.store import tables
from contactctl.store.changes import change_contacts, note_each
from contactctl.store.fields import JSON_COLUMNS, field_value, written_value
from contactctl.store.plans import BatchOutcome, BatchWork, Step, settle
from contactctl.store.predicates import Clause, how_many, one_number
from contactctl.store.types import Json

_contact = tables.contact
_tag = tables.contact_tag


def list_tags(connection: sa.Connection, limit: int) -> Sequence[tuple[str, int]]:
    """Each tag as one of its contacts has it, with the number of contacts; in order."""
    statement = (
        sa.select(sa.func.min(_tag.c.tag), sa.func.count())
        .group_by(_tag.c.tag_folded)
        .order_by(_tag.c.tag_folded)
        .limit(limit)
    )
    return [(row[0], row[1]) for row in connection.execute(statement)]


def count_tags(connection: sa.Connection) -> int:
    """How many different tags there are."""
    return one_number(connection, sa.select(sa.func.count(_tag.c.tag_folded.distinct())))


def to_change_among(where: Clause, kind: RunKind, tag: str) -> Clause:
    """True for the contacts that fulfil `where` and whom such a run would change."""
    return sa.and_(where, _is_to_change(kind, tag))


def change_tag(
    connection: sa.Connection, run_id: int, kind: RunKind, tag: str, chosen: Clause, now: datetime
) -> int:
    """Give the tag to, or take it from, the contacts that are chosen; returns how many."""
    to_change = to_change_among(chosen, kind, tag)
    told = ChangeKind.TAGGED if kind is RunKind.TAG else ChangeKind.UNTAGGED
    note_each(connection, run_id, told, sa.select(_contact.c.id).where(to_change), now)
    changed = change_contacts(connection, to_change, now)
    if kind is RunKind.TAG:
        rows = sa.select(_contact.c.id, sa.literal(fold(tag)), sa.literal(tag)).where(to_change)
        names = ["contact_id", "tag_folded", "tag"]
        connection.execute(sa.insert(_tag).from_select(names, rows))
    else:
        ids = sa.select(_contact.c.id).where(chosen)
        theirs = sa.and_(_tag.c.tag_folded == fold(tag), _tag.c.contact_id.in_(ids))
        connection.execute(sa.delete(_tag).where(theirs))
    return changed


def _is_to_change(kind: RunKind, tag: str) -> Clause:
    has_it = sa.exists().where(_tag.c.contact_id == _contact.c.id, _tag.c.tag_folded == fold(tag))
    return ~has_it if kind is RunKind.TAG else has_it


def _tag_of(run: Run) -> str:
    return run.details_as(TagRun if run.kind is RunKind.TAG else UntagRun).tag


def _tags_outcome(step: Step) -> BatchOutcome:
    return settle(step, _is_to_change(step.run.kind, _tag_of(step.run)))


def _change_tags(step: Step) -> int:
    run, chosen = step.run, _contact.c.id.in_(step.contact_ids)
    return change_tag(step.connection, run.id, run.kind, _tag_of(run), chosen, step.now)


CHANGING_TAGS = BatchWork(
    _tags_outcome,
    _change_tags,
    rights=(("UPDATE", "contact"), ("INSERT", "contact_tag"), ("DELETE", "contact_tag")),
)


# Attributes as contacts have them, whatever the config declares: counted, renamed, dropped


_COUNT_ATTRIBUTES = {
    "sqlite": "SELECT key, count(*) FROM contact, json_each(contact.attributes) GROUP BY key",
    "postgresql": "SELECT key, count(*) FROM contact, jsonb_object_keys(contact.attributes) key"
    " GROUP BY key",
}


def count_attributes(connection: sa.Connection) -> Mapping[str, int]:
    """How many contacts have each attribute, by its name."""
    rows = connection.execute(sa.text(_COUNT_ATTRIBUTES[connection.dialect.name]))
    return {row[0]: row[1] for row in rows}


def count_misfits(connection: sa.Connection, field: Field) -> int:
    """How many contacts have a value of the attribute that does not fit its declared type."""
    dialect = connection.dialect.name
    misfit = sa.and_(
        written_value(field, dialect).is_not(None), field_value(field, dialect).is_(None)
    )
    return how_many(connection, _contact, misfit)


def count_both(connection: sa.Connection, name: str, other: str) -> int:
    """How many contacts have both attributes."""
    dialect = connection.dialect.name
    both = (has_attribute(each, dialect) for each in (name, other))
    return how_many(connection, _contact, *both)


def has_attribute(name: str, dialect: str) -> Clause:
    """True for the contacts that have it, with whatever value."""
    if dialect == "sqlite":
        kind = sa.func.json_type(_contact.c.attributes, _attribute_path(name))
        found: Clause = kind.is_not(None)
        return found
    return sa.func.jsonb_exists(_contact.c.attributes, name)


def _attributes_outcome(step: Step) -> BatchOutcome:
    name = step.run.details_as(AttributesRun).attribute
    return settle(step, has_attribute(name, step.connection.dialect.name))


def _change_attributes(step: Step) -> int:
    details, dialect = step.run.details_as(AttributesRun), step.connection.dialect.name
    chosen = _contact.c.id.in_(step.contact_ids)
    step.tell(ChangeKind.EDITED, sa.select(_contact.c.id).where(chosen))
    return step.change_contacts(
        chosen,
        **{
            name: _renamed(_contact.c[name], details.attribute, details.to, dialect)
            for name in JSON_COLUMNS
        },
    )


def _renamed(column: Any, name: str, to: str | None, dialect: str) -> sa.ColumnElement[Any]:
    """The document without the attribute, or with its value, if it has one, under another name."""
    if dialect == "sqlite":
        path = sa.literal(_attribute_path(name), sa.Text)
        without = sa.func.json_remove(column, path)
        if to is None:
            return sa.type_coerce(without, Json())
        # `->` gives JSON, in which 1, "1" and true differ
        value = sa.func.coalesce(column.op("->")(path), sa.literal("null", sa.Text))
        renamed = sa.func.json_object(sa.literal(to, sa.Text), sa.func.json(value))
        return sa.type_coerce(sa.func.json_patch(without, renamed), Json())
    without = column.op("-")(sa.literal(name, sa.Text))
    if to is None:
        return sa.type_coerce(without, Json())
    from sqlalchemy.dialects import postgresql  # noqa: PLC0415  (45 ms)

    # a cluster takes no jsonb_build_object of columns in an UPDATE, since it is not immutable
    found = sa.func.nullif(column.op("->")(sa.literal(name, sa.Text)), sa.text("'null'::jsonb"))
    renamed = sa.func.jsonb_set(without, postgresql.array([sa.literal(to, sa.Text)]), found)
    return sa.type_coerce(sa.func.coalesce(renamed, without), Json())


def _attribute_path(name: str) -> str:
    return f'$."{name}"'


CHANGING_ATTRIBUTES = BatchWork(
    _attributes_outcome, _change_attributes, rights=(("UPDATE", "contact"),)
)
