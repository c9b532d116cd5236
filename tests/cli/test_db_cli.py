"""`db check`, `db upgrade` and `db grants`."""

import pytest
from sqlalchemy import text

from contactctl.store.database.store import open_store
from helpers.cli import CliResult, run_cli
from helpers.contacts import seed_contacts

pytestmark = pytest.mark.both_databases


def run(url: str, *args: str) -> CliResult:
    return run_cli([*args, "--json"], env={"CONTACTCTL_DATABASE_URL": url})


def write(url: str, statement: str) -> None:
    store = open_store(url)
    with store.writing() as connection:
        connection.execute(text(statement))
    store.close()


@pytest.fixture
def seeded_url(store_url: str) -> str:
    store = open_store(store_url)
    seed_contacts(store, 50)
    store.close()
    return store_url


def test_a_store_in_order(seeded_url: str) -> None:
    result = run(seeded_url, "db", "check")
    assert result.exit_code == 0
    assert result.json["data"]["in_order"] is True


@pytest.mark.parametrize(
    ("damage", "check"),
    [
        ("UPDATE contact SET status = 'inactive' WHERE id = 1", "inactive contacts have"),
        (
            "INSERT INTO deactivation (contact_id, group_id, run_id, category, origin, started_at)"
            " SELECT id, 0, 1, '', 'bulk', created FROM contact WHERE id = 2",
            "active contacts have no",
        ),
        (
            "INSERT INTO deactivation (contact_id, group_id, run_id, category, origin, started_at)"
            " SELECT 999, 0, 1, '', 'bulk', created FROM contact WHERE id = 2",
            "deactivations belong to",
        ),
        (
            "INSERT INTO external_id (contact_id, source, external_id, run_id)"
            " VALUES (999, 'crm', '1', 1)",
            "ids of sources belong to",
        ),
        (
            "INSERT INTO plan_item (contact_id, run_id, revision) VALUES (1, 999, 0)",
            "plans belong to",
        ),
    ],
)
def test_what_is_wrong_is_found(seeded_url: str, damage: str, check: str) -> None:
    write(seeded_url, damage)
    result = run(seeded_url, "db", "check")
    assert result.exit_code == 1
    broken = [row["check"] for row in result.json["data"]["checks"] if row["broken"]]
    assert len(broken) == 1
    assert broken[0].startswith(check)


def test_runs_that_are_not_finished_and_plans_that_are_left_over_are_found(
    seeded_url: str,
) -> None:
    def broken() -> dict[str, int]:
        checks = run(seeded_url, "db", "check").json["data"]["checks"]
        return {row["check"]: row["broken"] for row in checks if row["broken"]}

    assert run(seeded_url, "deactivate", "--where", "id <= 3", "--plan").exit_code == 0
    assert broken() == {}
    write(seeded_url, "UPDATE run SET state = 'running'")
    assert broken() == {"no run is unfinished": 1}
    shown = run_cli(["db", "check"], env={"CONTACTCTL_DATABASE_URL": seeded_url})
    assert "EXCEPTIONS" in shown.lines[4]
    assert "error: no run is unfinished: 1 exception" in shown.stderr
    write(seeded_url, "UPDATE run SET state = 'done'")
    assert broken() == {"plans belong to unfinished runs": 3}


def test_a_store_of_an_older_schema_is_sent_to_upgrade(store_url: str) -> None:
    write(store_url, "UPDATE alembic_version SET version_num = '0000'")
    refused = run(store_url, "status")
    assert refused.exit_code == 3
    assert "db upgrade" in refused.json["errors"][0]["hint"]


def test_nothing_to_upgrade(store_url: str) -> None:
    data = run(store_url, "db", "upgrade").json["data"]
    assert data["before"] == data["after"]


def test_upgrade_without_a_store(tmp_path) -> None:
    result = run(f"sqlite:///{tmp_path}/none.db", "db", "upgrade")
    assert result.exit_code == 3
    assert not (tmp_path / "none.db").exists()


def test_sqlite_has_no_roles(sqlite_url: str) -> None:
    assert run(sqlite_url, "db", "grants").exit_code == 2
