"""`reactivate` at a terminal and in scripts, and what it refuses."""

from pathlib import Path

import pytest

from contactctl.domain.responses import Category
from contactctl.store.database.store import Store
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


def test_anything_else_changes_nothing(store: Store, store_url: str) -> None:
    add_deactivated(store, ANN, Category.TRANSIENT)
    before = dump(store)
    for typed in ["", "y\n", "yes\n", "bob@example.com\n", "1\n"]:
        assert reactivate(store_url, ANN, typed=typed).exit_code == 4, typed
        assert dump(store) == before, typed


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


def test_the_recommended_rules_are_as_recommended(sqlite_url: str, tmp_path: Path) -> None:
    config = tmp_path / "c.yaml"
    config.write_text(run_cli(["rules", "recommend"]).stdout)

    checked = run_cli(["rules", "check", "--database", sqlite_url, "--config", config])

    assert (checked.exit_code, checked.lines[0]) == (0, "Every rule is as recommended.")


def test_thresholds_that_nobody_can_reach_are_told(sqlite_url: str, tmp_path: Path) -> None:
    """As many days as may count within the time; mail of each day is assumed, as none was seen."""
    config = tmp_path / "c.yaml"
    cases = {
        "transient: {count: 4, within: 2 days}": True,
        "transient: {count: 3, within: 2 days}": False,
        "transient: {count: 4, within: 2 days, days_apart: 0}": False,
        "invalid-address: {count: 9, within: 1 day}": False,
        "blocked: {count: 3, within: 6 days, days_apart: 7}": True,
        "unknown: {count: 2, within: 12 hours}": False,
        "unknown: {count: 3, within: 12 hours}": True,
        "unknown: {count: 2, within: 10 days, over_at_least: 14 days}": True,
        "unknown: {count: 2, over_at_least: 14 days}": False,
    }
    told = {}
    for threshold in cases:
        config.write_text(f"thresholds: {{{threshold}}}\n")
        checked = run_cli(["rules", "check", "--database", sqlite_url, "--config", config])
        told[threshold] = "can never be reached" in checked.stderr
    assert told == cases
