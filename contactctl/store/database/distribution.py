"""A Postgres store spread over several machines by Citus, in one transaction.

What grows with contacts is cut by the contact's number, addresses and what waits for one by the
address; groups are on every machine, and what is small or in order of time stays on the
coordinator. See docs.citusdata.com, "Distributed tables", and the how-to outgrow-one-server.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

import sqlalchemy as sa

from contactctl.domain.errors import RefusedError, StoreError
from contactctl.store import tables
from contactctl.store.predicates import how_many

ONE_BY_ONE = "SET LOCAL citus.multi_shard_modify_mode TO 'sequential'"
"""Has a cluster visit its machines one after the other, until the transaction's end."""

_LEAST_VERSION = (12, 1)
_VERSION = re.compile(r"Citus (\d+)\.(\d+)")
_CONTACT, _ADDRESS = tables.contact.name, tables.contact_email.name

_HAS_CITUS = "SELECT to_regproc('citus_version') IS NOT NULL"
_CLUSTER = """
    SELECT citus_version(), citus_is_coordinator(),
        (SELECT count(*) FROM citus_get_active_worker_nodes()),
        (SELECT count(*) FROM pg_database WHERE datallowconn),
        CAST(current_setting('max_worker_processes') AS integer),
        (SELECT pg_has_role(relowner, 'USAGE') FROM pg_class WHERE oid = to_regclass('contact'))"""
_PLACED = "SELECT count(*) FROM citus_tables WHERE table_name = to_regclass('contact')"
_IS_WORKER = "SELECT NOT citus_is_coordinator()"
_FOREIGN_KEYS = """
    SELECT CAST(conrelid AS regclass)::text AS held_by, conname, pg_get_constraintdef(oid) AS held
    FROM pg_constraint
    WHERE contype = 'f' AND connamespace = CAST(current_schema() AS regnamespace)
    ORDER BY 1, 2"""
_POLICIES = """
    SELECT CAST(polrelid AS regclass)::text AS held_by, polname FROM pg_policy
    WHERE CAST(polrelid AS regclass)::text = ANY(:names)"""


@dataclass(frozen=True, slots=True)
class Cluster:
    """What a coordinator says of itself and of its `workers`.

    `databases` must be fewer than `worker_processes`, or nobody finishes transactions over several
    machines that were cut off.
    """

    version: str
    workers: int
    databases: int
    worker_processes: int


def placements() -> dict[str, str]:
    """Each table, and what it is cut by: a column, `everywhere`, or `coordinator`."""
    return {table.name: _placement(table) for table in tables.metadata.sorted_tables}


def _placement(table: sa.Table) -> str:
    if table is tables.contact:
        return "id"
    for column in ("contact_id", "email_key"):
        if column in table.primary_key:
            return column
    return "everywhere" if table is tables.group else "coordinator"


def is_distributed(connection: sa.Connection) -> bool:
    """Whether the store is spread over machines already."""
    if not connection.execute(sa.text(_HAS_CITUS)).scalar_one():
        return False
    return bool(connection.execute(sa.text(_PLACED)).scalar_one())


def refuse_worker(connection: sa.Connection) -> None:
    """StoreError on a machine that holds only parts of a store."""
    has_citus = connection.execute(sa.text(_HAS_CITUS)).scalar_one()
    if has_citus and connection.execute(sa.text(_IS_WORKER)).scalar_one():
        raise StoreError(
            "this server is a worker of a Citus cluster",
            hint="name the coordinator in the database's URL: locks and runs are there",
            code="worker",
        )


def find_cluster(connection: sa.Connection) -> Cluster:
    """The cluster that the store can be spread over; StoreError says what is missing."""
    if not connection.execute(sa.text(_HAS_CITUS)).scalar_one():
        raise StoreError(
            "this database does not have Citus",
            hint="install it on every server, then CREATE EXTENSION citus in the database there",
            code="no-citus",
        )
    refuse_worker(connection)
    said, _, workers, databases, processes, may = connection.execute(sa.text(_CLUSTER)).one()
    found = _VERSION.match(said)
    version = (int(found[1]), int(found[2])) if found else (0, 0)
    if version < _LEAST_VERSION:
        least = ".".join(map(str, _LEAST_VERSION))
        raise StoreError(f"{said.partition(' on ')[0]} is too old", hint=f"it must be {least}")
    if not workers:
        raise StoreError(
            "the cluster has no workers",
            hint="SELECT citus_add_node('HOST', 5432) adds one",
            code="no-workers",
        )
    if not may:
        raise StoreError(
            "the tables belong to another role", hint="run this as the database's owner"
        )
    return Cluster(said.partition(" on ")[0], workers, databases, processes)


def count_rows(connection: sa.Connection) -> dict[str, int]:
    """The rows of each table."""
    return {table.name: how_many(connection, table) for table in tables.metadata.sorted_tables}


def distribute(connection: sa.Connection, shards: int) -> Mapping[str, int]:
    """Spread the tables over the workers; returns their rows. All in the caller's transaction.

    RefusedError, to be rolled back, when a table has not as many rows as before. What row security
    holds of tables that are cut is dropped: its policies ask the coordinator's tables.
    """
    connection.execute(sa.text(ONE_BY_ONE))
    before = count_rows(connection)
    keys = connection.execute(sa.text(_FOREIGN_KEYS)).all()
    _drop_policies(connection)
    for key in keys:
        connection.execute(sa.text(f'ALTER TABLE {key.held_by} DROP CONSTRAINT "{key.conname}"'))
    for statement in _placing(shards):
        connection.execute(sa.text(statement))
    for key in keys:
        added = f'ALTER TABLE {key.held_by} ADD CONSTRAINT "{key.conname}" {key.held}'
        connection.execute(sa.text(added))
    after = count_rows(connection)
    if lost := [name for name, rows in before.items() if after[name] != rows]:
        raise RefusedError(
            f"rows are missing of {', '.join(lost)}; nothing was changed", code="rows-missing"
        )
    return after


def free_local_rows(connection: sa.Connection) -> None:
    """Free what the coordinator still keeps of the tables that are cut."""
    free = sa.text("SELECT truncate_local_data_after_distributing_table(to_regclass(:name))")
    for name, placement in placements().items():
        if placement != "coordinator":
            connection.execute(free, {"name": f'"{name}"'})


def _placing(shards: int) -> list[str]:
    """Calls of Citus' functions, those first that others are placed beside."""
    placed = placements()
    everywhere = [name for name, how in placed.items() if how == "everywhere"]
    cut = sorted(
        (name for name, how in placed.items() if how not in ("everywhere", "coordinator")),
        key=lambda name: name not in (_CONTACT, _ADDRESS),
    )
    return [
        *(f"SELECT create_reference_table('\"{name}\"')" for name in everywhere),
        *(_cutting(name, placed[name], shards) for name in cut),
    ]


def _cutting(name: str, column: str, shards: int) -> str:
    beside = _ADDRESS if column == "email_key" else _CONTACT
    how = f"'none', shard_count => {shards}" if name == beside else f"'{beside}'"
    return f"SELECT create_distributed_table('{name}', '{column}', colocate_with => {how})"


def _drop_policies(connection: sa.Connection) -> None:
    cut = [name for name, how in placements().items() if how != "coordinator"]
    for policy in connection.execute(sa.text(_POLICIES), {"names": cut}).all():
        connection.execute(sa.text(f'DROP POLICY "{policy.polname}" ON {policy.held_by}'))
        connection.execute(sa.text(f"ALTER TABLE {policy.held_by} DISABLE ROW LEVEL SECURITY"))
