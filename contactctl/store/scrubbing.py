"""Taking addresses out of what is not their contact's own: runs, responses, other contacts' texts.

Nothing leads from an address to the text that somebody wrote it into, so all of it is read once.
For a few addresses the database does so and gives the rows that may hold one; for many, every row
with something like an address comes here.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Table,
    Text,
    and_,
    bindparam,
    cast,
    delete,
    func,
    or_,
    select,
    text,
    update,
)

from contactctl.domain.emails import EmailAddress
from contactctl.domain.erasing import SIGNS, clues, erase_from, erase_from_json
from contactctl.store import tables
from contactctl.store.value_sql import is_one_of

_contact = tables.contact
_unmatched = tables.unmatched_response

_FEW = 10  # addresses that the database looks for by itself
_ROWS_AT_A_TIME = 1000


@dataclass(frozen=True, slots=True)
class _Place:
    """Columns of free text that may hold somebody's address; `searched` are enough to find it."""

    table: Table
    searched: tuple[str, ...]
    texts: tuple[str, ...]
    jsons: tuple[str, ...] = ()


_RESPONSE_TEXTS = ("recipient", "diagnostic", "source")
_PROFILE_TEXTS = ("first_name", "last_name", "phone", "company", "source")
_PROFILE_FOLDED = tuple(f"{name}_folded" for name in _PROFILE_TEXTS)
_RUN = _Place(tables.run, ("reason", "message", "request"), ("reason", "message"), ("request",))
_RESPONSE = _Place(tables.response, _RESPONSE_TEXTS, _RESPONSE_TEXTS)
_UNMATCHED = _Place(_unmatched, _RESPONSE_TEXTS, _RESPONSE_TEXTS)
_PROFILE = _Place(
    _contact,
    (*_PROFILE_FOLDED, "attributes_folded"),
    (*_PROFILE_TEXTS, *_PROFILE_FOLDED),
    ("attributes", "attributes_folded"),
)
_TAG = _Place(tables.contact_tag, ("tag_folded",), ("tag", "tag_folded"))

_DROP_TAG = (
    "DELETE FROM contact_tag WHERE contact_id = :at_contact_id AND tag_folded = :at_tag_folded"
)
_ADD_TAG = """
    INSERT INTO contact_tag (contact_id, tag_folded, tag)
    VALUES (:at_contact_id, :tag_folded, :tag) ON CONFLICT DO NOTHING"""


def scrub(connection: Connection, addresses: Sequence[EmailAddress]) -> None:
    """Take the addresses out of all free text; drop the responses to them that nobody owns.

    The revision of other contacts stays: a plan shows nothing of theirs that changes here.
    """
    keys = frozenset(address.key for address in addresses)
    _drop_unmatched(connection, addresses, keys)
    for place in (_RUN, _RESPONSE, _UNMATCHED, _PROFILE):
        changes = list(_changes(connection, place, addresses, keys))
        if changes:
            connection.execute(_update(place), changes)
    _scrub_tags(connection, addresses, keys)


def _drop_unmatched(
    connection: Connection, addresses: Sequence[EmailAddress], keys: frozenset[str]
) -> None:
    """Their key is the address, or text around it where the recipient was no plain address."""
    _drop_unmatched_of(connection, keys)
    found = select(_unmatched.c.email_key).where(
        _may_hold(connection, [_unmatched.c.email_key], addresses)
    )
    holding = [key for key in connection.execute(found).scalars() if erase_from(key, keys) != key]
    _drop_unmatched_of(connection, holding)


def _drop_unmatched_of(connection: Connection, keys: Collection[str]) -> None:
    listed = is_one_of(_unmatched.c.email_key, keys, connection.dialect.name)
    connection.execute(delete(_unmatched).where(listed))


def _scrub_tags(
    connection: Connection, addresses: Sequence[EmailAddress], keys: frozenset[str]
) -> None:
    """Tags are part of their row's key, and two may become the same one."""
    changes = list(_changes(connection, _TAG, addresses, keys))
    if changes:
        connection.execute(text(_DROP_TAG), changes)
        connection.execute(text(_ADD_TAG), changes)


def _update(place: _Place) -> Any:
    keys = place.table.primary_key.columns
    values: dict[str, Any] = {name: bindparam(name) for name in (*place.texts, *place.jsons)}
    at_key = (key == bindparam(f"at_{key.name}") for key in keys)
    return update(place.table).where(*at_key).values(values)


def _changes(
    connection: Connection,
    place: _Place,
    addresses: Sequence[EmailAddress],
    keys: frozenset[str],
) -> Iterator[dict[str, Any]]:
    """The rows that hold one of the addresses: their key, and all texts as they are to be."""
    row_key = list(place.table.primary_key.columns)
    columns = [place.table.c[name] for name in (*place.texts, *place.jsons)]
    searched = [place.table.c[name] for name in place.searched]
    statement = select(*(column.label(f"at_{column.name}") for column in row_key), *columns).where(
        _may_hold(connection, searched, addresses)
    )
    rows = connection.execute(statement, execution_options={"yield_per": _ROWS_AT_A_TIME})
    for row in rows.mappings():
        new = {name: row[name] and erase_from(row[name], keys) for name in place.texts}
        new |= {name: erase_from_json(row[name], keys) for name in place.jsons}
        if any(new[name] != row[name] for name in new):
            yield {**row, **new}


def _may_hold(
    connection: Connection,
    columns: Sequence[ColumnElement[Any]],
    addresses: Sequence[EmailAddress],
) -> ColumnElement[bool]:
    """Rows worth reading."""
    texts = [_comparable(connection, column) for column in columns]
    return or_(
        *(
            and_(*(text.like(f"%{part}%") for part in parts))
            for text in texts
            for parts in _parts_to_look_for(addresses)
        )
    )


def _parts_to_look_for(addresses: Sequence[EmailAddress]) -> list[tuple[str, ...]]:
    """Texts that occur together where one of the addresses does; LIKE's wildcards do no harm."""
    if len(addresses) <= _FEW:
        parts = [clues(address) for address in addresses]
        if all(parts):
            return parts
    return [(sign,) for sign in SIGNS]


def _comparable(connection: Connection, column: ColumnElement[Any]) -> ColumnElement[str]:
    """The column's text for LIKE to search it without regard to case, as SQLite's does."""
    as_text = cast(column, Text)
    if connection.dialect.name == "sqlite":
        return as_text
    return func.lower(as_text.collate("C"))
