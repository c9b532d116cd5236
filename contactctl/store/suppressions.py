"""The hashes of suppressed addresses."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, func, insert, select

from contactctl.store import tables
from contactctl.store.one_of import is_one_of

_suppression = tables.suppression
_KEY_ID_LENGTH = 8


@dataclass(frozen=True, slots=True)
class SuppressionRow:
    """One suppressed address, which nobody can read back. `run` suppressed it."""

    key_hash: str
    created: datetime
    run: int | None


def any_suppressed(connection: Connection) -> bool:
    """Whether there is any suppression at all."""
    return connection.execute(select(_suppression.c.key_hash).limit(1)).first() is not None


def key_ids(connection: Connection) -> list[str]:
    """The ids of the keys that have made the stored hashes."""
    key_id = func.substr(_suppression.c.key_hash, 1, _KEY_ID_LENGTH)
    return list(connection.execute(select(key_id).distinct().order_by(key_id)).scalars())


def known_hashes(connection: Connection, hashes: Collection[str]) -> set[str]:
    """Those of the hashes that are stored; one parameter, however many."""
    listed = is_one_of(connection, _suppression.c.key_hash, hashes)
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
    listed = is_one_of(connection, _suppression.c.key_hash, hashes)
    return connection.execute(delete(_suppression).where(listed)).rowcount
