"""Making the first config and the first store."""

from dataclasses import dataclass
from pathlib import Path

from contactctl.config.example import example_text
from contactctl.domain.errors import ConfigError, StoreError
from contactctl.operations.keyring import create_key_file
from contactctl.store.migrate import create_store
from contactctl.store.store import (
    SCHEMA_VERSION,
    connect,
    file_is_missing,
    holds_nothing,
    require_current_schema,
    schema_version,
)


@dataclass(frozen=True, slots=True)
class Initialised:
    """What was made, and what was there already."""

    database: str
    config: Path
    store_created: bool
    config_written: bool


def initialise(
    config: Path, database_url: str, key_file: Path, *, database_in_config: bool
) -> Initialised:
    """Write the config, create the store and the suppression key, each unless there is one.

    Raises StoreError for a store of another schema version, ConfigError for a config that cannot
    be written.
    """
    created = _create_store(database_url)
    create_key_file(key_file)
    written = _write_config(config, database_url if database_in_config else "")
    store = connect(database_url)
    try:
        return Initialised(store.identity, config, created, written)
    finally:
        store.close()


def _create_store(url: str) -> bool:
    store = connect(url)
    try:
        exists = not file_is_missing(store)
        if exists and (version := schema_version(store)) is not None:
            require_current_schema(store)
            return version != SCHEMA_VERSION
        if exists and store.dialect == "sqlite" and not holds_nothing(store):
            raise StoreError(
                f"{store.identity} contains something else",
                hint="name another file or database with --database",
            )
    finally:
        store.close()
    create_store(url).close()
    return True


def _write_config(path: Path, database_url: str) -> bool:
    if path.exists():
        return False
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(example_text(database_url), encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"cannot write {path}: {error.strerror}") from error
    return True
