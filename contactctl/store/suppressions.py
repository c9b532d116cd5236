"""The hashes of suppressed addresses."""

from collections.abc import Callable, Collection, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, func, insert, select

from contactctl.domain.suppression import Hasher, domain_of, key_id_of
from contactctl.store import tables
from contactctl.store.value_sql import is_one_of

_suppression = tables.suppression

KeysNamed = Callable[[Collection[str]], Sequence[Hasher]]
Suppressed = Callable[[Connection, Collection[str]], AbstractSet[str]]


@dataclass(frozen=True, slots=True)
class SuppressionRow:
    """One suppressed address, which nobody can read back. `run` suppressed it."""

    key_hash: str
    created: datetime
    run: int | None


def suppressed_among(
    connection: Connection, email_keys: Collection[str], *, keys_named: KeysNamed
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


def key_ids(connection: Connection) -> list[str]:
    """The ids of the keys that have made the stored hashes."""
    found: list[str] = []
    after = ""
    # a step for each key, where DISTINCT would read every hash
    next_hash = select(func.min(_suppression.c.key_hash))
    while key_hash := connection.scalar(next_hash.where(_suppression.c.key_hash > after)):
        found.append(key_id_of(key_hash))
        after = f"{found[-1]}:g"  # past the last hexadecimal digit, in any collation
    return found


def known_hashes(connection: Connection, hashes: Collection[str]) -> set[str]:
    """Those of the hashes that are stored; one parameter, however many."""
    listed = is_one_of(_suppression.c.key_hash, hashes, connection.dialect.name)
    return set(connection.execute(select(_suppression.c.key_hash).where(listed)).scalars())


def list_suppressions(connection: Connection, limit: int) -> list[SuppressionRow]:
    """The latest suppressions, newest first."""
    statement = (
        select(_suppression.c.key_hash, _suppression.c.created, _suppression.c.run_id)
        .order_by(_suppression.c.created.desc(), _suppression.c.key_hash)
        .limit(limit)
    )
    return [SuppressionRow(row[0], row[1], row[2]) for row in connection.execute(statement)]


def count_suppressions(connection: Connection) -> int:
    """How many addresses are suppressed."""
    return int(connection.execute(select(func.count()).select_from(_suppression)).scalar_one())


def add_hashes(connection: Connection, hashes: Sequence[str], run_id: int, now: datetime) -> None:
    """Suppress these; those that are already stay as they are."""
    known = known_hashes(connection, hashes)
    rows = [
        {"key_hash": each, "created": now, "run_id": run_id} for each in hashes if each not in known
    ]
    if rows:
        connection.execute(insert(_suppression), rows)


def remove_hashes(connection: Connection, hashes: Collection[str]) -> int:
    """Suppress these no more; returns how many there were."""
    listed = is_one_of(_suppression.c.key_hash, hashes, connection.dialect.name)
    return connection.execute(delete(_suppression).where(listed)).rowcount
