"""Stores that are spread over machines: on a real Citus, and on its double.

The double is a plain Postgres whose stand-ins for Citus' functions cut a table into hash partitions
by the same column. What Citus refuses is for helpers.statements to tell.
"""

import psycopg
from psycopg import sql

from contactctl.store.database import distribution
from contactctl.store.database.distribution import ONE_BY_ONE
from contactctl.store.database.migrate import create_store
from contactctl.store.database.store import open_store
from helpers.databases import create_database, replace_database

SHARDS = 4

STAND_INS = """
CREATE FUNCTION citus_version() RETURNS text LANGUAGE sql AS $$ SELECT 'Citus 13.2.2 on none' $$;
CREATE FUNCTION citus_is_coordinator() RETURNS boolean LANGUAGE sql AS $$ SELECT true $$;
CREATE FUNCTION citus_get_active_worker_nodes(OUT node_name text, OUT node_port bigint)
    RETURNS SETOF record LANGUAGE sql AS $$ VALUES ('one', 5432), ('two', 5432) $$;
CREATE VIEW citus_tables AS
    SELECT CAST(oid AS regclass) AS table_name FROM pg_class WHERE relkind = 'p';
CREATE FUNCTION create_reference_table(named regclass) RETURNS void LANGUAGE sql AS $$ $$;
CREATE FUNCTION truncate_local_data_after_distributing_table(named regclass) RETURNS void
    LANGUAGE sql AS $$ $$;
CREATE FUNCTION create_distributed_table(
    named regclass, cut_by text, colocate_with text, shard_count integer DEFAULT NULL
) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    whole text := named::text || '_whole';
    own name := named::text;
    parts integer := coalesce(shard_count, (
        SELECT count(*) FROM pg_inherits WHERE inhparent = to_regclass(colocate_with)));
    numbered text := pg_get_serial_sequence(own, cut_by);
    written text := (
        SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) FROM pg_attribute
        WHERE attrelid = named AND attnum > 0 AND NOT attisdropped AND attgenerated = '');
BEGIN
    EXECUTE format('ALTER TABLE %I RENAME TO %I', own, whole);
    EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING ALL) PARTITION BY HASH (%I)',
        own, whole, cut_by);
    FOR part IN 0 .. parts - 1 LOOP
        EXECUTE format('CREATE TABLE %I PARTITION OF %I FOR VALUES WITH (MODULUS %s, REMAINDER %s)',
            own || '_' || part, own, parts, part);
    END LOOP;
    EXECUTE format('INSERT INTO %I (%s) SELECT %s FROM %I', own, written, written, whole);
    IF numbered IS NOT NULL THEN
        EXECUTE format('ALTER SEQUENCE %s OWNED BY %I.%I', numbered, own, cut_by);
    END IF;
    EXECUTE format('DROP TABLE %I', whole);
END $$;
"""


def add_stand_ins(url: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(STAND_INS)


def spread(url: str) -> None:
    """What `db distribute` does."""
    store = open_store(url)
    with store.writing() as connection:
        distribution.distribute(connection, SHARDS)
    with store.writing() as connection:
        distribution.free_local_rows(connection)
    store.close()


def create_on_cluster(coordinator_url: str) -> str:
    """A store on every machine of the cluster whose coordinator is named; returns its URL."""
    name = create_database(coordinator_url, "template0").rsplit("/", 1)[1].partition("?")[0]
    with psycopg.connect(coordinator_url, autocommit=True) as connection:
        host, port = connection.info.host, connection.info.port
        workers = connection.execute(
            "SELECT nodename, nodeport FROM pg_dist_node WHERE groupid > 0"
        ).fetchall()
        user = connection.info.user
    for worker, number in workers:
        base = f"postgresql://{user}@{worker}:{number}"
        with psycopg.connect(f"{base}/postgres", autocommit=True) as connection:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        with psycopg.connect(f"{base}/{name}", autocommit=True) as connection:
            connection.execute("CREATE EXTENSION citus")
    url = replace_database(coordinator_url, name)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE EXTENSION citus")
        connection.execute("SELECT citus_set_coordinator_host(%s, %s)", [host, port])
        for worker, number in workers:
            connection.execute("SELECT citus_add_node(%s, %s)", [worker, number])
    create_store(url).close()
    spread(url)
    return url


def empty_on_cluster(url: str, schema_version: str) -> None:
    """Row by row: TRUNCATE takes seconds on a cluster."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            " AND backend_type = 'client backend' AND application_name = 'contactctl'"
        )
        placed = distribution.placements()
        with connection.transaction():
            connection.execute(ONE_BY_ONE)
            for name in reversed(placed):
                connection.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier(name)))
        connection.execute(
            "SELECT setval(format('%I.%I', schemaname, sequencename)::regclass, start_value, false)"
            " FROM pg_sequences WHERE last_value IS NOT NULL AND schemaname = 'public'"
        )
        connection.execute("UPDATE alembic_version SET version_num = %s", [schema_version])
