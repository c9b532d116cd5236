"""A list of addresses, however long, as one bound value of a statement.

Not a temporary table: a transaction that only reads, a hot standby and a role without TEMP cannot
make one on Postgres. One text that the server splits costs no more than a COPY of the same list.
"""

import json
from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Connection,
    Select,
    Text,
    any_,
    cast,
    func,
    literal,
    select,
)

from contactctl.store.predicates import Clause
from contactctl.store.tables import contact, contact_email

_SEPARATOR = "\n"  # no email key contains one


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
        return _SEPARATOR.join(self._keys)

    def _rows(self) -> Select[str]:
        """The keys, one a row."""
        bound = literal(self._bound, Text)
        if self._dialect == "sqlite":
            return select(func.json_each(bound).table_valued("value").c.value)
        split = func.string_to_array(bound, literal(_SEPARATOR, Text))
        return select(func.unnest(split, type_=Text).column_valued("listed_key"))

    def find(self, connection: Connection) -> tuple[list[str], "ListedContacts"]:
        """The keys that no contact has, in no order, and the contacts of all others.

        The list is joined this once; the contacts are known by their ids from then on. Both come
        as one value each: so many rows would take longer than the join.
        """
        listed = self._rows().subquery()
        found = listed.outerjoin(contact_email, contact_email.c.email_key == listed.c[0])
        contact_id, key = contact_email.c.contact_id, listed.c[0]
        has_contact = contact_id.is_not(None)
        if self._dialect == "sqlite":
            ids, unknown = func.json_group_array(contact_id), func.json_group_array(key)
        else:
            ids = func.string_agg(cast(contact_id, Text), literal(_SEPARATOR, Text))
            unknown = func.string_agg(key, literal(_SEPARATOR, Text))
        aggregated = select(ids.filter(has_contact), unknown.filter(~has_contact))
        known, others = connection.execute(aggregated.select_from(found)).one()
        return self._split(others), ListedContacts(known or "", self._dialect)

    def _split(self, keys: str | None) -> list[str]:
        if self._dialect == "sqlite":
            read: list[str] = json.loads(keys or "[]")
            return read
        return keys.split(_SEPARATOR) if keys else []


@dataclass(frozen=True, slots=True)
class ListedContacts:
    """The contacts of a list: their ids as one text, in the form that the database takes it."""

    ids: str
    dialect: str

    def are_meant(self) -> Clause:
        """True for these contacts, active or not."""
        bound = literal(self.ids, Text)
        if self.dialect == "sqlite":
            return contact.c.id.in_(select(func.json_each(bound).table_valued("value").c.value))
        split = func.string_to_array(bound, literal(_SEPARATOR, Text))
        return contact.c.id == any_(cast(split, ARRAY(BigInteger)))
