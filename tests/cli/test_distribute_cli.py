"""`db distribute`, on the double of a cluster: the same tables, cut into partitions."""

from collections.abc import Iterator

import psycopg
import pytest

from contactctl.store.database.store import open_store
from helpers import databases, distributed
from helpers.cli import CliResult, run_cli
from helpers.contacts import seed_contacts

CUT = {"contact": "id", "contact_email": "email_key", "response": "contact_id"}


def run(url: str, *args: str) -> CliResult:
    return run_cli([*args, "--json"], env={"CONTACTCTL_DATABASE_URL": url})


def execute(url: str, statement: str) -> list[tuple[object, ...]]:
    with psycopg.connect(url, autocommit=True) as connection:
        cursor = connection.execute(statement)  # type: ignore[arg-type]
        return cursor.fetchall() if cursor.description else []


@pytest.fixture
def whole(postgres_server_url: str, postgres_template: str) -> Iterator[str]:
    """A store with contacts on a server that could be spread."""
    url = databases.create_database(postgres_server_url, postgres_template)
    distributed.add_stand_ins(url)
    store = open_store(url)
    seed_contacts(store, 60)
    store.close()
    yield url
    databases.drop_database(postgres_server_url, url)


def test_a_store_is_spread_whole_and_works_on(whole: str) -> None:
    name = whole.partition("?")[0].rsplit("/", 1)[1]
    shown = run(whole, "db", "distribute", "--shards", "3", "--dry-run")
    assert shown.exit_code == 0
    assert (shown.json["data"]["workers"], shown.json["data"]["done"]) == (2, False)
    assert execute(whole, "SELECT count(*) FROM citus_tables") == [(0,)]
    for wrong, exit_code in (((), 4), (("--confirm", "other"), 4)):
        assert run(whole, "db", "distribute", "--shards", "3", *wrong).exit_code == exit_code
    assert execute(whole, "SELECT count(*) FROM citus_tables") == [(0,)]

    done = run(whole, "db", "distribute", "--shards", "3", "--confirm", name)
    assert done.exit_code == 0, done.stderr
    tables = {row["table"]: row for row in done.json["data"]["tables"]}
    assert {table: tables[table]["cut_by"] for table in CUT} == CUT
    assert tables["group"]["cut_by"] == "everywhere"
    assert tables["run"]["cut_by"] == "coordinator"
    assert (tables["contact"]["rows"], tables["membership"]["rows"]) == (60, 56)
    parts = "SELECT count(*) FROM pg_inherits WHERE inhparent = to_regclass('response')"
    assert execute(whole, parts) == [(3,)]
    assert run(whole, "db", "check").exit_code == 0

    again = run(whole, "db", "distribute", "--shards", "3", "--confirm", name)
    assert again.exit_code == 0, again.stderr
    grants = run(whole, "db", "grants").json["data"]["statements"]
    assert not any("ON plan_item" in each and "POLICY" in each for each in grants)


@pytest.mark.parametrize(
    ("stand_in", "code", "hint"),
    [
        ("DROP FUNCTION citus_version() CASCADE", "no-citus", "CREATE EXTENSION citus"),
        (
            "CREATE OR REPLACE FUNCTION citus_is_coordinator() RETURNS boolean"
            " LANGUAGE sql AS $$ SELECT false $$",
            "worker",
            "coordinator",
        ),
        (
            "CREATE OR REPLACE FUNCTION citus_version() RETURNS text"
            " LANGUAGE sql AS $$ SELECT 'Citus 9.5.8 on none' $$",
            "store",
            "12.1",
        ),
        (
            "CREATE OR REPLACE FUNCTION citus_get_active_worker_nodes("
            "OUT node_name text, OUT node_port bigint) RETURNS SETOF record LANGUAGE sql"
            " AS $$ SELECT 'one', 1::bigint WHERE false $$",
            "no-workers",
            "citus_add_node",
        ),
        ("DELETE FROM contact_email WHERE contact_id = 7", "", ""),
    ],
)
def test_what_is_missing_is_told_before_anything_is_changed(
    whole: str, stand_in: str, code: str, hint: str
) -> None:
    execute(whole, stand_in)
    result = run(whole, "db", "distribute", "--shards", "3", "--confirm", "x")
    assert result.exit_code in (3, 4)
    error = result.json["errors"][0]
    assert hint in (error["hint"] or "")
    assert code in ("", error["code"])


def test_a_worker_is_not_taken_for_a_new_database(postgres_server_url: str) -> None:
    url = databases.create_database(postgres_server_url, "template0")
    distributed.add_stand_ins(url)
    execute(
        url,
        "CREATE OR REPLACE FUNCTION citus_is_coordinator() RETURNS boolean"
        " LANGUAGE sql AS $$ SELECT false $$",
    )
    for command in (("status",), ("init",)):
        result = run(url, *command)
        assert (result.exit_code, result.json["errors"][0]["code"]) == (3, "worker")
    databases.drop_database(postgres_server_url, url)


def test_sqlite_is_one_file(sqlite_url: str) -> None:
    result = run(sqlite_url, "db", "distribute", "--shards", "3", "--dry-run")
    assert result.exit_code == 2
    assert "db copy" in result.json["errors"][0]["hint"]
