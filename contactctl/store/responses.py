"""Recorded responses, to be listed."""

from typing import Any

from sqlalchemy import ColumnElement, Connection, FromClause, Select, func, null, select

from contactctl.domain.responses import ResponseFilter
from contactctl.store import tables
from contactctl.store.unmatched import unmatched_domain

_contact = tables.contact
_group = tables.group
_response = tables.response
_unmatched = tables.unmatched_response


def list_responses(connection: Connection, wanted: ResponseFilter) -> list[dict[str, Any]]:
    """Rows with the keys of a response, and `contact` and `email`, None where unmatched."""
    table = _unmatched if wanted.unmatched else _response
    dialect = connection.dialect.name
    statement = _of_nobody(wanted, dialect) if wanted.unmatched else _of_contacts(wanted)
    statement = (
        statement.where(*_shared_conditions(table, wanted))
        .order_by(table.c.occurred_at.desc(), table.c.source_key)
        .limit(wanted.limit)
    )
    return [dict(row) for row in connection.execute(statement).mappings()]


def responses_of_contact(connection: Connection, contact_id: int) -> list[dict[str, Any]]:
    """All responses of one contact, oldest first, with the group's id besides."""
    statement = (
        select(
            *_shared_columns(_response),
            _response.c.held,
            _response.c.group_id,
            _group.c.name.label("group"),
        )
        .outerjoin(_group, _group.c.id == _response.c.group_id)
        .where(_response.c.contact_id == contact_id)
        .order_by(_response.c.occurred_at, _response.c.source_key)
    )
    return [dict(row) for row in connection.execute(statement).mappings()]


def _of_contacts(wanted: ResponseFilter) -> Select[Any]:
    statement = select(
        _contact.c.id.label("contact"),
        _contact.c.email,
        _response.c.held,
        _group.c.name.label("group"),
        *_shared_columns(_response),
    ).select_from(
        _response.join(_contact, _contact.c.id == _response.c.contact_id).outerjoin(
            _group, _group.c.id == _response.c.group_id
        )
    )
    if wanted.email_key is not None:
        statement = statement.where(_contact.c.email_key == wanted.email_key)
    if wanted.domain is not None:
        statement = statement.where(_contact.c.email_domain == wanted.domain)
    return statement.where(_response.c.held) if wanted.held else statement


def _of_nobody(wanted: ResponseFilter, dialect: str) -> Select[Any]:
    statement = select(
        null().label("contact"),
        null().label("email"),
        _unmatched.c.held,
        _unmatched.c.group_folded.label("group"),
        *_shared_columns(_unmatched),
    )
    if wanted.email_key is not None:
        statement = statement.where(_unmatched.c.email_key == wanted.email_key)
    if wanted.domain is not None:
        statement = statement.where(unmatched_domain(dialect) == wanted.domain)
    return statement.where(_unmatched.c.held) if wanted.held else statement


def _shared_conditions(table: FromClause, wanted: ResponseFilter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if wanted.categories:
        conditions.append(table.c.category.in_(wanted.categories))
    if wanted.since is not None:
        conditions.append(table.c.occurred_at >= wanted.since)
    if wanted.run_id is not None:
        conditions.append(table.c.run_id == wanted.run_id)
    if wanted.incident is not None:
        conditions.append(table.c.incident_id == wanted.incident)
    if wanted.not_counted:
        conditions.append(~table.c.counts)
    return conditions


def _shared_columns(table: FromClause) -> list[ColumnElement[Any]]:
    names = (
        "recipient",
        "category",
        "counts",
        "not_counted",
        "status",
        "diagnostic",
        "rule",
        "host",
        "channel",
        "occurred_at",
        "recorded_at",
        "source",
        "source_key",
    )
    incident = func.nullif(table.c.incident_id, 0).label("incident")
    return [*(table.c[name] for name in names), incident, table.c.run_id.label("run")]
