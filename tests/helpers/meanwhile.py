"""What others may do between two transactions: between a contact's plan and its batch, say."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, delete, select, update

from contactctl.store import tables
from contactctl.store.changes import change_contacts
from contactctl.store.database.store import Store
from contactctl.store.groups import add_member, remove_member
from contactctl.store.tables import contact
from helpers.sessions import NOW


def change_phone(connection: Connection, contact_id: int) -> None:
    connection.execute(
        update(tables.contact).where(tables.contact.c.id == contact_id).values(phone="555")
    )
    change_contacts(connection, contact.c.id == contact_id, NOW)


def join_partners(connection: Connection, contact_id: int) -> None:
    group_id = connection.execute(
        select(tables.group.c.id).where(tables.group.c.name == "partners")
    ).scalar_one()
    assert add_member(connection, contact_id, group_id, 1, NOW)


def leave_a_group(connection: Connection, contact_id: int) -> None:
    group_id = connection.execute(
        select(tables.membership.c.group_id).where(tables.membership.c.contact_id == contact_id)
    ).scalars()
    assert remove_member(connection, contact_id, next(iter(group_id)), run_id=1, now=NOW)


def make_inactive(connection: Connection, contact_id: int) -> None:
    connection.execute(
        update(tables.contact).where(tables.contact.c.id == contact_id).values(status="inactive")
    )


def delete_contact(connection: Connection, contact_id: int) -> None:
    address = tables.contact_email
    connection.execute(delete(address).where(address.c.contact_id == contact_id))
    connection.execute(delete(tables.contact).where(tables.contact.c.id == contact_id))


def delete_group(connection: Connection, group_id: int) -> None:
    connection.execute(delete(tables.group).where(tables.group.c.id == group_id))


def before_writing(store: Store, change: Callable[[Connection], None]) -> Store:
    """The store, where somebody else makes this change just before the next writing transaction."""
    writing, changes = store.writing, [change]

    @contextmanager
    def writing_second(**options: Any) -> Iterator[Connection]:
        while changes:
            with writing() as connection:
                changes.pop()(connection)
        with writing(**options) as connection:
            yield connection

    store.writing = writing_second  # type: ignore[method-assign]
    return store
