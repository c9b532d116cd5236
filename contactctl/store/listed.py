"""A list of addresses, however long, as one bound value of a statement.

Not a temporary table: a transaction that only reads, a hot standby and a role without TEMP cannot
make one on Postgres. One text that the server splits costs no more than a COPY of the same list.
"""

import json
from collections.abc import Collection, Iterator
from functools import cached_property

from sqlalchemy import Connection, Select, Text, exists, func, literal, select

from contactctl.store.predicates import Clause
from contactctl.store.tables import contact

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

    def has_contact(self) -> Clause:
        """True for the contacts whose key is listed, active or not."""
        return contact.c.email_key.in_(self._rows())

    def unknown(self, connection: Connection) -> Iterator[str]:
        """The keys that no contact has, in no order."""
        listed = self._rows().subquery()
        known = exists().where(contact.c.email_key == listed.c[0])
        yield from connection.execute(select(listed.c[0]).where(~known)).scalars()
