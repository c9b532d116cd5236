"""Every row of every table, to hold the store before and after side by side."""

from typing import Any

from sqlalchemy import Connection, select, text

from contactctl.store import tables
from contactctl.store.database.store import Store, open_store

Dump = dict[str, list[tuple[Any, ...]]]


def dump(store: Store, *, without: tuple[str, ...] = ("routine",)) -> Dump:
    """All tables of the store, rows in the order of their keys, but for the tables `without`:
    when cron last came by is noted whatever it found."""
    with store.reading() as connection:
        held = _tables_with_rows(connection)
        return {
            name: [
                tuple(row) for row in connection.execute(select(table).order_by(*table.primary_key))
            ]
            if name in held
            else []
            for name, table in tables.metadata.tables.items()
            if name not in without
        }


def dump_url(url: str) -> Dump:
    """All tables of the store at `url`."""
    store = open_store(url)
    try:
        return dump(store)
    finally:
        store.close()


def _tables_with_rows(connection: Connection) -> set[str]:
    """One statement instead of one for each empty table, and most are empty."""
    looks = (
        f"SELECT '{name}' WHERE EXISTS (SELECT 1 FROM \"{name}\")"
        for name in tables.metadata.tables
    )
    return set(connection.execute(text(" UNION ALL ".join(looks))).scalars())
