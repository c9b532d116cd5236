"""Erasing contacts for good: profile, memberships, responses, and their address wherever it is."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Integer,
    Select,
    Table,
    Text,
    bindparam,
    cast,
    delete,
    func,
    insert,
    literal,
    or_,
    select,
    true,
    update,
)

from contactctl.domain.contacts import Origin, Status
from contactctl.domain.erasing import erase_from, erase_from_json, placeholder, spellings
from contactctl.domain.errors import BusyError
from contactctl.domain.runs import Run
from contactctl.store import tables
from contactctl.store.errors import translated_errors
from contactctl.store.one_of import is_one_of
from contactctl.store.plans import Batch, BatchOutcome, in_batch
from contactctl.store.settling import settle
from contactctl.store.store import Store
from contactctl.store.suppressions import add_hashes
from contactctl.store.tables import SYSTEM_WIDE

_contact = tables.contact
_deactivation = tables.deactivation
_response = tables.response
_unmatched = tables.unmatched_response
_item = tables.plan_item

_FEW = 10  # addresses that the database looks for by itself
_ROWS_AT_A_TIME = 1000
_KEPT = frozenset(
    ("id", "email", "email_key", "email_domain", "status", "created", "updated", "revision")
)

HashOf = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class _Place:
    """Columns of free text that may hold somebody's address."""

    table: Table
    texts: tuple[str, ...]
    jsons: tuple[str, ...] = ()


_RESPONSE_TEXTS = ("recipient", "diagnostic", "source")
_PROFILE_TEXTS = ("first_name", "last_name", "phone", "company", "source")
_PLACES = (
    _Place(tables.run, ("reason", "message"), ("request",)),
    _Place(_response, _RESPONSE_TEXTS),
    _Place(_unmatched, _RESPONSE_TEXTS),
    _Place(
        _contact,
        tuple(part for name in _PROFILE_TEXTS for part in (name, f"{name}_folded")),
        ("attributes", "attributes_folded"),
    ),
)


def plan_erasure(connection: Connection, run_id: int, where: ColumnElement[bool]) -> int:
    """Freeze the contacts that fulfil `where`, active or not; returns how many."""
    chosen = select(_contact.c.id, literal(run_id, Integer), _contact.c.revision).where(where)
    columns = ["contact_id", "run_id", "revision"]
    return connection.execute(insert(_item).from_select(columns, chosen)).rowcount


def erasure_outcome(connection: Connection, run: Run, batch: Batch) -> BatchOutcome:
    """How many of the batch are as they were shown; the others leave the plan."""
    return settle(connection, run, batch, true())


def delete_contacts(
    connection: Connection, run: Run, batch: Batch, now: datetime, *, hash_of: HashOf
) -> int:
    """Delete the batch's contacts with all that is theirs; returns how many."""
    _erase_addresses(connection, run, batch, now, hash_of)
    return connection.execute(delete(_contact).where(_contact.c.id.in_(_ids(run, batch)))).rowcount


def anonymise(
    connection: Connection, run: Run, batch: Batch, now: datetime, *, hash_of: HashOf
) -> int:
    """Leave of the batch's contacts their number, and when they came and were deactivated."""
    _erase_addresses(connection, run, batch, now, hash_of)
    for table in (tables.contact_tag, tables.membership, _response):
        connection.execute(delete(table).where(table.c.contact_id.in_(_ids(run, batch))))
    _deactivate_for_good(connection, run, batch, now)
    named = placeholder_sql()
    blank: dict[str, Any] = {
        column.name: None if column.nullable else {}
        for column in _contact.c
        if column.name not in _KEPT
    }
    blank |= {"email": named, "email_key": named, "email_domain": ""}
    return connection.execute(
        update(_contact)
        .where(_contact.c.id.in_(_ids(run, batch)))
        .values(**blank, status=Status.INACTIVE, updated=now, revision=_contact.c.revision + 1)
    ).rowcount


def placeholder_sql() -> ColumnElement[str]:
    """domain.erasing.placeholder of each contact."""
    return literal(placeholder(0).removesuffix("0")) + cast(_contact.c.id, Text)


def clean_up(store: Store) -> None:
    """Leave no old copy of a page behind: SQLite keeps deleted text in its file until then.

    BusyError when another process reads for so long that the write-ahead log cannot be emptied.
    Postgres frees what is dead by itself (docs/how-to/erasure.md).
    """
    if store.dialect != "sqlite" or store.path is None:
        return
    # in place of BEGIN: VACUUM runs outside a transaction
    outside = {"contactctl_begin": "PRAGMA secure_delete = ON"}
    with translated_errors(store.identity), store.engine.connect() as connection:
        connection.execution_options(**outside).exec_driver_sql("VACUUM")
        checkpoint = connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").one()
    if checkpoint[0]:
        raise BusyError(
            "erased, but a process that reads the store keeps old pages in its write-ahead log",
            hint="`contactctl runs resume RUN --yes`, or the next sweep, empties it",
        )


def _ids(run: Run, batch: Batch) -> Select[Any]:
    return select(_item.c.contact_id).where(in_batch(run.id, batch))


def _erase_addresses(
    connection: Connection, run: Run, batch: Batch, now: datetime, hash_of: HashOf
) -> None:
    """Suppress the batch's addresses, and take them out of every place but the contact itself."""
    addresses = [
        (row.email, row.email_key)
        for row in connection.execute(
            select(_contact.c.email, _contact.c.email_key).where(
                _contact.c.id.in_(_ids(run, batch)), _contact.c.email_key != placeholder_sql()
            )
        )
    ]
    if not addresses:
        return
    keys = [key for _, key in addresses]
    add_hashes(connection, [hash_of(key) for key in keys], run.id, now)
    connection.execute(
        delete(_unmatched).where(is_one_of(connection, _unmatched.c.email_key, keys))
    )
    erased = frozenset().union(*(spellings(email, key) for email, key in addresses))
    for place in _PLACES:
        _erase_from(connection, place, erased)


def _deactivate_for_good(connection: Connection, run: Run, batch: Batch, now: datetime) -> None:
    """A reason of its own to stay inactive, which no rule ends."""
    rows = select(
        _item.c.contact_id,
        literal(SYSTEM_WIDE, Integer),
        literal(run.id, Integer),
        literal("", Text),
        literal(Origin.INDIVIDUAL.value, Text),
        literal(now, _deactivation.c.started_at.type),
    ).where(in_batch(run.id, batch))
    columns = ["contact_id", "group_id", "run_id", "category", "origin", "started_at"]
    connection.execute(insert(_deactivation).from_select(columns, rows))


def _erase_from(connection: Connection, place: _Place, erased: frozenset[str]) -> None:
    changes = list(_changes(connection, place, erased))
    if not changes:
        return
    keys = place.table.primary_key.columns
    statement = update(place.table).where(*(key == bindparam(f"at_{key.name}") for key in keys))
    values: dict[str, Any] = {name: bindparam(name) for name in (*place.texts, *place.jsons)}
    connection.execute(statement.values(values), changes)


def _changes(
    connection: Connection, place: _Place, erased: frozenset[str]
) -> Iterator[dict[str, Any]]:
    """The rows that hold one of the addresses: their key, and all texts as they are to be."""
    keys = list(place.table.primary_key.columns)
    columns = [place.table.c[name] for name in (*place.texts, *place.jsons)]
    statement = select(*keys, *columns).where(_may_hold(connection, columns, erased))
    rows = connection.execute(statement, execution_options={"yield_per": _ROWS_AT_A_TIME})
    for row in rows.mappings():
        new = {name: row[name] and erase_from(row[name], erased) for name in place.texts}
        new |= {name: erase_from_json(row[name], erased) for name in place.jsons}
        if any(new[name] != row[name] for name in new):
            yield new | {f"at_{key.name}": row[key.name] for key in keys}


def _may_hold(
    connection: Connection, columns: Sequence[ColumnElement[Any]], erased: frozenset[str]
) -> ColumnElement[bool]:
    """Rows worth reading: for a few plain addresses those that hold one, else all with an @."""
    position = func.instr if connection.dialect.name == "sqlite" else func.strpos
    texts = [cast(column, Text) for column in columns]
    if len(erased) > _FEW or not all(each.isascii() for each in erased):
        return or_(*(position(text, "@") > 0 for text in texts))
    wanted = [form for each in erased for form in (each, each.replace("@", "="))]
    return or_(*(position(func.lower(text), form) > 0 for text in texts for form in wanted))
