"""Taking addresses out of what is not their contact's own: runs, responses, other contacts' texts.

Nothing leads from an address to the text that somebody wrote it into, so all of it is read once.
For a few addresses the database does so and gives the rows that may hold one; for many, every row
with something like an address comes here.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from contactctl.domain.emails import EmailAddress
from contactctl.domain.erasure import SIGNS, clues, erase_from, erase_from_json
from contactctl.store import tables
from contactctl.store.fields import ADDRESS_COLUMNS, is_one_of
from contactctl.store.types import Code, Json, is_text

_contact = tables.contact
_group = tables.group
_owned = tables.contact_email
_unmatched = tables.unmatched_response

_FEW = 10  # addresses that the database looks for by itself
_ROWS_AT_A_TIME = 1000


@dataclass(frozen=True, slots=True)
class _Place:
    """A table's columns that may hold somebody's address; `searched` are enough to find it."""

    table: sa.Table
    searched: tuple[str, ...]
    texts: tuple[str, ...]
    jsons: tuple[str, ...]

    @property
    def key(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.table.primary_key.columns)


def _is_free(column: sa.Column[Any]) -> bool:
    """Whether it may hold text from outside; a contact's own address goes with its contact."""
    is_own = column.table in (_contact, _owned) and column.name in ADDRESS_COLUMNS
    return not is_own and not isinstance(column.type, Code)


def _place(table: sa.Table) -> _Place:
    columns = [column for column in table.columns if _is_free(column)]
    texts = [column.name for column in columns if is_text(column)]
    jsons = [column.name for column in columns if isinstance(column.type, Json)]
    searched = [name for name in (*texts, *jsons) if f"{name}_folded" not in table.columns]
    return _Place(table, tuple(searched), tuple(texts), tuple(jsons))


_Change = tuple[dict[str, Any], dict[str, Any]]
"""A row as it is, and its texts as they are to be."""

# all tables but those with nothing to search, so that a new column is searched unless it is a code
_PLACES = [
    place for place in map(_place, tables.metadata.sorted_tables) if place.texts or place.jsons
]


def scrub(connection: sa.Connection, addresses: Sequence[EmailAddress]) -> None:
    """Take the addresses out of all free text; drop the responses to them that nobody owns.

    The revision of other contacts stays: a plan shows nothing of theirs that changes here.
    """
    keys = frozenset(address.key for address in addresses)
    _drop_unmatched(connection, addresses, keys)
    for place in _PLACES:
        changed: list[_Change] = []
        moved: list[_Change] = []
        for old, new in _changes(connection, place, addresses, keys):
            is_moved = any(name in new and new[name] != old[name] for name in place.key)
            (moved if is_moved else changed).append((old, new))
        if changed:
            connection.execute(_update(place), [_at(place, old) | new for old, new in changed])
        if moved:
            _move(connection, place, moved)


def _drop_unmatched(
    connection: sa.Connection, addresses: Sequence[EmailAddress], keys: frozenset[str]
) -> None:
    """Their key is the address, or text around it where the recipient was no plain address."""
    _drop_unmatched_of(connection, keys)
    found = sa.select(_unmatched.c.email_key).where(
        _may_hold(connection, [_unmatched.c.email_key], addresses)
    )
    holding = [key for key in connection.execute(found).scalars() if erase_from(key, keys) != key]
    _drop_unmatched_of(connection, holding)


def _drop_unmatched_of(connection: sa.Connection, keys: Collection[str]) -> None:
    listed = is_one_of(_unmatched.c.email_key, keys, connection.dialect.name)
    connection.execute(sa.delete(_unmatched).where(listed))


def _update(place: _Place) -> sa.Update:
    values: dict[str, Any] = {name: sa.bindparam(name) for name in (*place.texts, *place.jsons)}
    return sa.update(place.table).where(*_at_key(place)).values(values)


def _move(connection: sa.Connection, place: _Place, moved: Sequence[_Change]) -> None:
    """Rows whose key held the address are put in anew; two of them may become the same one."""
    gone = sa.delete(place.table).where(*_at_key(place))
    connection.execute(gone, [_at(place, old) for old, _ in moved])
    names = place.table.columns.keys()
    put_in = (
        f"INSERT INTO {place.table.name} ({', '.join(names)})"  # noqa: S608 (our own names)
        f" VALUES ({', '.join(f':{name}' for name in names)}) ON CONFLICT DO NOTHING"
    )
    typed = [sa.bindparam(column.name, type_=column.type) for column in place.table.columns]
    connection.execute(sa.text(put_in).bindparams(*typed), [{**old, **new} for old, new in moved])


def _at_key(place: _Place) -> Iterator[sa.ColumnElement[bool]]:
    return (place.table.c[name] == sa.bindparam(f"at_{name}") for name in place.key)


def _at(place: _Place, row: Mapping[str, Any]) -> dict[str, Any]:
    return {f"at_{name}": row[name] for name in place.key}


def _changes(
    connection: sa.Connection,
    place: _Place,
    addresses: Sequence[EmailAddress],
    keys: frozenset[str],
) -> list[_Change]:
    """The rows that hold one of the addresses, each with all its texts as they are to be."""
    searched = [place.table.c[name] for name in place.searched]
    statement = sa.select(place.table).where(_may_hold(connection, searched, addresses))
    rows = connection.execute(statement, execution_options={"yield_per": _ROWS_AT_A_TIME})
    changes = []
    for row in map(dict[str, Any], rows.mappings()):
        new = {name: row[name] and erase_from(row[name], keys) for name in place.texts}
        new |= {name: erase_from_json(row[name], keys) for name in place.jsons}
        if place.table is _group:  # names of groups differ, whatever they held
            new |= {n: f"{new[n]} {row['id']}" for n in place.texts if new[n] != row[n]}
        if any(new[name] != row[name] for name in new):
            changes.append((row, new))
    return changes


def _may_hold(
    connection: sa.Connection,
    columns: Sequence[sa.ColumnElement[Any]],
    addresses: Sequence[EmailAddress],
) -> sa.ColumnElement[bool]:
    """Rows worth reading."""
    texts = [_comparable(connection, column) for column in columns]
    return sa.or_(
        *(
            sa.and_(*(each.like(f"%{part}%") for part in parts))
            for each in texts
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


def _comparable(connection: sa.Connection, column: sa.ColumnElement[Any]) -> sa.ColumnElement[str]:
    """The column's text for LIKE to search it without regard to case, as SQLite's does."""
    as_text = sa.cast(column, sa.Text)
    if connection.dialect.name == "sqlite":
        return as_text
    return sa.func.lower(as_text.collate("C"))


# What is left of an address in pages of a SQLite file that rows have moved out of


_MOST = 10  # addresses that the file is searched for: it is rewritten sooner than for more
_CHUNK = 1 << 18
_BETWEEN = (b"@", b"%40", b"=40", b"=", b"=3d")  # as domain.erasure finds them


def may_hold_any(path: Path, addresses: Sequence[EmailAddress]) -> bool:
    """Whether the file may hold one of the addresses, in any spelling.

    True without a look for many, and for those with other letters than ASCII's.
    """
    if len(addresses) > _MOST or not all(each.key.isascii() for each in addresses):
        return True
    parts = {tuple(each.key.encode().rsplit(b"@", 1)) for each in addresses}
    longest = max((len(local) + len(domain) for local, domain in parts), default=0) + 8
    with path.open("rb") as file:
        before = b""
        while chunk := file.read(_CHUNK):
            text = before + chunk.lower()
            if any(_holds(text, local, domain) for local, domain in parts):
                return True
            before = text[-longest:]
    return False


def _holds(text: bytes, local: bytes, domain: bytes) -> bool:
    at = text.find(local)
    while at >= 0:
        end = at + len(local)
        rest = text[end : end + len(domain) + 3]
        if any(rest.startswith(each + domain) for each in _BETWEEN):
            return True
        if text.endswith(domain + b"=", 0, at):  # SRS
            return True
        at = text.find(local, at + 1)
    return False
