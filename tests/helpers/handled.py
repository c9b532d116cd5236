"""Contacts with open deactivations, for tests of what brings contacts back."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, insert, select, update

from contactctl.domain.contacts import MembershipState, Origin, Status
from contactctl.domain.handling import (
    HandledContact,
    OpenDeactivation,
    Step,
    reactivation_rule,
    upcoming_steps,
)
from contactctl.domain.policies import HandlingAction, HandlingRule, ResponsePolicy
from contactctl.domain.responses import Category
from contactctl.store import tables
from contactctl.store.database.store import Store
from contactctl.store.thresholds.unswept import look_again
from helpers.contacts import CREATED, add_contact
from helpers.sessions import NOW


def due_steps(contact: HandledContact, policy: ResponsePolicy, now: datetime) -> list[Step]:
    """What a sweep at `now` does: a reactivation and a removal that are both due both happen."""
    return [
        step for step in upcoming_steps(contact, policy) if step.due_at <= now and not step.blocked
    ]


def ended_by(
    contact: HandledContact, policy: ResponsePolicy, now: datetime
) -> list[OpenDeactivation]:
    """The deactivations that a sweep at `now` ends: their own clocks have run out."""
    rules = {each: reactivation_rule(each, policy) for each in contact.open}
    return [
        each
        for each, rule in rules.items()
        if rule and each.started_at + rule.after <= now and not contact.blocks_reactivation
    ]


def rule(action: HandlingAction, days: int) -> HandlingRule:
    """What to do, after so many days."""
    return HandlingRule(action, timedelta(days=days))


def add_group(connection: Connection, name: str) -> int:
    """A new group's id."""
    row = {"name": name, "name_folded": name.lower(), "created": CREATED, "settings": {}}
    return int(
        connection.execute(
            insert(tables.group).values(row).returning(tables.group.c.id)
        ).scalar_one()
    )


def add_member(
    connection: Connection, contact_id: int, group_id: int, state: str = MembershipState.FOLLOWS
) -> None:
    row = {"contact_id": contact_id, "group_id": group_id, "state": state, "added": CREATED}
    connection.execute(insert(tables.membership).values(row))


def open_deactivation(
    connection: Connection,
    contact_id: int,
    category: Category | str = Category.TRANSIENT,
    *,
    started_at: datetime = NOW,
    group_id: int = 0,
    origin: Origin = Origin.THRESHOLD,
    run_id: int = 900,
) -> None:
    """Open one, and make the contact, or its membership, inactive."""
    connection.execute(
        insert(tables.deactivation).values(
            contact_id=contact_id,
            group_id=group_id,
            run_id=run_id,
            category=category,
            origin=origin,
            started_at=started_at,
        )
    )
    if group_id == 0:
        statement = update(tables.contact).where(tables.contact.c.id == contact_id)
        connection.execute(statement.values(status=Status.INACTIVE))
        return
    membership = tables.membership
    connection.execute(
        update(membership)
        .where(membership.c.contact_id == contact_id, membership.c.group_id == group_id)
        .values(state=MembershipState.INACTIVE)
    )


def add_deactivated(store: Store, email: str, *categories: Category, **values: Any) -> int:
    """A contact with an open deactivation for each category; returns its id."""
    with store.writing() as connection:
        contact_id = add_contact(connection, email)
        for category in categories:
            open_deactivation(connection, contact_id, category, **values)
    return contact_id


def add_response(
    connection: Connection,
    contact_id: int,
    category: Category,
    *,
    source_key: str = "r",
    occurred_at: datetime = NOW,
    **values: Any,
) -> None:
    row = {
        "contact_id": contact_id,
        "source_key": source_key,
        "category": category,
        "counts": True,
        "recipient": "",
        "occurred_at": occurred_at,
        "recorded_at": occurred_at,
        "run_id": 900,
    }
    connection.execute(insert(tables.response).values(row | values))
    look_again(connection, select(tables.contact.c.id).where(tables.contact.c.id == contact_id))


def statuses(store: Store) -> dict[int, str]:
    """Status by contact id."""
    with store.reading() as connection:
        rows = connection.execute(select(tables.contact.c.id, tables.contact.c.status))
        return {row[0]: row[1] for row in rows}


def member_states(store: Store) -> dict[tuple[int, int], str]:
    """Membership state by contact id and group id."""
    membership = tables.membership
    with store.reading() as connection:
        rows = connection.execute(
            select(membership.c.contact_id, membership.c.group_id, membership.c.state)
        )
        return {(row[0], row[1]): row[2] for row in rows}


def open_categories(store: Store, contact_id: int) -> list[tuple[int, str]]:
    """(group id, category) of the contact's open deactivations."""
    deactivation = tables.deactivation
    with store.reading() as connection:
        rows = connection.execute(
            select(deactivation.c.group_id, deactivation.c.category)
            .where(deactivation.c.contact_id == contact_id, deactivation.c.ended_at.is_(None))
            .order_by(deactivation.c.group_id, deactivation.c.category)
        )
        return [(row[0], row[1]) for row in rows]
