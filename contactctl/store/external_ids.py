"""Ids that a source gives its contacts: who is meant, who has another address now, who is gone."""

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa

from contactctl.domain.contacts import Status
from contactctl.domain.emails import EmailAddress
from contactctl.store import tables
from contactctl.store.addresses import SEPARATOR, former_among, ids_of_keys, release_key
from contactctl.store.fields import is_one_of
from contactctl.store.imported_status import Creating
from contactctl.store.merge import give_address
from contactctl.store.predicates import run_sql
from contactctl.store.selections import first_rows
from contactctl.store.temporary import fill, join_by_index, refresh_statistics, temporary_tables

MOVED_TABLE = "import_moved"
MOVED_COLUMNS = "position integer PRIMARY KEY"

_contact = tables.contact
_external_id = tables.external_id
_former = tables.former_address
_IDS_AT_A_TIME = 5_000
_KEYS = "source_key"

# CROSS JOIN: SQLite keeps this order, and would otherwise begin with all contacts
_HOLDERS_OF_IDS = """
    SELECT x.external_id, x.contact_id, x.run_id, c.email_key
    FROM external_id x CROSS JOIN contact c
    WHERE x.source = :source AND x.external_id {among} AND c.id = x.contact_id"""
_OF_SEVERAL_IDS = """
    SELECT contact_id FROM external_id WHERE source = :source AND contact_id {among}
    GROUP BY contact_id HAVING count(*) > 1"""
_LINK = """
    INSERT INTO external_id (contact_id, source, external_id, run_id)
    SELECT contact_id, :source, external_id, :run_id FROM import_row
    WHERE external_id IS NOT NULL ORDER BY contact_id
    ON CONFLICT DO NOTHING"""
_NOTE_RUN = "UPDATE external_id SET run_id = :run_id WHERE contact_id = :id AND source = :source"
_IS_GONE = f"""
    FROM contact c LEFT JOIN (
        SELECT DISTINCT x.contact_id FROM external_id x
        JOIN {_KEYS} k ON k.external_id = x.external_id
        WHERE x.source = :source) AS still ON still.contact_id = c.id
    WHERE still.contact_id IS NULL AND c.status = '{Status.ACTIVE}'
    AND EXISTS (SELECT 1 FROM external_id x WHERE x.contact_id = c.id AND x.source = :source)
    AND NOT EXISTS (
        SELECT 1 FROM external_id x WHERE x.contact_id = c.id AND x.source <> :source)
    """  # noqa: S608 (our own words)


class NamedRow(NamedTuple):
    """A row of a source: its position, the contact's id there, and its address as it is stored."""

    position: int
    external_id: str
    email: str
    email_key: str
    email_domain: str


class _Elsewhere(NamedTuple):
    """A row whose contact has another address here; `run_id` has told its id."""

    position: int
    email_key: str
    contact_id: int
    run_id: int


@dataclass(frozen=True, slots=True)
class AddressChanges:
    """Positions of rows: `moved` whose contact has got their address, `taken` whose address another
    contact has, `twice` whose id came with another address before in this run. `linked` are the
    (id, contact) that the store has of the rows' ids; `link` adds to them."""

    moved: frozenset[int] = frozenset()
    taken: frozenset[int] = frozenset()
    twice: frozenset[int] = frozenset()
    linked: set[tuple[str, int]] = field(default_factory=set)


def follow_addresses(
    connection: sa.Connection,
    source: str,
    creating: Creating,
    rows: Sequence[NamedRow],
    now: datetime,
) -> AddressChanges:
    """Give the contacts that the source knows the addresses that they have there now.

    Two contacts may exchange their addresses. One that the source has under several ids, rows of
    one address, stays as it is. The caller changes contacts in this transaction.
    """
    known = sa.select(_external_id.c.source).where(_external_id.c.source == source).limit(1)
    if not rows or connection.execute(known).first() is None:
        return AddressChanges()
    holders_of_ids = _holders(connection, source, rows)
    linked = {(holder.external_id, holder.contact_id) for holder in holders_of_ids}
    found = _elsewhere(connection, source, rows, holders_of_ids)
    if not found:
        return AddressChanges(linked=linked)
    twice = {row.position for row in found if row.run_id == creating.run_id}
    former = _former_of_others(connection, {row.email_key for row in found}, creating.run_id)
    holders = ids_of_keys(connection, {row.email_key for row in found})
    rows_once = [row for row in found if row.position not in twice]
    moving, taken = _who_can_move(rows_once, holders, former)
    by_position = {row.position: row for row in rows}
    addresses = {contact: EmailAddress(*by_position[at][2:]) for contact, at in moving.items()}
    _give_addresses(connection, addresses, creating, now)
    values = [{"id": contact, "run_id": creating.run_id, "source": source} for contact in moving]
    if values:
        connection.execute(sa.text(_NOTE_RUN), values)
    return AddressChanges(frozenset(moving.values()), frozenset(taken), frozenset(twice), linked)


def _holders(
    connection: sa.Connection, source: str, rows: Sequence[NamedRow]
) -> Sequence[sa.Row[Any]]:
    """Who has the rows' ids: external_id, contact_id, email_key, and run_id, which has told the id.

    Ids are looked up one by one: a plan that begins with all ids of the source takes longer with
    each batch.
    """
    join_by_index(connection)
    return _among(connection, _HOLDERS_OF_IDS, source, sorted({row.external_id for row in rows}))


def _elsewhere(
    connection: sa.Connection,
    source: str,
    rows: Sequence[NamedRow],
    holders: Sequence[sa.Row[Any]],
) -> list["_Elsewhere"]:
    """The rows whose contact, by its id, has another address here, and no other id of the
    source."""
    known = {holder.external_id: holder for holder in holders}
    if not known:
        return []
    found = [
        _Elsewhere(row.position, row.email_key, holder.contact_id, holder.run_id)
        for row in rows
        if (holder := known.get(row.external_id)) and holder.email_key != row.email_key
    ]
    contacts = sorted({str(each.contact_id) for each in found})
    shared = {row[0] for row in _among(connection, _OF_SEVERAL_IDS, source, contacts, "bigint")}
    return [each for each in found if each.contact_id not in shared]


def _among(
    connection: sa.Connection,
    statement: str,
    source: str,
    values: Sequence[str],
    type_name: str = "text",
) -> Sequence[sa.Row[Any]]:
    """What a statement finds for one of the values, `{among}` them, of a source."""
    if not values:
        return ()
    bound = {"source": source, "values": json.dumps(values)}
    among = f"IN (SELECT CAST(value AS {type_name}) FROM json_each(:values))"  # noqa: S608
    if connection.dialect.name == "postgresql":
        bound |= {"values": SEPARATOR.join(values), "separator": SEPARATOR}
        among = f"= ANY(CAST(string_to_array(:values, :separator) AS {type_name}[]))"
    return run_sql(connection, statement.format(among=among), **bound).all()


def _former_of_others(
    connection: sa.Connection, email_keys: Collection[str], run_id: int
) -> dict[str, int]:
    """Which contact had an address that nobody has now; but for those given up in this run, which
    the source gives to somebody else."""
    former = former_among(connection, email_keys)
    given_up = sa.select(_former.c.email_key).where(
        _former.c.run_id == run_id,
        is_one_of(_former.c.email_key, former, connection.dialect.name),
    )
    of_this_run = set(connection.execute(given_up).scalars()) if former else set()
    return {key: contact for key, contact in former.items() if key not in of_this_run}


def _who_can_move(
    rows: Sequence[_Elsewhere], holders: Mapping[str, int], former: Mapping[str, int]
) -> tuple[dict[int, int], set[int]]:
    """Contacts with the position of their row; positions of rows whose address is another's, who
    does not give it up at the same time, or was (`former`) another's."""
    moving = {row.contact_id: row for row in rows}
    taken: set[int] = set()
    for contact, row in list(moving.items()):
        if former.get(row.email_key, contact) != contact:
            taken.add(moving.pop(contact).position)
    while blocked := [
        contact
        for contact, row in moving.items()
        if row.email_key in holders and holders[row.email_key] not in moving
    ]:
        taken.update(moving.pop(contact).position for contact in blocked)
    wanted: dict[str, int] = {}
    for contact, row in moving.items():
        if wanted.setdefault(row.email_key, contact) != contact:
            taken.add(row.position)
    return {c: row.position for c, row in moving.items() if row.position not in taken}, taken


def _give_addresses(
    connection: sa.Connection,
    addresses: Mapping[int, EmailAddress],
    creating: Creating,
    now: datetime,
) -> None:
    """One after the other, an address that is still taken last; where they go round in a circle,
    one contact lets go of its own first: an address is unique at every moment."""
    keys = is_one_of(_contact.c.id, addresses, connection.dialect.name)
    rows = connection.execute(sa.select(_contact.c.id, _contact.c.email_key).where(keys))
    held = {row.id: row.email_key for row in rows}
    waiting = dict(addresses)
    aside: set[int] = set()
    while waiting:
        taken = {held[contact] for contact in waiting if contact not in aside}
        free = [contact for contact, new in waiting.items() if new.key not in taken]
        if not free:
            contact = next(iter(waiting))
            aside.add(contact)
            release_key(connection, contact)
            continue
        for contact in free:
            give_address(
                connection,
                contact,
                waiting.pop(contact),
                creating.run_id,
                creating.on_unsubscribe,
                now,
            )


def link(
    connection: sa.Connection,
    source: str,
    run_id: int,
    contacts: Mapping[str, int],
    linked: set[tuple[str, int]],
) -> None:
    """Note the ids of the rows of an import at their contacts, and at no others; `linked` are noted
    already."""
    others = [each for each in linked if contacts.get(each[0], each[1]) != each[1]]
    if others:
        connection.execute(
            sa.delete(_external_id).where(
                _external_id.c.contact_id == sa.bindparam("of_contact"),
                _external_id.c.source == source,
                _external_id.c.external_id == sa.bindparam("of_id"),
            ),
            [{"of_contact": contact, "of_id": external_id} for external_id, contact in others],
        )
    run_sql(connection, _LINK, source=source, run_id=run_id)
    linked |= contacts.items()


def plan_gone(
    connection: sa.Connection, run_id: int, source: str, keys: Iterable[Sequence[str]]
) -> int:
    """Freeze the active contacts that the source alone had, and has no more: `keys` are all ids
    that it has now. Returns how many."""
    with _keys_table(connection, keys):
        plan = (
            "INSERT INTO plan_item (contact_id, run_id, revision)"
            f" SELECT c.id, :run_id, c.revision {_IS_GONE} ORDER BY c.id"
        )
        return run_sql(connection, plan, source=source, run_id=run_id).rowcount


def count_gone(
    connection: sa.Connection, source: str, keys: Iterable[Sequence[str]], most: int
) -> tuple[int, list[dict[str, Any]]]:
    """How many `plan_gone` would freeze, and the first of them."""
    with _keys_table(connection, keys):
        count = run_sql(connection, f"SELECT count(*) {_IS_GONE}", source=source).scalar_one()
        first = f"SELECT c.id {_IS_GONE} ORDER BY c.id LIMIT {most}"
        ids = run_sql(connection, first, source=source).scalars().all()
    rows = first_rows(connection, sa.select(_contact.c.id).where(_contact.c.id.in_(ids)), most)
    return count, rows


def known_ids(connection: sa.Connection, source: str) -> Iterator[tuple[str, list[str]]]:
    """(status, ids) of the contacts that the source knows, some thousands at a time."""
    for status in Status:
        statement = (
            sa.select(_external_id.c.external_id)
            .join(_contact, _contact.c.id == _external_id.c.contact_id)
            .where(_external_id.c.source == source, _contact.c.status == status)
            .order_by(_external_id.c.external_id)
        )
        streamed = connection.execution_options(stream_results=True, yield_per=_IDS_AT_A_TIME)
        for rows in streamed.execute(statement).scalars().partitions():
            yield status.value, list(rows)


@contextmanager
def _keys_table(connection: sa.Connection, keys: Iterable[Sequence[str]]) -> Iterator[None]:
    """All ids of a source in a temporary table."""
    with temporary_tables(connection, {_KEYS: "external_id text"}):
        for some in keys:
            fill(connection, _KEYS, [(key,) for key in some])
        run_sql(connection, f"CREATE INDEX {_KEYS}_id ON {_KEYS} (external_id)")
        refresh_statistics(connection, _KEYS)
        yield
