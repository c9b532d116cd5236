"""Contacts of any status, counted and listed."""

from sqlalchemy import Connection, Select, func, select

from contactctl.store import tables
from contactctl.store.predicates import Clause

_contact = tables.contact


def count_where(connection: Connection, where: Clause) -> int:
    """How many contacts, active or not, fulfil `where`."""
    statement = select(func.count()).select_from(_contact).where(where)
    return int(connection.execute(statement).scalar_one())


def ids_where(where: Clause) -> Select[int]:
    """Their ids."""
    return select(_contact.c.id).where(where)


def is_contact(contact_id: int) -> Clause:
    """True for the one contact of that number."""
    return _contact.c.id == contact_id
