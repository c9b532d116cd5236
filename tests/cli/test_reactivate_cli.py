"""`reactivate` at a terminal and in scripts, and what it refuses."""

from pathlib import Path

import pytest

from contactctl.domain.responses import Category
from contactctl.store.store import Store
from helpers.cli import CliResult, run_cli
from helpers.dumps import dump
from helpers.handled import add_deactivated, statuses

ANN = "ann@example.com"


def reactivate(url: str, *args: str, typed: str | None = None) -> CliResult:
    tty = typed is not None
    return run_cli(["reactivate", *args, "--database", url], stdin=typed or "", tty=tty)


def test_typing_the_email_brings_the_contact_back(store: Store, store_url: str) -> None:
    ann = add_deactivated(store, ANN, Category.TRANSIENT)

    result = reactivate(store_url, ANN, typed="Ann@Example.com\n")

    assert result.exit_code == 0
    assert "transient" in result.stderr
    assert "reactivate after 7 to 14 days" in " ".join(result.stderr.split())
    assert statuses(store) == {ann: "active"}


@pytest.mark.parametrize("typed", ["", "y\n", "yes\n", "bob@example.com\n", "1\n"])
def test_anything_else_changes_nothing(store: Store, store_url: str, typed: str) -> None:
    add_deactivated(store, ANN, Category.TRANSIENT)
    before = dump(store)

    assert reactivate(store_url, ANN, typed=typed).exit_code == 4
    assert dump(store) == before


def test_a_script_gives_the_email_again(store: Store, store_url: str) -> None:
    ann = add_deactivated(store, ANN, Category.TRANSIENT, Category.BLOCKED)
    before = dump(store)

    shown = reactivate(store_url, str(ann), "--json")
    wrong = reactivate(store_url, str(ann), "--json", "--confirm", "bob@example.com")
    assert (shown.exit_code, wrong.exit_code) == (4, 4)
    assert len(shown.json["data"]["deactivations"]) == 2
    assert dump(store) == before

    done = reactivate(store_url, str(ann), "--json", "--confirm", ANN)
    data = done.json["data"]
    assert (data["email"], data["status"], data["ended"]) == (ANN, "active", 2)
    assert isinstance(data["run"], int)


@pytest.mark.parametrize(
    "args",
    [
        [ANN, "bob@example.com"],
        ["--where", "group = news"],
        [ANN, "--where-not", "tag = vip"],
        ["--criteria", "stale.yaml"],
        [],
    ],
)
def test_bulk_reactivation_does_not_exist(sqlite_url: str, args: list[str]) -> None:
    result = reactivate(sqlite_url, *args)

    assert result.exit_code == 2
    assert "exactly one contact" in result.stderr
    assert "runs undo" in result.stderr


def test_a_complaint_is_acknowledged_by_name(store: Store, store_url: str) -> None:
    add_deactivated(store, ANN, Category.SPAM_COMPLAINT)

    refused = reactivate(store_url, ANN, "--confirm", ANN)
    assert refused.exit_code == 4
    assert "--acknowledge spam-complaint" in refused.stderr
    assert "called your mail spam" in refused.stdout

    allowed = reactivate(store_url, ANN, "--confirm", ANN, "--acknowledge", "spam-complaint")
    assert allowed.exit_code == 0
    unknown = reactivate(store_url, ANN, "--confirm", ANN, "--acknowledge", "spam")
    assert unknown.exit_code == 2


def test_sweep_rules_and_key_are_told_in_the_documented_words(
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
    assert (over.exit_code, over.json["data"]["due"], log.exit_code) == (4, 2, 4)
    assert [run["state"] for run in over.json["data"]["runs"]] == ["planned"]
    assert over.json["errors"][0]["code"] == "limits"
    assert log.lines == [
        "2026-06-26T12:00:00Z sweep handling: due 2, deactivated 0, reactivated 0, removed 0,"
        " runs finished 0, plans expired 0"
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
    done = run_cli(args, env=later, tty=True, stdin="1\n")
    assert (done.exit_code, statuses(store)) == (0, {ann: "active"})
    assert "transient" in done.stderr


def test_the_recommended_rules_are_as_recommended(sqlite_url: str, tmp_path: Path) -> None:
    config = tmp_path / "c.yaml"
    config.write_text(run_cli(["rules", "recommend"]).stdout)

    checked = run_cli(["rules", "check", "--database", sqlite_url, "--config", config])

    assert (checked.exit_code, checked.lines[0]) == (0, "Every rule is as recommended.")
