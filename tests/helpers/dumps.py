"""Every row of every table, to hold the store before and after side by side."""

from typing import Any

from sqlalchemy import select

from contactctl.store import tables
from contactctl.store.database.store import Store, open_store

Dump = dict[str, list[tuple[Any, ...]]]


def dump(store: Store, *, without: tuple[str, ...] = ("routine",)) -> Dump:
    """All tables of the store, rows in the order of their keys, but for the tables `without`:
    when cron last came by is noted whatever it found."""
    with store.reading() as connection:
        return {
            name: [
                tuple(row) for row in connection.execute(select(table).order_by(*table.primary_key))
            ]
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
