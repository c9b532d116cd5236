"""Create and upgrade the schema. Alembic is imported here alone, never on the normal path."""

from importlib.resources import files

from alembic import command
from alembic.config import Config

from contactctl.domain.waits import DEFAULT_WAITS, Waits
from contactctl.store import tables as _declared  # noqa: F401  (registers the tables)
from contactctl.store.database.errors import translated_errors
from contactctl.store.database.sqlite import create_sqlite_file, sqlite_path
from contactctl.store.database.store import Store, connect, parse_url


def create_store(url: str, waits: Waits = DEFAULT_WAITS) -> Store:
    """The store at `url`, created with the newest schema where there is none, upgraded if older."""
    parsed = parse_url(url)
    if parsed.get_backend_name() == "sqlite" and (path := sqlite_path(parsed)):
        create_sqlite_file(path)
    store = connect(url, waits)
    upgrade(store)
    return store


def upgrade(store: Store, version: str = "head") -> None:
    """Bring the schema to that version, or the newest; each migration is one transaction."""
    config = Config()
    config.set_main_option("script_location", str(files("contactctl.store") / "migrations"))
    with translated_errors(store), store.engine.connect() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, version)
