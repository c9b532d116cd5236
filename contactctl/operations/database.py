"""The store as a database: checked, upgraded, and granted to roles."""

from collections.abc import Sequence
from dataclasses import dataclass

from contactctl.domain.errors import StoreError, UsageError
from contactctl.domain.waits import DEFAULT_WAITS, Waits
from contactctl.operations.session import Session
from contactctl.store.checks import Finding, check_store
from contactctl.store.grants import Roles, grant_statements
from contactctl.store.locks import exclusive
from contactctl.store.migrate import upgrade
from contactctl.store.policy import newest_policy
from contactctl.store.runs import CONTACT_CHANGES
from contactctl.store.store import (
    SCHEMA_VERSION,
    Store,
    connect,
    current_schema,
    file_is_missing,
    schema_version,
)


@dataclass(frozen=True, slots=True)
class StoreCheck:
    """The findings of every check on one store."""

    database: str
    schema_version: str
    findings: Sequence[Finding]
    policy: int | None = None

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
    policy = session.bound.policy if session.bound else None
    return StoreCheck(session.store.identity, SCHEMA_VERSION, findings, policy)


def upgrade_database(url: str, waits: Waits = DEFAULT_WAITS, *, dry_run: bool = False) -> Upgrade:
    """Bring a store to the newest schema, while nobody changes contacts."""
    store = connect(url, waits)
    try:
        if file_is_missing(store):
            raise _no_store(store.identity)
        before = schema_version(store)
        if before is None:
            raise _no_store(store.identity)
        if before > SCHEMA_VERSION:
            raise StoreError(
                f"{store.identity} has schema {before}, newer than this program's",
                hint="upgrade contactctl",
                code="schema",
            )
        had_policy = before == SCHEMA_VERSION and _has_policy(store)
        if not dry_run:
            with exclusive(store, CONTACT_CHANGES):
                upgrade(store)
        return Upgrade(store.identity, before, SCHEMA_VERSION, had_policy, dry_run)
    finally:
        store.close()


def _has_policy(store: Store) -> bool:
    with store.reading() as connection:
        return newest_policy(connection) is not None


def grants_for(session: Session, *, viewer: str, operator: str, admin: str) -> list[str]:
    """The GRANT statements for these roles in a Postgres database; UsageError on SQLite."""
    store = session.store
    if store.dialect == "sqlite":
        raise UsageError(
            "SQLite has no roles", hint="the file's permissions decide who may read and write it"
        )
    roles = Roles(viewer, operator, admin)
    return grant_statements(store.engine.url.database or "", current_schema(store), roles)


def _no_store(identity: str) -> StoreError:
    return StoreError(
        f"no store at {identity}", hint="`contactctl init` creates one", code="no-store"
    )
