"""Whose an address is, and whose it was: every look-up by address asks here, and joins by number.

An address that a contact has is one row of `contact_email`. Those that it had are `former_address`:
several contacts may have had the same one, and they go with the contact, so they stay a table of
their own.

A list of addresses, however long, is one bound value of a statement. Not a temporary table: a
transaction that only reads, a hot standby and a role without TEMP cannot make one on Postgres. One
text that the server splits costs no more than a COPY of the same list.
"""

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

import sqlalchemy as sa

from contactctl.domain.contacts import FormerAddress
from contactctl.domain.emails import EmailAddress
from contactctl.domain.responses import FORMER_ADDRESS, RESUBSCRIBED, UNSUBSCRIBED, Category
from contactctl.store import tables
from contactctl.store.changes import change_contacts
from contactctl.store.fields import is_one_of
from contactctl.store.predicates import Clause
from contactctl.store.tables import contact, contact_email

_contact = tables.contact
_former = tables.former_address
_owned = tables.contact_email
_response = tables.response

# what the person did, whatever the address
_OF_THE_PERSON = (Category.SPAM_COMPLAINT.value, UNSUBSCRIBED, RESUBSCRIBED)


SEPARATOR = "\n"  # no email key and no external id contains one
_OWNERS_ON_SQLITE = """
    SELECT email_key, contact_id FROM contact_email
    WHERE email_key IN (SELECT value FROM json_each(:keys))"""
# one text each way: so many values or rows of their own take two to three times as long. By way of
# an array: string_agg takes its column as another type, which a cluster trips over
_OWNERS_ON_POSTGRES = """
    SELECT array_to_string(array_agg(email_key), :separator),
        array_to_string(array_agg(contact_id), :separator)
    FROM contact_email WHERE email_key = ANY(string_to_array(:keys, :separator))"""
# on SQLite the number that AUTOINCREMENT has given last, a deleted contact's too
_LAST_NUMBER = "SELECT seq FROM sqlite_sequence WHERE name = 'contact'"
# in the order of the index, and no text twice on its way to the server
_CLAIM = """
    INSERT INTO contact_email (email_key, contact_id)
    SELECT email_key, contact_id FROM {table} WHERE contact_id > :last_id ORDER BY email_key"""
# a subquery, as the sequence would be looked up again for each number
_NEXT_NUMBERS = """
    SELECT string_agg(
        CAST(nextval((SELECT pg_get_serial_sequence('contact', 'id'))) AS text), :separator)
    FROM generate_series(1, :count)"""


def ids_of_keys(connection: sa.Connection, email_keys: Collection[str]) -> dict[str, int]:
    """The contacts that have these addresses now; an address that nobody has is left out."""
    if not email_keys:
        return {}
    # sorted, as the index is: the pages that one batch reads lie together
    keys = sorted(email_keys)
    if connection.dialect.name == "sqlite":
        found = connection.execute(sa.text(_OWNERS_ON_SQLITE), {"keys": json.dumps(keys)})
        return {key: contact for key, contact in found}  # noqa: C416 (rows are not pairs to mypy)
    bound = {"keys": SEPARATOR.join(keys), "separator": SEPARATOR}
    owned, ids = connection.execute(sa.text(_OWNERS_ON_POSTGRES), bound).one()
    return dict(zip(owned.split(SEPARATOR), _numbers(ids), strict=True)) if owned else {}


def id_of_key(connection: sa.Connection, email_key: str) -> int | None:
    """The id of the contact with this key; None where there is none."""
    return ids_of_keys(connection, [email_key]).get(email_key)


def numbered(connection: sa.Connection, email_keys: Sequence[str]) -> dict[str, int]:
    """The contacts that have these addresses; who has none yet gets a number above those of all
    contacts, growing in the order given. The caller claims the addresses in this transaction."""
    known = ids_of_keys(connection, email_keys)
    new = [key for key in email_keys if key not in known]
    numbers = _next_numbers(connection, len(new)) if new else ()
    return known | dict(zip(new, numbers, strict=True))


def claim_staged(connection: sa.Connection, table: str, last_id: int) -> None:
    """Let new contacts, those above `last_id`, have the addresses that a temporary table gives them
    (contact_id, email_key). DBAPIError where another contact has one of them."""
    connection.execute(sa.text(_CLAIM.format(table=table)), {"last_id": last_id})


def release_keys(connection: sa.Connection, email_keys: Collection[str]) -> None:
    """Let the contacts that have these addresses have none."""
    listed = is_one_of(_owned.c.email_key, email_keys, connection.dialect.name)
    connection.execute(sa.delete(_owned).where(listed))


def release_key(connection: sa.Connection, contact_id: int) -> None:
    """Let the contact have no address, where it still has the one that its row names."""
    key = sa.select(_contact.c.email_key).where(_contact.c.id == contact_id)
    email_key = connection.execute(key).scalar_one()
    theirs = (_owned.c.email_key == email_key, _owned.c.contact_id == contact_id)
    connection.execute(sa.delete(_owned).where(*theirs))


def _next_numbers(connection: sa.Connection, count: int) -> Sequence[int]:
    if connection.dialect.name == "sqlite":
        last = connection.execute(sa.text(_LAST_NUMBER)).scalar() or 0
        return range(last + 1, last + count + 1)
    bound = {"count": count, "separator": SEPARATOR}
    return sorted(_numbers(connection.execute(sa.text(_NEXT_NUMBERS), bound).scalar_one()))


def _numbers(text: str) -> list[int]:
    return list(map(int, text.split(SEPARATOR)))


def contact_of_former(connection: sa.Connection, email_key: str) -> int | None:
    """The contact that had this address last; None where none had."""
    return former_among(connection, [email_key]).get(email_key)


def former_among(connection: sa.Connection, email_keys: Collection[str]) -> dict[str, int]:
    """Those of the addresses that no contact has and some had, each with the last that had it."""
    if connection.execute(sa.select(_former.c.contact_id).limit(1)).first() is None:
        return {}
    statement = (
        sa.select(_former.c.email_key, _former.c.contact_id)
        .where(is_one_of(_former.c.email_key, email_keys, connection.dialect.name))
        .order_by(_former.c.change_number)
    )
    found = {row.email_key: row.contact_id for row in connection.execute(statement)}
    had_now = ids_of_keys(connection, found)
    return {key: contact for key, contact in found.items() if key not in had_now}


def former_addresses(
    connection: sa.Connection, contact_ids: Collection[int]
) -> dict[int, list[FormerAddress]]:
    """The addresses that some contacts had, the oldest first."""
    found: dict[int, list[FormerAddress]] = {}
    statement = (
        sa.select(_former)
        .where(is_one_of(_former.c.contact_id, contact_ids, connection.dialect.name))
        .order_by(_former.c.change_number)
    )
    for row in connection.execute(statement):
        former = FormerAddress(row.email, row.ended_at, row.run_id, row.from_contact)
        found.setdefault(row.contact_id, []).append(former)
    return found


def keep_address(
    connection: sa.Connection,
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
    statement = sa.select(_contact.c.email, _contact.c.email_key).where(_contact.c.id == owner)
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
    connection.execute(sa.insert(_former).values(row))


def set_address(
    connection: sa.Connection, contact_id: int, address: EmailAddress, now: datetime
) -> None:
    """Give a contact an address that no other has; the last delivery was to the old one."""
    values = {
        "email": address.email,
        "email_key": address.key,
        "email_domain": address.domain,
        "delivered_at": None,
    }
    release_key(connection, contact_id)
    change_contacts(connection, _contact.c.id == contact_id, now, **values)
    connection.execute(sa.insert(_owned).values(email_key=address.key, contact_id=contact_id))


def spell_address(connection: sa.Connection, contact_id: int, email: str, now: datetime) -> None:
    """Write the contact's address in another way; it is the same one."""
    change_contacts(connection, _contact.c.id == contact_id, now, email=email)


def stop_counting(connection: sa.Connection, contact_id: int) -> None:
    """Let what came back from the contact's old address count no more; what the person did does."""
    counted = sa.or_(_response.c.counts, _response.c.not_counted == "echo")
    connection.execute(
        sa.update(_response)
        .where(
            _response.c.contact_id == contact_id,
            counted,
            _response.c.category.not_in(_OF_THE_PERSON),
        )
        .values(counts=sa.false(), not_counted=FORMER_ADDRESS)
    )


# A list of addresses, however long, as one bound value of a statement


class ListedKeys:
    """Distinct email keys, in the form that a database of this dialect takes them."""

    def __init__(self, keys: Collection[str], dialect: str) -> None:
        self._keys = keys
        self._dialect = dialect

    @cached_property
    def size(self) -> int:
        """Characters of the bound value; Postgres takes less than 1 GiB, SQLite 10^9 bytes."""
        return len(self._bound)

    @cached_property
    def _bound(self) -> str:
        if self._dialect == "sqlite":
            return json.dumps(list(self._keys), ensure_ascii=False)
        return SEPARATOR.join(self._keys)

    def _rows(self) -> sa.Select[str]:
        """The keys, one a row."""
        bound = sa.literal(self._bound, sa.Text)
        if self._dialect == "sqlite":
            return sa.select(sa.func.json_each(bound).table_valued("value").c.value)
        split = sa.func.string_to_array(bound, sa.literal(SEPARATOR, sa.Text))
        return sa.select(sa.func.unnest(split, type_=sa.Text).column_valued("listed_key"))

    def find(self, connection: sa.Connection) -> tuple[list[str], "ListedContacts"]:
        """The keys that no contact has, in no order, and the contacts of all others.

        The list is joined this once; the contacts are known by their ids from then on. Both come
        as one value each: so many rows would take longer than the join.
        """
        listed = self._rows().subquery()
        found = listed.outerjoin(contact_email, contact_email.c.email_key == listed.c[0])
        contact_id, key = contact_email.c.contact_id, listed.c[0]
        has_contact = contact_id.is_not(None)
        if self._dialect == "sqlite":
            ids, unknown = sa.func.json_group_array(contact_id), sa.func.json_group_array(key)
        else:
            ids = sa.func.string_agg(sa.cast(contact_id, sa.Text), sa.literal(SEPARATOR, sa.Text))
            unknown = sa.func.string_agg(key, sa.literal(SEPARATOR, sa.Text))
        aggregated = sa.select(ids.filter(has_contact), unknown.filter(~has_contact))
        known, others = connection.execute(aggregated.select_from(found)).one()
        return self._split(others), ListedContacts(known or "", self._dialect)

    def _split(self, keys: str | None) -> list[str]:
        if self._dialect == "sqlite":
            read: list[str] = json.loads(keys or "[]")
            return read
        return keys.split(SEPARATOR) if keys else []


@dataclass(frozen=True, slots=True)
class ListedContacts:
    """The contacts of a list: their ids as one text, in the form that the database takes it."""

    ids: str
    dialect: str

    def are_meant(self) -> Clause:
        """True for these contacts, active or not."""
        bound = sa.literal(self.ids, sa.Text)
        if self.dialect == "sqlite":
            return contact.c.id.in_(
                sa.select(sa.func.json_each(bound).table_valued("value").c.value)
            )
        split = sa.func.string_to_array(bound, sa.literal(SEPARATOR, sa.Text))
        return contact.c.id == sa.any_(sa.cast(split, sa.ARRAY(sa.BigInteger)))
