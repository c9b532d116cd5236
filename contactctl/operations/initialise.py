"""Making the first config and the first store."""

from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from contactctl.config.example import example_text
from contactctl.domain.errors import ConfigError, StoreError
from contactctl.domain.waits import DEFAULT_WAITS, Waits
from contactctl.operations.keyring import create_key_file
from contactctl.store.copying import has_no_runs
from contactctl.store.migrate import create_store
from contactctl.store.store import (
    SCHEMA_VERSION,
    connect,
    file_is_missing,
    holds_nothing,
    open_store,
    require_current_schema,
    schema_version,
)


@dataclass(frozen=True, slots=True)
class Initialised:
    """What was made, and what was there already; a store `is_new` until something is done in it."""

    database: str
    config: Path
    store_created: bool
    config_written: bool
    is_new: bool


def initialise(
    config: Path,
    database_url: str,
    key_file: Path,
    *,
    database_in_config: bool,
    waits: Waits = DEFAULT_WAITS,
) -> Initialised:
    """Write the config, create the store and the suppression key, each unless there is one.

    Raises StoreError for a store of another schema version, ConfigError for a config that cannot
    be written.
    """
    created, identity = _create_store(database_url, waits)
    create_key_file(key_file)
    written = _write_config(config, database_url if database_in_config else "")
    with closing(open_store(database_url, waits)) as store:
        return Initialised(identity, config, created, written, is_new=has_no_runs(store))


def _create_store(url: str, waits: Waits) -> tuple[bool, str]:
    """Whether the store was not as new as it is now, and how it is named."""
    store = connect(url, waits)
    try:
        exists = not file_is_missing(store)
        if exists and (version := schema_version(store)) is not None:
            require_current_schema(store)
            return version != SCHEMA_VERSION, store.identity
        if exists and store.dialect == "sqlite" and not holds_nothing(store):
            raise StoreError(
                f"{store.identity} contains something else",
                hint="name another file or database with --database",
            )
    finally:
        store.close()
    with closing(create_store(url, waits)) as made:
        return True, made.identity


def _write_config(path: Path, database_url: str) -> bool:
    if path.exists():
        return False
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(example_text(database_url), encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"cannot write {path}: {error.strerror}") from error
    return True
