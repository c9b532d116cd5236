"""`contactctl sweep`: by itself for cron, and confirmed part by part at a terminal."""

from pathlib import Path

import pytest

from contactctl.domain.responses import Category
from contactctl.store.database.store import Store
from contactctl.store.run_steps import apply_batch
from helpers.cli import run_cli
from helpers.contacts import seed_contacts
from helpers.handled import add_deactivated, statuses
from helpers.plans import active_ids, deactivated_by, started
from helpers.sessions import NOW, make_session

ANN = "ann@example.com"


@pytest.mark.both_databases
def test_what_is_due_is_told_in_the_documented_words(
    store: Store, store_url: str, tmp_path: Path
) -> None:
    config = tmp_path / "c.yaml"
    config.write_text(
        "limits: {max_percent: 100, max_contacts: 1}\n"
        "handling: {transient: {reactivate_after: 10 days}, unknown: {reactivate_after: 1 days}}\n"
    )
    for number in range(2):
        add_deactivated(store, f"c{number}@example.com", Category.TRANSIENT)
    common = ["--database", store_url, "--config", config]
    later = {"CONTACTCTL_NOW": "2026-06-26T12:00:00Z"}

    idle = run_cli(["sweep", "all", "--yes", "--json", *common])
    dry = run_cli(["sweep", "all", "--dry-run", "--json", *common], env=later)
    alone = run_cli(["sweep", "all", "--json", *common], env=later)
    over = run_cli(["sweep", "all", "--yes", "--json", *common], env=later)
    log = run_cli(["sweep", "handling", "--yes", "--log", *common], env=later)

    keys = ["due", "deactivated", "reactivated", "removed", "runs_finished", "plans_expired"]
    assert [idle.json["data"][key] for key in keys] == [0] * 6
    assert (dry.exit_code, dry.json["data"]["due"], alone.exit_code) == (0, 2, 4)
    assert (over.exit_code, over.json["data"]["due"], log.exit_code) == (4, 2, 0)
    assert [run["state"] for run in over.json["data"]["runs"]] == ["planned"]
    assert over.json["errors"][0]["code"] == "over-limit"
    assert log.lines == [
        "2026-06-26T12:00:00Z sweep handling: due 2, deactivated 0, reactivated 0, removed 0,"
        " runs finished 0, plans expired 0, waiting 2"
    ]
    checked = run_cli(["rules", "check", "--json", *common])
    assert (checked.exit_code, checked.json["data"]["against"]) == (1, 1)
    assert run_cli(["rules", "show", "--json", *common]).exit_code == 0


def test_a_person_types_the_count_of_a_sweep(store: Store, store_url: str, tmp_path: Path) -> None:
    config = tmp_path / "c.yaml"
    config.write_text(
        "limits: {max_percent: 100}\nhandling: {transient: {reactivate_after: 10 days}}\n"
    )
    ann = add_deactivated(store, ANN, Category.TRANSIENT)
    args = ["sweep", "handling", "--database", store_url, "--config", config]
    later = {"CONTACTCTL_NOW": "2026-06-26T12:00:00Z"}

    declined = run_cli(args, env=later, tty=True, stdin="2\n")
    assert (declined.exit_code, statuses(store)) == (4, {ann: "inactive"})
    assert declined.lines[:2] == ["Due            1 contact", "Deactivated    0 contacts"]
    done = run_cli(args, env=later, tty=True, stdin="1\n")
    assert (done.exit_code, statuses(store)) == (0, {ann: "active"})
    assert "transient" in done.stderr


def test_a_dry_run_tells_the_limits_and_what_waits_of_its_parts_alone(
    store: Store, store_url: str, tmp_path: Path
) -> None:
    config = tmp_path / "c.yaml"
    config.write_text("limits: {max_contacts: 1}\nhandling: {transient: {reactivate_after: 1 day}}")
    for number in range(2):
        add_deactivated(store, f"c{number}@example.com", Category.TRANSIENT)
    common = ["--database", store_url, "--config", config]
    later = {"CONTACTCTL_NOW": "2026-06-26T12:00:00Z"}
    dry = ["sweep", "handling", "--dry-run", *common]

    before = run_cli([*dry, "--json"], env=later).json["data"]
    over = run_cli(["sweep", "all", "--yes", "--json", *common], env=later)
    after, shown = run_cli([*dry, "--json"], env=later).json["data"], run_cli(dry, env=later)

    assert (before["parts"], before["waiting_runs"]) == (["handling"], [])
    assert before["limits_exceeded"][0] == "2 is over the limit of 1 contact"
    held = over.json["data"]["runs"][0]
    assert held["details"]["as_of"] == later["CONTACTCTL_NOW"]
    assert (after["due"], after["waiting_runs"], shown.exit_code) == (2, [held["run"]], 0)
    assert shown.lines[:5] == [
        "Due for handling  2 contacts",
        f"Waiting plan      run {held['run']}, 2 contacts",
        "",
        "Over the limits  2 is over the limit of 1 contact",
        "                 2 of 2 active contacts is over the limit of 25 %",
    ]


@pytest.mark.parametrize("options", [("--yes", "--dry-run"), ("--log",), ("--log", "--dry-run")])
def test_options_that_exclude_each_other(
    sqlite_url: str, tmp_path: Path, options: tuple[str, ...]
) -> None:
    result = run_cli(["sweep", "all", *options, "--database", sqlite_url], cwd=tmp_path)

    assert result.exit_code == 2
    assert options[0] in result.stderr


def test_interrupted_runs_go_on_once_the_contacts_still_to_come_are_typed(
    store: Store, store_url: str, tmp_path: Path
) -> None:
    seed_contacts(store, 20)
    add_deactivated(store, ANN, Category.TRANSIENT)
    config = tmp_path / "c.yaml"
    config.write_text(
        "limits: {max_percent: 100}\nhandling: {transient: {reactivate_after: 10 days}}\n"
    )
    run = started(make_session(store), "id <= 10")
    apply_batch(store, run, 4, NOW)
    args = ["sweep", "all", "--database", store_url, "--config", config]
    later = {"CONTACTCTL_NOW": "2026-06-26T12:00:00Z"}

    declined = run_cli(args, env=later, tty=True, stdin="10\n1\n")
    assert "contacts that remain, 6:" in declined.stderr
    assert (declined.exit_code, len(active_ids(store))) == (4, 16)  # nor is the next part asked for

    done = run_cli(args, env=later, tty=True, stdin="6\n1\n")
    assert done.exit_code == 0
    assert active_ids(store) == set(range(11, 22))
    assert deactivated_by(store, run.id) == list(range(1, 11))
