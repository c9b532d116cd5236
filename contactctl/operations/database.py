"""The store as a database: made, checked, upgraded, granted to roles, backed up."""

import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from contactctl.config.database import example_text
from contactctl.config.drafts import give_name
from contactctl.config.load import user_config_path
from contactctl.domain.erasure import keyed
from contactctl.domain.errors import ConfigError, RefusedError, StoreError, UsageError
from contactctl.domain.waits import DEFAULT_WAITS, Waits
from contactctl.operations.secrets import create_key_file
from contactctl.operations.session import Session
from contactctl.store.database.checks import Finding, check_addresses, check_store
from contactctl.store.database.copies import back_up_postgres, back_up_sqlite, has_no_runs
from contactctl.store.database.distribution import (
    Cluster,
    count_rows,
    distribute,
    find_cluster,
    free_local_rows,
    is_distributed,
    placements,
)
from contactctl.store.database.grants import Roles, grant_statements
from contactctl.store.database.locks import CONTACT_CHANGES, exclusive
from contactctl.store.database.migrate import create_store, upgrade
from contactctl.store.database.store import (
    SCHEMA_VERSION,
    connect,
    file_is_missing,
    holds_nothing,
    no_store,
    open_store,
    place_in_server,
    require_current_schema,
    require_not_newer,
    schema_version,
)
from contactctl.store.erasure import key_ids
from contactctl.store.runs import newest_policy
from contactctl.store.upkeep import count_attributes


@dataclass(frozen=True, slots=True)
class StoreCheck:
    """The findings of every check on one store; `undeclared` attributes are ones that contacts
    have and the config lacks."""

    database: str
    schema_version: str
    findings: Sequence[Finding]
    policy: int | None = None
    undeclared: Sequence[str] = ()

    @property
    def in_order(self) -> bool:
        return not any(finding.broken for finding in self.findings)


@dataclass(frozen=True, slots=True)
class Upgrade:
    """The schema's version before and after, and whether the store had a policy before."""

    database: str
    before: str
    after: str
    has_policy: bool
    dry_run: bool = False


def check_database(session: Session) -> StoreCheck:
    """Check what must always be true of a store."""
    with session.store.reading() as connection:
        findings = check_store(connection, session.clock())
        stored = count_attributes(connection)
    policy = session.bound.policy if session.bound else None
    undeclared = sorted(stored.keys() - session.settings.attributes.keys())
    return StoreCheck(session.store.identity, SCHEMA_VERSION, findings, policy, undeclared)


def upgrade_database(url: str, waits: Waits = DEFAULT_WAITS, *, dry_run: bool = False) -> Upgrade:
    """Bring a store to the newest schema, while nobody changes contacts."""
    with closing(connect(url, waits)) as store:
        before = None if file_is_missing(store) else schema_version(store)
        if before is None:
            raise no_store(f"at {store.identity}")
        require_not_newer(store, before)
        had_policy = False
        if before == SCHEMA_VERSION:
            with store.reading() as connection:
                had_policy = newest_policy(connection) is not None
        if not dry_run:
            with exclusive(store, CONTACT_CHANGES):
                upgrade(store)
        return Upgrade(store.identity, before, SCHEMA_VERSION, had_policy, dry_run)


def grants_for(session: Session, *, viewer: str, operator: str, admin: str) -> list[str]:
    """The GRANT statements for these roles in a Postgres database; UsageError on SQLite."""
    store = session.store
    if store.dialect == "sqlite":
        raise UsageError(
            "SQLite has no roles", hint="the file's permissions decide who may read and write it"
        )
    roles = Roles(viewer, operator, admin)
    with store.reading() as connection:
        spread = is_distributed(connection)
    database, schema = place_in_server(store)
    return grant_statements(database, schema, roles, is_distributed=spread)


# Making the first config and the first store


@dataclass(frozen=True, slots=True)
class Initialised:
    """What was made, and what was there already; a store `is_new` until something is done in it.

    `lost_key` is the file that is not there, and the store's suppressions need its key.
    """

    database: str
    config: Path
    store_created: bool
    config_written: bool
    is_new: bool
    lost_key: Path | None = None


def initialise(
    config: Path,
    database_url: str,
    key_file: Path,
    *,
    database_in_config: bool,
    waits: Waits = DEFAULT_WAITS,
) -> Initialised:
    """Write the config, create the store and the suppression key, each unless there is one.

    No key is made for a store that has suppressions: theirs must come back from a backup.

    A config that is written with `key_file` beside it names that too, unless it is the user's own:
    its store shares nothing with the user's. Raises StoreError for a store of another schema
    version, ConfigError for a config that cannot be written.
    """
    created, identity = _create_store(database_url, waits)
    with closing(open_store(database_url, waits)) as store:
        is_new = has_no_runs(store)
        with store.reading() as connection:
            needs_key = bool(keyed(key_ids(connection)))
    if not needs_key:
        create_key_file(key_file)
    lost_key = None if key_file.exists() else key_file
    is_beside = key_file.parent == config.parent and config != user_config_path()
    beside = key_file.name if is_beside else ""
    written = _write_config(config, database_url if database_in_config else "", beside)
    return Initialised(identity, config, created, written, is_new, lost_key)


def _create_store(url: str, waits: Waits) -> tuple[bool, str]:
    """Whether the store was not as new as it is now, and how it is named."""
    with closing(connect(url, waits)) as store:
        exists = not file_is_missing(store)
        if exists and (version := schema_version(store)) is not None:
            require_current_schema(store)
            return version != SCHEMA_VERSION, store.identity
        if exists and store.dialect == "sqlite" and not holds_nothing(store):
            raise StoreError(
                f"{store.identity} contains something else",
                hint="name another file or database with --database",
            )
    with closing(create_store(url, waits)) as made:
        return True, made.identity


def _write_config(path: Path, database_url: str, key_file: str) -> bool:
    if path.exists():
        return False
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(example_text(database_url, key_file), encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"cannot write {path}: {error.strerror}") from error
    return True


# A backup of the store in one new file that only its owner can read


@dataclass(frozen=True, slots=True)
class Backup:
    """The file that was made, its size in bytes, and what it holds: `sqlite` or `pg_dump`."""

    database: str
    file: Path
    size: int
    form: str


def back_up(session: Session, file: Path) -> Backup:
    """Write the whole store to `file`, which must not exist yet; others may work meanwhile.

    The file has its name only when it is complete and on the disk.
    """
    with _appearing_whole(file) as draft:
        if session.store.dialect == "postgresql":
            back_up_postgres(session.store, draft)
        else:
            _back_up_with_progress(session, draft)
    form = "sqlite" if session.store.dialect == "sqlite" else "pg_dump"
    return Backup(session.store.identity, file, file.stat().st_size, form)


def _back_up_with_progress(session: Session, draft: Path) -> None:
    told = 0

    def tell(copied: int, _total: int) -> None:
        nonlocal told
        advance(max(0, copied - told))
        told = max(told, copied)

    with session.progress("Copying pages", None) as advance:
        back_up_sqlite(session.store, draft, tell)


@contextmanager
def _appearing_whole(file: Path) -> Iterator[Path]:
    if os.path.lexists(file):
        raise UsageError(f"{file} exists", hint="name a new file; a backup never replaces one")
    try:
        handle, name = tempfile.mkstemp(prefix=f".{file.name}.", dir=file.parent)
    except OSError as error:
        raise StoreError(f"cannot write {file}: {error.strerror}") from error
    os.close(handle)
    draft = Path(name)
    try:
        yield draft
        with draft.open("rb") as written:
            os.fsync(written.fileno())
        give_name(draft, file)
    except OSError as error:
        raise StoreError(f"cannot write {file}: {error.strerror}") from error
    finally:
        draft.unlink(missing_ok=True)


# Spread over several machines


@dataclass(frozen=True, slots=True)
class Distribution:
    """A store that is, or would be, spread over a cluster: rows and placement of each table.

    `done` where it is; `freed` where only the rows that the coordinator still kept were freed.
    """

    database: str
    name: str
    cluster: Cluster
    shards: int
    rows: Mapping[str, int]
    placements: Mapping[str, str]
    done: bool = False
    freed: bool = False


def look_at_distribution(session: Session, shards: int) -> Distribution:
    """What `distribute_store` would do. StoreError where something is missing, UsageError on
    SQLite, RefusedError while an address does not lead to its contact."""
    store = session.store
    if store.dialect == "sqlite":
        raise UsageError(
            "SQLite is one file on one machine",
            hint="`contactctl db copy --to postgresql://...` moves the store first",
        )
    with store.reading() as connection:
        cluster = find_cluster(connection)
        rows, freed = count_rows(connection), is_distributed(connection)
        astray = check_addresses(connection)
    if astray.broken:
        raise RefusedError(f"{astray.check}: {astray.broken} do not", hint=astray.hint)
    name, _ = place_in_server(store)
    return Distribution(store.identity, name, cluster, shards, rows, placements(), freed=freed)


def distribute_store(session: Session, looked: Distribution) -> Distribution:
    """Spread the store in one transaction, while nobody changes contacts; then free the rows that
    the coordinator keeps. Interrupted after the first, the second is done by doing it again."""
    store = session.store
    rows = looked.rows
    with exclusive(store, CONTACT_CHANGES):
        if not looked.freed:
            with store.writing() as connection:
                rows = distribute(connection, looked.shards)
        with store.writing() as connection:
            free_local_rows(connection)
    return replace(looked, rows=rows, done=True)
