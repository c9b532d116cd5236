"""Attributes as contacts have them, whatever the config declares: counted, renamed, dropped."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Integer,
    Text,
    and_,
    func,
    insert,
    literal,
    select,
    text,
    type_coerce,
    update,
)

from contactctl.domain.changes import ChangeKind
from contactctl.domain.runs import Run
from contactctl.domain.upkeep_kinds import AttributesRun
from contactctl.store import tables
from contactctl.store.changes import note_each
from contactctl.store.fields import JSON_COLUMNS
from contactctl.store.plans import Batch, BatchOutcome, BatchWork, in_batch, settle
from contactctl.store.types import Json

_contact = tables.contact
_item = tables.plan_item

_COUNT = {
    "sqlite": "SELECT key, count(*) FROM contact, json_each(contact.attributes) GROUP BY key",
    "postgresql": "SELECT key, count(*) FROM contact, jsonb_object_keys(contact.attributes) key"
    " GROUP BY key",
}


def count_attributes(connection: Connection) -> Mapping[str, int]:
    """How many contacts have each attribute, by its name."""
    rows = connection.execute(text(_COUNT[connection.dialect.name]))
    return {row[0]: row[1] for row in rows}


def count_both(connection: Connection, name: str, other: str) -> int:
    """How many contacts have both attributes."""
    dialect = connection.dialect.name
    both = and_(has_attribute(name, dialect), has_attribute(other, dialect))
    return int(
        connection.execute(select(func.count()).select_from(_contact).where(both)).scalar_one()
    )


def has_attribute(name: str, dialect: str) -> ColumnElement[bool]:
    """True for the contacts that have it, with whatever value."""
    if dialect == "sqlite":
        found: ColumnElement[bool] = func.json_type(_contact.c.attributes, _path(name)).is_not(None)
        return found
    return func.jsonb_exists(_contact.c.attributes, name)


def plan_attributes(connection: Connection, run_id: int, name: str) -> int:
    """Freeze the contacts that have the attribute; returns how many."""
    has_it = has_attribute(name, connection.dialect.name)
    chosen = select(_contact.c.id, literal(run_id, Integer), _contact.c.revision).where(has_it)
    columns = ["contact_id", "run_id", "revision"]
    return connection.execute(insert(_item).from_select(columns, chosen)).rowcount


def _outcome(connection: Connection, run: Run, batch: Batch) -> BatchOutcome:
    name = run.details_as(AttributesRun).attribute
    return settle(connection, run, batch, has_attribute(name, connection.dialect.name))


def _change(connection: Connection, run: Run, batch: Batch, now: datetime) -> int:
    details, dialect = run.details_as(AttributesRun), connection.dialect.name
    chosen = _contact.c.id.in_(select(_item.c.contact_id).where(in_batch(run.id, batch)))
    note_each(connection, run.id, ChangeKind.EDITED, select(_contact.c.id).where(chosen), now)
    values: dict[str, Any] = {
        name: _changed(_contact.c[name], details.attribute, details.to, dialect)
        for name in JSON_COLUMNS
    }
    values |= {"revision": _contact.c.revision + 1, "updated": now}
    return connection.execute(update(_contact).where(chosen).values(values)).rowcount


def _changed(column: Any, name: str, to: str | None, dialect: str) -> ColumnElement[Any]:
    """The document without the attribute, or with its value, if it has one, under another name."""
    if dialect == "sqlite":
        path = literal(_path(name), Text)
        without = func.json_remove(column, path)
        if to is None:
            return type_coerce(without, Json())
        # `->` gives JSON, in which 1, "1" and true differ
        value = func.coalesce(column.op("->")(path), literal("null", Text))
        renamed = func.json_object(literal(to, Text), func.json(value))
        return type_coerce(func.json_patch(without, renamed), Json())
    without = column.op("-")(literal(name, Text))
    if to is None:
        return type_coerce(without, Json())
    kept = func.jsonb_build_object(literal(to, Text), column.op("->")(literal(name, Text)))
    return type_coerce(without.op("||")(func.jsonb_strip_nulls(kept)), Json())


def _path(name: str) -> str:
    return f'$."{name}"'


CHANGING_ATTRIBUTES = BatchWork(_outcome, _change, rights=(("UPDATE", "contact"),))
