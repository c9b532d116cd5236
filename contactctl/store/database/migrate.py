"""Create and upgrade the schema: the only user of Alembic, which is imported when it has work."""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from typing import Any

import sqlalchemy as sa

from contactctl.domain.waits import DEFAULT_WAITS, Waits
from contactctl.store import tables as _declared  # noqa: F401  (registers the tables)
from contactctl.store.database.errors import translated_errors
from contactctl.store.database.sqlite import create_sqlite_file, sqlite_path
from contactctl.store.database.store import Store, connect, require_coordinator, sqlite_url


def create_store(url: str, waits: Waits = DEFAULT_WAITS) -> Store:
    """The store at `url`, created with the newest schema where there is none, upgraded if older."""
    if (file := sqlite_url(url)) and (path := sqlite_path(file)):
        create_sqlite_file(path)
    store = connect(url, waits)
    try:
        require_coordinator(store)
        upgrade(store)
    except BaseException:
        store.close()
        raise
    return store


def upgrade(store: Store, version: str = "head") -> None:
    """Bring the schema to that version, or the newest; each migration is one transaction."""
    from alembic import command  # noqa: PLC0415 - as much as two fifths of another command
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(files("contactctl.store") / "migrations"))
    with (
        translated_errors(store),
        store.engine.connect() as connection,
        _without_foreign_keys(connection),
    ):
        config.attributes["connection"] = connection
        command.upgrade(config, version)


@contextmanager
def _without_foreign_keys(connection: sa.Connection) -> Iterator[None]:
    """SQLite alone: a table that a migration makes again takes nothing along when it is dropped.

    To be said outside a transaction, so to the driver: see sqlite.org/lang_altertable.html, 7.
    """
    driver: Any = connection.connection.driver_connection
    if connection.dialect.name != "sqlite":
        yield
        return
    driver.execute("PRAGMA foreign_keys = OFF")
    yield
    driver.execute("PRAGMA foreign_keys = ON")
