"""The addresses that contacts had: where what still comes to them leads."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import Connection, exists, false, insert, or_, select, update

from contactctl.domain.contacts import FormerAddress
from contactctl.domain.emails import EmailAddress
from contactctl.domain.responses import FORMER_ADDRESS, RESUBSCRIBED, UNSUBSCRIBED, Category
from contactctl.store import tables
from contactctl.store.fields import is_one_of

_contact = tables.contact
_former = tables.former_address
_response = tables.response

# what the person did, whatever the address
_OF_THE_PERSON = (Category.SPAM_COMPLAINT.value, UNSUBSCRIBED, RESUBSCRIBED)


def contact_of_former(connection: Connection, email_key: str) -> int | None:
    """The contact that had this address last; None where none had."""
    return former_among(connection, [email_key]).get(email_key)


def former_among(connection: Connection, email_keys: Collection[str]) -> dict[str, int]:
    """Those of the addresses that no contact has and some had, each with the last that had it."""
    if connection.execute(select(_former.c.contact_id).limit(1)).first() is None:
        return {}
    is_had_now = exists().where(_contact.c.email_key == _former.c.email_key)
    statement = (
        select(_former.c.email_key, _former.c.contact_id)
        .where(is_one_of(_former.c.email_key, email_keys, connection.dialect.name), ~is_had_now)
        .order_by(_former.c.change_number)
    )
    return {row.email_key: row.contact_id for row in connection.execute(statement)}


def former_addresses(
    connection: Connection, contact_ids: Collection[int]
) -> dict[int, list[FormerAddress]]:
    """The addresses that some contacts had, the oldest first."""
    found: dict[int, list[FormerAddress]] = {}
    statement = (
        select(_former)
        .where(is_one_of(_former.c.contact_id, contact_ids, connection.dialect.name))
        .order_by(_former.c.change_number)
    )
    for row in connection.execute(statement):
        former = FormerAddress(row.email, row.ended_at, row.run_id, row.from_contact)
        found.setdefault(row.contact_id, []).append(former)
    return found


def keep_address(
    connection: Connection,
    contact_id: int,
    change: int,
    run_id: int,
    now: datetime,
    *,
    of_contact: int | None = None,
) -> None:
    """Keep the present address of a contact (`of_contact`: of one that is merged into it) as one
    that it had until that change."""
    owner = of_contact or contact_id
    statement = select(_contact.c.email, _contact.c.email_key).where(_contact.c.id == owner)
    email, key = connection.execute(statement).one()
    row = {
        "contact_id": contact_id,
        "change_number": change,
        "email": email,
        "email_key": key,
        "run_id": run_id,
        "ended_at": now,
        "from_contact": of_contact,
    }
    connection.execute(insert(_former).values(row))


def set_address(
    connection: Connection, contact_id: int, address: EmailAddress, now: datetime
) -> None:
    """Give a contact an address that no other has; the last delivery was to the old one."""
    values = {
        "email": address.email,
        "email_key": address.key,
        "email_domain": address.domain,
        "delivered_at": None,
        "updated": now,
        "revision": _contact.c.revision + 1,
    }
    connection.execute(update(_contact).where(_contact.c.id == contact_id).values(values))


def spell_address(connection: Connection, contact_id: int, email: str, now: datetime) -> None:
    """Write the contact's address in another way; it is the same one."""
    values = {"email": email, "updated": now, "revision": _contact.c.revision + 1}
    connection.execute(update(_contact).where(_contact.c.id == contact_id).values(values))


def stop_counting(connection: Connection, contact_id: int) -> None:
    """Let what came back from the contact's old address count no more; what the person did does."""
    counted = or_(_response.c.counts, _response.c.not_counted == "echo")
    connection.execute(
        update(_response)
        .where(
            _response.c.contact_id == contact_id,
            counted,
            _response.c.category.not_in(_OF_THE_PERSON),
        )
        .values(counts=false(), not_counted=FORMER_ADDRESS)
    )
