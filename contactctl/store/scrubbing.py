"""Taking addresses out of what is not their contact's own: runs, responses, other contacts' texts.

Nothing leads from an address to the text that somebody wrote it into. But the rows of what grows
with contacts say whether they may hold the address of somebody else (`mentions_others`), which few
do: these are read, and all of what stays small. For a few addresses the database looks for them
and gives the rows that may hold one; for many, every row with something like an address comes here.

What a response says of the address that it is about is no other's. Who has that address later than
somebody else is erased from the responses of both.
"""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from mmap import ACCESS_READ, mmap
from pathlib import Path
from struct import Struct
from typing import Any

import sqlalchemy as sa

from contactctl.domain.emails import EmailAddress
from contactctl.domain.erasure import SIGNS, clues, erase_from, erase_from_json
from contactctl.store import tables
from contactctl.store.fields import ADDRESS_COLUMNS, is_one_of
from contactctl.store.temporary import written_columns
from contactctl.store.types import Code, Json, is_text

_contact = tables.contact
_former = tables.former_address
_group = tables.group
_owned = tables.contact_email
_response = tables.response
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

    @property
    def mentions(self) -> sa.Column[Any] | None:
        """Whether a row may hold the address of somebody else, where rows say so."""
        return self.table.c.get("mentions_others")


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

# all tables but those with nothing to search, so that a new column is searched unless it is a code;
# former addresses last, as they lead to responses
_PLACES = sorted(
    (place for place in map(_place, tables.metadata.sorted_tables) if place.texts or place.jsons),
    key=lambda place: place.table is _former,
)


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
        _unmatched.c.mentions_others, _may_hold(connection, [_unmatched.c.email_key], addresses)
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
    columns = written_columns(place.table)
    names = [column.name for column in columns]
    put_in = (
        f"INSERT INTO {place.table.name} ({', '.join(names)})"  # noqa: S608 (our own names)
        f" VALUES ({', '.join(f':{name}' for name in names)}) ON CONFLICT DO NOTHING"
    )
    typed = [sa.bindparam(column.name, type_=column.type) for column in columns]
    rows = [{name: (old | new)[name] for name in names} for old, new in moved]
    connection.execute(sa.text(put_in).bindparams(*typed), rows)


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
    changes = []
    for row in _rows_to_read(connection, place, addresses, keys):
        new = {name: row[name] and erase_from(row[name], keys) for name in place.texts}
        new |= {name: erase_from_json(row[name], keys) for name in place.jsons}
        if place.table is _group:  # names of groups differ, whatever they held
            new |= {n: f"{new[n]} {row['id']}" for n in place.texts if new[n] != row[n]}
        if any(new[name] != row[name] for name in new):
            changes.append((row, new))
    return changes


def _rows_to_read(
    connection: sa.Connection,
    place: _Place,
    addresses: Sequence[EmailAddress],
    keys: frozenset[str],
) -> Iterator[dict[str, Any]]:
    searched = [place.table.c[name] for name in place.searched]
    found: list[sa.ColumnElement[bool]] = [_may_hold(connection, searched, addresses)]
    if place.mentions is not None:
        found = [sa.and_(place.mentions, *found)]
        if unsaid := [each for each in searched if not _is_covered(place.mentions, each)]:
            found.append(_may_hold(connection, unsaid, addresses))
    if place.table is _response:
        had_it = sa.select(_former.c.contact_id).where(
            is_one_of(_former.c.email_key, keys, connection.dialect.name)
        )
        found.append(_response.c.contact_id.in_(had_it))
    # each by itself, so that each is found by its own index
    for which in found:
        statement = sa.select(place.table).where(which)
        rows = connection.execute(statement, execution_options={"yield_per": _ROWS_AT_A_TIME})
        yield from map(dict[str, Any], rows.mappings())


def _is_covered(mentions: sa.Column[Any], searched: sa.Column[Any]) -> bool:
    """Not so of a column that a migration has added, and `mentions_others` does not look at yet."""
    return mentions.computed is None or searched.name in re.findall(
        r"\w+", str(mentions.computed.sqltext)
    )


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
#
# What is deleted is overwritten (secure_delete), but where rows move from page to page, as others
# come in between, a copy can stay behind in a page: of about one row in a hundred. Only what no row
# needs is searched: rows that held the address have been changed.


_MOST = 10  # addresses that the file is searched for: it is rewritten sooner than for more
_PARTS_AT_ONCE = 1000
_BLOCK = Struct(">HH")  # where the next free block of the page is; length of this one
_HEADERS = {2: 12, 5: 12, 10: 8, 13: 8}  # lengths, by kind of a b-tree's page
_BETWEEN = (b"@", b"%40", b"=40", b"=", b"=3d")  # as domain.erasure finds them


def may_hold_any(path: Path, addresses: Sequence[EmailAddress]) -> bool:
    """Whether the file may hold one of the addresses, in any spelling.

    True without a look for many, and for those with other letters than ASCII's.
    """
    if len(addresses) > _MOST or not all(each.key.isascii() for each in addresses):
        return True
    parts = {tuple(each.key.encode().rsplit(b"@", 1)) for each in addresses}
    return any(_holds(text, *each) for text in _unused(path) for each in parts)


def _unused(path: Path) -> Iterator[bytes]:
    """What no row needs of the file's pages, in lower case, many pages at a time.

    Of a b-tree's page these are the bytes between its list of cells and the cells, and free blocks
    among the cells: SQLite zeroes what it frees (secure_delete), and not what it moves. Pages of
    another kind are given whole. See https://sqlite.org/fileformat2.html, section 1.6.
    """
    with path.open("rb") as file, mmap(file.fileno(), 0, access=ACCESS_READ) as content:
        said = int.from_bytes(content[16:18])
        size = 65536 if said == 1 else said
        parts: list[bytes] = []
        pages = Struct(f">BHHH{size - 7}x").iter_unpack(content)  # the heads of b-trees' pages
        for at, (kind, first_block, cells, start) in zip(count(0, size), pages, strict=False):
            header = _HEADERS.get(kind)
            if header is None:
                parts.append(content[at : at + size])
                continue
            parts.append(content[at + header + 2 * cells : at + (start or size)])
            before, block = 0, first_block
            while block > before:
                following, length = _BLOCK.unpack_from(content, at + block)
                parts.append(content[at + block : at + block + length])
                before, block = block, following
            if len(parts) >= _PARTS_AT_ONCE:
                yield b"\n".join(parts).lower()
                parts.clear()
        yield b"\n".join(parts).lower()


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
