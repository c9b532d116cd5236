"""Counts and the first rows of a set of contacts, whether selected by criteria or planned."""

from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, func, select

from contactctl.domain.criteria.fields import Field, Operator
from contactctl.domain.criteria.resolve import TextMatch
from contactctl.store import tables
from contactctl.store.contacts import to_records
from contactctl.store.criteria import active_where
from contactctl.store.fields import (
    RECORD_COLUMNS,
    field_value,
    passes,
    sorted_by,
    written_value,
)
from contactctl.store.predicates import is_active

Where = ColumnElement[bool]

_contact = tables.contact


def active_ids(where: Where) -> Select[int]:
    """The ids of the active contacts that fulfil `where`."""
    return select(_contact.c.id).where(active_where(where))


def count_active_where(connection: Connection, where: Where) -> int:
    """How many active contacts fulfil `where`."""
    statement = select(func.count()).select_from(_contact).where(active_where(where))
    return int(connection.execute(statement).scalar_one())


def count_where(connection: Connection, *where: Where) -> int:
    """How many contacts, active or not, fulfil all of `where`."""
    statement = select(func.count()).select_from(_contact).where(*where)
    return int(connection.execute(statement).scalar_one())


def ids_where(where: Where) -> Select[int]:
    """Their ids."""
    return select(_contact.c.id).where(where)


def is_contact(contact_id: int) -> Where:
    """True for the one contact of that number."""
    return _contact.c.id == contact_id


def count_ids(connection: Connection, ids: Select[int]) -> int:
    """How many contacts these are."""
    return int(connection.execute(select(func.count()).select_from(ids.subquery())).scalar_one())


def first_rows(
    connection: Connection, ids: Select[int], limit: int, sort: str = "id"
) -> list[dict[str, Any]]:
    """The first `limit` of these contacts by a field of SORTABLE, each with its value of every
    field."""
    if sort == "id":  # the index gives the first ones without reading all
        ids = ids.order_by(ids.selected_columns[0]).limit(limit)
    first = ids.subquery()
    statement = (
        select(*RECORD_COLUMNS)
        .join(first, first.c[0] == _contact.c.id)
        .order_by(*sorted_by(sort))
        .limit(limit)
    )
    rows = connection.execute(statement).mappings().all()
    return [record.by_field() for record in to_records(connection, rows)]


# What the fields of the active contacts hold


_tag = tables.contact_tag


def frequent_values(
    connection: Connection, field: Field, searched: str, limit: int
) -> list[tuple[str, int]]:
    """The tags, or the values of a text or choice field, of active contacts, each with how many
    have it: most first, and only those that contain the folded text `searched`.
    """
    dialect = connection.dialect.name
    holders: Any
    written: ColumnElement[Any]
    compared: ColumnElement[Any]
    if field.name == "tag":
        written, compared = _tag.c.tag, _tag.c.tag_folded
        holders = _tag.join(_contact, _contact.c.id == _tag.c.contact_id)
    else:
        written, compared = written_value(field, dialect), field_value(field, dialect)
        holders = _contact
    number = func.count()
    statement = (
        select(func.min(written), number)
        .select_from(holders)
        .where(is_active(), compared.is_not(None), compared != "")
        .group_by(compared)
        .order_by(number.desc(), compared)
        .limit(limit)
    )
    if searched:
        contains = TextMatch(Operator.CONTAINS, searched)
        statement = statement.where(passes(compared, contains, dialect))
    return [(str(row[0]), int(row[1])) for row in connection.execute(statement)]
