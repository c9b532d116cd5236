"""Contacts, responses and deactivations written to a store as rows, for tests of thresholds."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, insert, select

from contactctl.domain.responses import Category
from contactctl.domain.thresholds import SYSTEM_WIDE, ThresholdSubject
from contactctl.store import tables
from contactctl.store.database.store import Store
from contactctl.store.thresholds.unswept import look_again
from helpers.contacts import own_addresses

_LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


def insert_contact(connection: Connection, contact_id: int, email: str = "", **values: Any) -> None:
    """A contact with this id; `email` defaults to cID@example.com."""
    email = email or f"c{contact_id}@example.com"
    row = {
        "id": contact_id,
        "email": email,
        "email_key": email.lower(),
        "email_domain": email.rpartition("@")[2].lower(),
        "created": _LONG_AGO,
        "updated": _LONG_AGO,
    }
    connection.execute(insert(tables.contact).values(row | values))
    own_addresses(connection)


def insert_group(connection: Connection, group_id: int, name: str) -> None:
    row = {"id": group_id, "name": name, "name_folded": name.lower(), "created": _LONG_AGO}
    connection.execute(insert(tables.group).values(row | {"settings": {}}))


def insert_member(
    connection: Connection, contact_id: int, group_id: int, reactivated_at: datetime | None = None
) -> None:
    row = {
        "contact_id": contact_id,
        "group_id": group_id,
        "added": _LONG_AGO,
        "reactivated_at": reactivated_at,
    }
    connection.execute(insert(tables.membership).values(row))


def insert_response(
    connection: Connection,
    contact_id: int,
    source_key: str,
    category: str,
    occurred_at: datetime,
    **values: Any,
) -> None:
    row = {
        "contact_id": contact_id,
        "source_key": source_key,
        "category": category,
        "counts": True,
        "recipient": f"c{contact_id}@example.com",
        "occurred_at": occurred_at,
        "recorded_at": occurred_at,
        "run_id": 1,
    }
    connection.execute(insert(tables.response).values(row | values))
    told = select(tables.contact.c.id).where(tables.contact.c.id == contact_id)
    look_again(connection, told)


def insert_deactivation(
    connection: Connection,
    contact_id: int,
    category: str,
    *,
    group_id: int = SYSTEM_WIDE,
    run_id: int = 1,
    ended_at: datetime | None = None,
) -> None:
    row = {
        "contact_id": contact_id,
        "group_id": group_id,
        "run_id": run_id,
        "category": category,
        "origin": "threshold" if category else "bulk",
        "started_at": _LONG_AGO,
        "ended_at": ended_at,
    }
    connection.execute(insert(tables.deactivation).values(row))


def insert_subject(connection: Connection, contact_id: int, subject: ThresholdSubject) -> None:
    """A contact that is to the store what `subject` is to the domain; its groups must exist."""
    insert_contact(
        connection,
        contact_id,
        reactivated_at=subject.reactivated_at,
        delivered_at=subject.delivered_at,
    )
    for group_id, reactivated_at in subject.memberships.items():
        insert_member(connection, contact_id, group_id, reactivated_at)
    for number, response in enumerate(subject.responses):
        insert_response(
            connection,
            contact_id,
            f"r{number}",
            response.category,
            response.occurred_at,
            counts=response.counts,
            not_counted=response.not_counted,
            held=response.held,
            channel=response.channel,
            group_id=response.group_id,
            through=response.through,
        )
    for (group_id, category), ended_at in subject.ended.items():
        insert_deactivation(connection, contact_id, category, group_id=group_id, ended_at=ended_at)
    for group_id, category in subject.open:
        insert_deactivation(connection, contact_id, category, group_id=group_id, run_id=2)


def open_deactivations(connection: Connection) -> list[tuple[int, int, str]]:
    """(contact id, group id, category) of every deactivation that is open, in order."""
    table = tables.deactivation
    columns = (table.c.contact_id, table.c.group_id, table.c.category)
    statement = select(*columns).where(table.c.ended_at.is_(None)).order_by(*columns)
    return [tuple(row) for row in connection.execute(statement)]


def statuses(connection: Connection) -> dict[int, str]:
    """The status of every contact, by id."""
    rows: Sequence[Any] = connection.execute(
        select(tables.contact.c.id, tables.contact.c.status)
    ).all()
    return {row[0]: row[1] for row in rows}


def respond(
    store: Store,
    contact_id: int,
    *instants: datetime,
    category: Category = Category.TRANSIENT,
    **values: Any,
) -> None:
    with store.writing() as connection:
        for instant in instants:
            key = f"{category} {instant.isoformat()} {sorted(values.items())}"
            insert_response(connection, contact_id, key, category, instant, **values)
