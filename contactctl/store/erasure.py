"""Erasing contacts for good, and the hashes of addresses that must not come back."""

from collections.abc import Callable, Collection, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

import sqlalchemy as sa

from contactctl.domain.changes import ChangeKind
from contactctl.domain.contacts import Origin, Status
from contactctl.domain.emails import EmailAddress
from contactctl.domain.erasure import Hasher, Key, domain_of, key_id_of, placeholder
from contactctl.domain.errors import BusyError
from contactctl.store import tables
from contactctl.store.addresses import ids_of_keys, release_keys
from contactctl.store.contacts import WITHOUT_FOREIGN_KEY, delete_with_theirs, keys_after
from contactctl.store.database.errors import translated_errors
from contactctl.store.database.sqlite import BEGIN
from contactctl.store.database.store import Store
from contactctl.store.deactivations import open_each
from contactctl.store.fields import is_one_of
from contactctl.store.impact import losses_of_plan
from contactctl.store.plans import BatchOutcome, BatchWork, Right, Step, settle
from contactctl.store.predicates import how_many
from contactctl.store.scrubbing import may_hold_any, scrub
from contactctl.store.types import is_text

_suppression = tables.suppression

KeysNamed = Callable[[Collection[str]], Sequence[Hasher]]
_KEYS_AT_ONCE = 10_000
Suppressed = Callable[[sa.Connection, Collection[str]], AbstractSet[str]]


@dataclass(frozen=True, slots=True)
class SuppressionRow:
    """One suppressed address, which nobody can read back. `run` suppressed it."""

    key_hash: str
    created: datetime
    run: int | None


def suppressed_among(
    connection: sa.Connection, email_keys: Collection[str], *, keys_named: KeysNamed
) -> AbstractSet[str]:
    """Those of the addresses that are suppressed, each alone or with its whole domain.

    Who creates contacts asks within the transaction that does so, once it has its turn to change
    contacts (locks.serialise): erasing and adding suppressions wait for the same turn. While
    nothing is suppressed nothing is hashed.
    """
    used = key_ids(connection)
    if not used:
        return frozenset()
    asked = dict.fromkeys((*email_keys, *map(domain_of, email_keys)))
    by_hash = {hasher.hash_of(each): each for hasher in keys_named(used) for each in asked}
    found = {by_hash[known] for known in known_hashes(connection, by_hash)}
    return {each for each in email_keys if each in found or domain_of(each) in found}


def key_ids(connection: sa.Connection) -> list[str]:
    """The ids of the keys that have made the stored hashes."""
    found: list[str] = []
    after = ""
    # a step for each key, where DISTINCT would read every hash
    next_hash = sa.select(sa.func.min(_suppression.c.key_hash))
    while key_hash := connection.scalar(next_hash.where(_suppression.c.key_hash > after)):
        found.append(key_id_of(key_hash))
        after = f"{found[-1]}:g"  # past the last hexadecimal digit, in any collation
    return found


def known_hashes(connection: sa.Connection, hashes: Collection[str]) -> set[str]:
    """Those of the hashes that are stored; one parameter, however many."""
    listed = is_one_of(_suppression.c.key_hash, hashes, connection.dialect.name)
    return set(connection.execute(sa.select(_suppression.c.key_hash).where(listed)).scalars())


def list_suppressions(connection: sa.Connection, limit: int) -> list[SuppressionRow]:
    """The latest suppressions, newest first."""
    statement = (
        sa.select(_suppression.c.key_hash, _suppression.c.created, _suppression.c.run_id)
        .order_by(_suppression.c.created.desc(), _suppression.c.key_hash)
        .limit(limit)
    )
    return [SuppressionRow(row[0], row[1], row[2]) for row in connection.execute(statement)]


def count_suppressions(connection: sa.Connection) -> int:
    """How many addresses are suppressed."""
    return how_many(connection, _suppression)


def add_hashes(
    connection: sa.Connection, hashes: Sequence[str], run_id: int, now: datetime
) -> None:
    """Suppress these; those that are already stay as they are."""
    known = known_hashes(connection, hashes)
    rows = [
        {"key_hash": each, "created": now, "run_id": run_id} for each in hashes if each not in known
    ]
    if rows:
        connection.execute(sa.insert(_suppression), rows)


def count_contacts(connection: sa.Connection, suppressed: Suppressed) -> int:
    """How many contacts have an address that is suppressed: all of them are hashed."""
    total, last_id = 0, 0
    while found := keys_after(connection, last_id, _KEYS_AT_ONCE):
        last_id = found[-1][0]
        total += len(suppressed(connection, [key for _, key in found]))
    return total


def remove_hashes(connection: sa.Connection, hashes: Collection[str]) -> int:
    """Suppress these no more; returns how many there were."""
    listed = is_one_of(_suppression.c.key_hash, hashes, connection.dialect.name)
    return connection.execute(sa.delete(_suppression).where(listed)).rowcount


# Erasing contacts for good: profile, memberships, responses, and their address wherever it is


_contact = tables.contact

# what is of a contact, and goes with its address
_THEIRS = (
    *(tables.contact_tag, tables.membership, tables.former_membership, tables.former_address),
    *(tables.response, tables.delivery, tables.click),
    *(tables.external_id, tables.pushed_suppression),
)
_KEPT = frozenset(
    ("id", "email", "email_key", "email_domain", "status", "created", "updated", "revision")
)

# SQLite's user_version: moves in the same transaction as what leaves old pages behind
_IS_CLEAN, _HAS_OLD_PAGES = 0, 1
_OUTSIDE = "PRAGMA secure_delete = ON"  # in place of BEGIN: what follows is in no transaction

OnErased = Callable[[Sequence[EmailAddress]], None]
CurrentKey = Callable[[Collection[str]], Key]
"""The key for new hashes, given the ids of the keys of the stored ones."""


def erasure_outcome(step: Step) -> BatchOutcome:
    """How many of the batch are as they were shown; the others leave the plan."""
    return settle(step, sa.true())


def erase(
    take_away: Callable[[Step], int],
    step: Step,
    *,
    current_key: CurrentKey,
    on_erased: OnErased = lambda _: None,
) -> int:
    """Suppress the batch's addresses, take its contacts away, and the addresses out of all that is
    not theirs; returns how many contacts."""
    addresses = _suppress(step, current_key)
    step.tell(ChangeKind.ERASED, _with_address(step, _contact.c.id))
    erased = take_away(step)
    if addresses:
        scrub(step.connection, addresses)
    if step.connection.dialect.name == "sqlite":
        step.connection.exec_driver_sql(f"PRAGMA user_version = {_HAS_OLD_PAGES}")
    on_erased(addresses)
    return erased


def delete_contacts(step: Step) -> int:
    """Delete the batch's contacts with all that is theirs; returns how many."""
    ids = step.contact_ids
    return delete_with_theirs(step.connection, lambda contact_id: contact_id.in_(ids))


def anonymise(step: Step) -> int:
    """Leave of the batch's contacts their number, and when they came and were deactivated."""
    for table in _THEIRS:
        step.do(sa.delete(table).where(table.c.contact_id.in_(step.contact_ids)))
    # a reason of its own to stay inactive, which no rule ends
    open_each(step, Origin.INDIVIDUAL, step.contact_ids)
    return _blank(step)


def placeholder_sql() -> sa.ColumnElement[str]:
    """domain.erasing.placeholder of each contact."""
    return sa.literal(placeholder(0).removesuffix("0")) + sa.cast(_contact.c.id, sa.Text)


def not_anonymised(where: sa.ColumnElement[bool]) -> sa.ColumnElement[bool]:
    """Of the contacts that fulfil `where` those that have an address of their own yet."""
    return sa.and_(where, _contact.c.email_key != placeholder_sql())


def needs_clean_up(store: Store) -> bool:
    """Whether something was erased since the last `clean_up`, whatever became of its run."""
    if store.path is None:
        return False
    with store.reading() as connection:
        version: int = connection.exec_driver_sql("PRAGMA user_version").scalar_one()
    return version == _HAS_OLD_PAGES


def clean_up(store: Store, erased: Sequence[EmailAddress] | None = None) -> None:
    """Leave no old copy of an address behind, as SQLite's pages may when their rows move.

    The file is read, and rewritten where it holds one of the addresses still; or where there are
    many, or nobody knows any more which were `erased` (None). BusyError when another process reads
    for so long that the write-ahead log cannot be emptied. Postgres frees what is dead by itself
    (docs/how-to/erasure.md).
    """
    if store.path is None or not needs_clean_up(store):
        return
    with translated_errors(store):
        _empty_log(store)
        if erased is None or may_hold_any(store.path, erased):
            with store.engine.connect() as connection:
                connection.execution_options(**{BEGIN: _OUTSIDE}).exec_driver_sql("VACUUM")
            _empty_log(store)
        with store.writing() as connection:
            connection.exec_driver_sql(f"PRAGMA user_version = {_IS_CLEAN}")


def _empty_log(store: Store) -> None:
    with store.engine.connect() as connection:
        connection.execution_options(**{BEGIN: _OUTSIDE})
        checkpoint = connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").one()
    if checkpoint[0]:
        raise BusyError(
            "erased, but a process that reads the store keeps old pages in its write-ahead log",
            hint="`contactctl sweep runs --yes` empties it when that process has ended",
        )


def _with_address(step: Step, *columns: sa.ColumnElement[Any]) -> sa.Select[Any]:
    """Of the batch's contacts those that are not anonymised already."""
    return sa.select(*columns).where(not_anonymised(_contact.c.id.in_(step.contact_ids)))


def _suppress(step: Step, current_key: CurrentKey) -> list[EmailAddress]:
    """Suppress the batch's addresses; returns those of contacts that are not anonymised yet."""
    columns = (_contact.c.email, _contact.c.email_key, _contact.c.email_domain)
    rows = step.connection.execute(_with_address(step, *columns))
    addresses = [EmailAddress(*row) for row in rows]
    release_keys(step.connection, [address.key for address in addresses])
    addresses += _former_addresses(step)
    key = current_key(key_ids(step.connection))
    hashes = [key.hash_of(address.key) for address in addresses]
    add_hashes(step.connection, hashes, step.run.id, step.now)
    return addresses


def _former_addresses(step: Step) -> list[EmailAddress]:
    """The addresses that the batch's contacts had, but for those that others have now.

    The batch's contacts have let go of their present ones.
    """
    former = tables.former_address
    found = step.connection.execute(
        sa.select(former.c.email, former.c.email_key)
        .where(former.c.contact_id.in_(step.contact_ids))
        .distinct()
    ).all()
    taken = ids_of_keys(step.connection, {row.email_key for row in found})
    return [
        EmailAddress(row.email, row.email_key, row.email_key.rpartition("@")[2])
        for row in found
        if row.email_key not in taken
    ]


def _blank(step: Step) -> int:
    """Take everything personal out of the contacts themselves; returns how many."""
    named = placeholder_sql()
    blank: dict[str, Any] = {
        column.name: None if column.nullable else _nothing(column)
        for column in _contact.c
        if column.name not in _KEPT and column.computed is None
    }
    blank |= {"email": named, "email_key": named, "email_domain": "", "status": Status.INACTIVE}
    return step.change_contacts(_contact.c.id.in_(step.contact_ids), **blank)


def _nothing(column: sa.Column[Any]) -> str | int | dict[str, Any]:
    if is_text(column):
        return ""
    return 0 if isinstance(column.type, sa.Integer) else {}


_RIGHTS_TO_SCRUB: tuple[Right, ...] = (
    ("INSERT", "suppression"),
    ("UPDATE", "contact"),
    ("DELETE", "contact_email"),
    ("UPDATE", "response"),
    ("UPDATE", "unmatched_response"),
    ("DELETE", "unmatched_response"),
    ("DELETE", "contact_tag"),
    ("UPDATE", "policy"),
)
ANONYMISING = BatchWork(
    erasure_outcome,
    partial(erase, anonymise),
    rights=(
        *_RIGHTS_TO_SCRUB,
        *(("DELETE", table.name) for table in _THEIRS),
        ("INSERT", "deactivation"),
    ),
    clean_up=clean_up,
    impact=losses_of_plan,
)
DELETING = BatchWork(
    erasure_outcome,
    partial(erase, delete_contacts),
    rights=(
        *_RIGHTS_TO_SCRUB,
        ("DELETE", "contact"),
        *(("DELETE", table.name) for table in WITHOUT_FOREIGN_KEY),
    ),
    clean_up=clean_up,
    impact=losses_of_plan,
)
