"""What `status` says of cron's work, of groups with a bypass, and of mistakes taken back."""

from datetime import timedelta
from pathlib import Path

import pytest

from contactctl.operations.fetch import FETCH
from contactctl.store.database.store import Store
from contactctl.store.runs import last_done, note_done
from helpers.cli import CliResult, run_cli
from helpers.contacts import seed_contacts
from helpers.sessions import NOW


@pytest.fixture
def cli(store: Store, store_url: str, tmp_path: Path):
    seed_contacts(store, 60)
    (tmp_path / "contactctl.yaml").write_text(
        "allow_undo: true\nlimits: {max_percent: 100}\n"
        "groups: {newsletter: {bypass_system_wide: true}}\n"
    )

    def run(*args: object, **values: object) -> CliResult:
        return run_cli([*args, "--database", store_url], cwd=tmp_path, **values)

    return run


@pytest.mark.both_databases
def test_the_last_sweep_and_fetch_and_their_age(cli, store: Store) -> None:
    assert cli("status", "--json").json["data"]["last_sweep"] is None
    assert cli("sweep", "all", "--yes").exit_code == 0
    with store.writing() as connection:
        for mailbox, days in (("bounces", 2), ("complaints", 4)):
            note_done(connection, f"{FETCH} {mailbox}", NOW - timedelta(days=days))
        note_done(connection, f"{FETCH} bounces", NOW - timedelta(days=9))  # a slow clock

    data = cli("status", "--json", env={"CONTACTCTL_NOW": "2026-06-15T12:07:00Z"}).json["data"]
    shown = cli("status", env={"CONTACTCTL_NOW": "2026-06-15T12:07:00Z"}).stdout

    assert data["last_sweep"] == "2026-06-15T12:00:00Z"
    assert data["last_fetch"] == "2026-06-13T12:00:00Z"
    assert sorted(data["last_done"]) == ["fetch bounces", "fetch complaints", "sweep all"]
    assert "2026-06-15 12:00 UTC, 7 minutes ago" in shown
    assert "2026-06-13 12:00 UTC, 2 days ago" in shown


@pytest.mark.both_databases
def test_a_sweep_that_comes_to_no_end_is_not_noted(cli, store: Store) -> None:
    from contactctl.store.database.locks import CONTACT_CHANGES, exclusive

    cli("deactivate", "--where", "id = 1", "--plan")
    with store.writing() as connection:
        connection.exec_driver_sql(
            "UPDATE run SET state = 'running', started_at = planned_at WHERE state = 'planned'"
        )
    with exclusive(store, CONTACT_CHANGES):
        busy = cli("sweep", "all", "--yes")
    assert (busy.exit_code, "--wait" in busy.stderr) == (6, False)
    assert cli("sweep", "all", "--dry-run").exit_code == 0
    with store.reading() as connection:
        assert last_done(connection) == {}


def test_a_bypass_is_seen_wherever_groups_are(cli) -> None:
    listed = cli("groups", "list", "--json").json["data"]["groups"]
    assert {each["name"]: each["bypass"] for each in listed} == {
        "customers": False,
        "newsletter": True,
        "partners": False,
    }
    assert "BYPASS" in cli("groups", "list").stdout
    assert "newsletter: mails contacts that are inactive" in " ".join(cli("status").stdout.split())
    assert cli("status", "--json").json["data"]["bypassing_groups"] == ["newsletter"]
    exported = cli("contacts", "export", "--deliverable", "--group", "newsletter", "--fields", "id")
    assert "newsletter bypasses system-wide deactivation" in exported.stderr


@pytest.mark.both_databases
def test_what_was_undone_does_not_count_in_the_figures(cli) -> None:
    def this_month() -> int:
        return cli("status", "--json").json["data"]["deactivations_per_month"][-1]["number"]

    cli("deactivate", "--where", "id <= 5", "--confirm", "5")
    mistake = cli("deactivate", "--where", "id between 6 and 20", "--confirm", "15", "--json")
    assert this_month() == 20

    undone = cli("runs", "undo", mistake.json["data"]["run"], "--confirm", "15")

    assert undone.exit_code == 0, undone.stderr
    assert this_month() == 5


@pytest.mark.both_databases
def test_a_preview_says_what_would_be_done_to_whom(cli) -> None:
    cli("deactivate", "--where", "id <= 4", "--confirm", "4")

    deleting = cli("contacts", "delete", "--where", "id <= 10", "--dry-run")
    data = cli("contacts", "delete", "--where", "id <= 10", "--dry-run", "--json").json["data"]
    removing = cli("groups", "remove", "customers", "--where", "id <= 10", "--dry-run")

    assert "delete for good" in " ".join(deleting.stdout.split())
    assert "10 match: 6 active, 4 inactive" in deleting.stdout
    assert (data["active"], data["inactive"]) == (6, 4)
    assert data["impact"]["active_after"] == data["impact"]["active_before"] - 6
    assert data["impact"]["members_lost"] == {"customers": 2, "partners": 1}
    assert "remove from the group customers; the contacts stay" in removing.stdout
    assert "3 match: 2 active, 1 inactive" in removing.stdout
