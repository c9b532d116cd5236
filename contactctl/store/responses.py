"""Recorded responses, to be listed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, FromClause, Select, null, select

from contactctl.store import tables

_contact = tables.contact
_group = tables.group
_response = tables.response
_unmatched = tables.unmatched_response


@dataclass(frozen=True, slots=True)
class ResponseFilter:
    """Which responses are listed, newest first; what is empty or None does not restrict.

    `unmatched`: those of no contact, instead of those of contacts. `domain` is a contact's.
    """

    categories: Sequence[str] = ()
    email_key: str | None = None
    domain: str | None = None
    since: datetime | None = None
    run_id: int | None = None
    unmatched: bool = False
    held: bool = False
    not_counted: bool = False
    limit: int = 100


def list_responses(connection: Connection, wanted: ResponseFilter) -> list[dict[str, Any]]:
    """Rows with the keys of a response, and `contact` and `email`, None where unmatched."""
    table = _unmatched if wanted.unmatched else _response
    statement = _of_nobody(wanted) if wanted.unmatched else _of_contacts(wanted)
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


def _of_nobody(wanted: ResponseFilter) -> Select[Any]:
    statement = select(
        null().label("contact"),
        null().label("email"),
        _unmatched.c.held,
        _unmatched.c.group_folded.label("group"),
        *_shared_columns(_unmatched),
    )
    if wanted.email_key is not None:
        statement = statement.where(_unmatched.c.email_key == wanted.email_key)
    return statement.where(_unmatched.c.held) if wanted.held else statement


def _shared_conditions(table: FromClause, wanted: ResponseFilter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if wanted.categories:
        conditions.append(table.c.category.in_(wanted.categories))
    if wanted.since is not None:
        conditions.append(table.c.occurred_at >= wanted.since)
    if wanted.run_id is not None:
        conditions.append(table.c.run_id == wanted.run_id)
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
        "evidence",
        "through",
        "channel",
        "occurred_at",
        "recorded_at",
        "source",
        "source_key",
    )
    return [*(table.c[name] for name in names), table.c.run_id.label("run")]
