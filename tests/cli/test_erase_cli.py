"""Erasing, suppressions and whole groups on the command line."""

from pathlib import Path
from typing import Any

import pytest

from contactctl.store.database.store import Store
from helpers.cli import CliResult, run_cli
from helpers.contacts import seed_contacts
from helpers.dumps import dump
from helpers.handled import add_deactivated, member_states, statuses

ANN = "ann@example.com"


@pytest.fixture
def cli(store: Store, store_url: str, tmp_path: Path) -> Any:
    """Run a command on the store, with a config and a key of its own."""
    (tmp_path / "contactctl.yaml").write_text("suppression_key_file: suppression.key\n")

    def run(*args: object, typed: str | None = None) -> CliResult:
        words = [*args, "--database", store_url]
        return run_cli(words, cwd=tmp_path, stdin=typed or "", tty=typed is not None)

    return run


@pytest.mark.parametrize("verb", ["anonymize", "delete"])
def test_the_email_is_typed_and_nothing_else_will_do(store: Store, cli: Any, verb: str) -> None:
    ann = add_deactivated(store, ANN)
    before = dump(store)

    assert cli("contacts", verb, ANN).exit_code == 4
    assert cli("contacts", verb, ANN, "--confirm", "1").exit_code == 4
    assert cli("contacts", verb, ANN, typed="y\n").exit_code == 4
    assert dump(store) == before

    done = cli("contacts", verb, ANN, typed=f"{ANN}\n")
    assert done.exit_code == 0
    assert ANN not in done.stdout
    assert statuses(store) == ({ann: "inactive"} if verb == "anonymize" else {})
    assert cli("contacts", "add", ANN).exit_code == 5


def test_the_email_may_be_given_as_it_is_written_elsewhere(store: Store, cli: Any) -> None:
    add_deactivated(store, ANN)

    assert cli("contacts", "delete", ANN, "--confirm", " Ann@EXAMPLE.com ").exit_code == 0
    assert statuses(store) == {}


def test_one_contact_goes_without_what_is_for_many(store: Store, cli: Any) -> None:
    cli("groups", "create", "news")
    cli("contacts", "add", ANN, "--group", "news")
    before = dump(store)
    for args in [
        ("contacts", "delete", ANN, "--limit-override", "1"),
        ("contacts", "delete", ANN, "--dry-run"),
        ("contacts", "anonymize", ANN, "--plan"),
        ("contacts", "anonymize", ANN, "--where", "id = 1"),
        ("groups", "remove", "news", ANN, "--where", "id = 1"),
        ("groups", "remove", "news", ANN, "--dry-run"),
        ("groups", "remove", "news", ANN, "--plan"),
        ("groups", "remove", "news", ANN, "--confirm", "1"),
    ]:
        assert cli(*args).exit_code == 2, args
        assert dump(store) == before, args


def test_importing_the_original_file_brings_nobody_back(
    store: Store, cli: Any, tmp_path: Path
) -> None:
    file = tmp_path / "all.csv"
    file.write_text("email\nann@example.com\nbob@example.com\n")
    assert cli("contacts", "import", file).exit_code == 0
    assert cli("contacts", "delete", ANN, "--confirm", ANN).exit_code == 0

    again = cli("contacts", "import", file, "--json")

    assert again.exit_code == 5
    assert (again.json["data"]["rejected"], again.json["data"]["created"]) == (1, 0)
    assert list(statuses(store).values()) == ["active"]


@pytest.mark.both_databases
def test_many_are_deleted_through_plan_preview_and_count(store: Store, cli: Any) -> None:
    seed_contacts(store, 20)
    where = ("--where", "id <= 4")
    before = dump(store)

    assert cli("contacts", "delete").exit_code == 2  # no default for what is permanent
    assert cli("contacts", "delete", ANN, *where).exit_code == 2
    dry = cli("contacts", "delete", *where, "--dry-run", "--json")
    assert (dry.exit_code, dry.json["data"]["count"], len(dry.json["data"]["preview"])) == (0, 4, 4)
    assert cli("contacts", "delete", *where).exit_code == 4
    assert cli("contacts", "delete", *where, "--confirm", 3).exit_code == 4
    assert cli("contacts", "delete", *where, typed="3\n").exit_code == 4
    assert dump(store) | {"run": []} == before | {"run": []}

    kept = cli("contacts", "delete", *where, "--plan", "--json")
    number = kept.json["data"]["run"]
    done = cli("runs", "apply", number, "--confirm", 4, "--json")
    assert (done.exit_code, done.json["data"]["changed"]) == (0, 4)
    assert sorted(statuses(store)) == list(range(5, 21))


def test_nobody_is_anonymised_twice(store: Store, cli: Any) -> None:
    seed_contacts(store, 20)
    assert cli("contacts", "anonymize", "--where", "id = 1", "--confirm", 1).exit_code == 0
    again = cli("contacts", "anonymize", "--where", "id <= 2", "--dry-run", "--json")
    assert again.json["data"]["count"] == 1
    assert cli("contacts", "anonymize", "--where", "id <= 2", "--confirm", 1).exit_code == 0
    alone = cli("contacts", "anonymize", 1, "--confirm", "erased-1", "--json")
    assert (alone.exit_code, alone.json["errors"][0]["code"]) == (4, "refused")
    assert cli("contacts", "delete", "--where", "id <= 2", "--confirm", 2).exit_code == 0


def test_members_are_removed_by_criteria_and_stay_contacts(store: Store, cli: Any) -> None:
    seed_contacts(store, 40)
    where = ("--where", "id <= 10")

    assert cli("groups", "remove", "newsletter").exit_code == 2
    assert cli("groups", "remove", "newsletter", *where, "--confirm", 4).exit_code == 4
    done = cli("groups", "remove", "newsletter", *where, "--confirm", 5, "--json")

    assert (done.exit_code, done.json["data"]["changed"]) == (0, 5)
    newsletter = [contact for contact, group in member_states(store) if group == 1]
    assert len(statuses(store)) == 40
    assert min(newsletter) == 12
    assert cli("groups", "remove", "newsletter", *where, "--confirm", 0, "--json").exit_code == 0


@pytest.mark.both_databases
def test_groups_are_set_renamed_and_deleted(store: Store, cli: Any) -> None:
    assert cli("groups", "create", "News").exit_code == 0
    set_ = cli("groups", "set", "news", "--bypass", "--threshold", "transient=3 within 14 days")
    assert set_.exit_code == 0
    assert "harms deliverability" in set_.stderr
    shown = cli("groups", "set", "NEWS", "--json").json["data"]
    assert shown["thresholds"] == {"transient": "3 within 14 days"}
    assert shown["bypass_system_wide"] is True
    undone = cli("groups", "set", "news", "--no-bypass", "--no-threshold", "transient", "--json")
    assert undone.json["data"]["thresholds"] == {}
    assert cli("groups", "set", "news", "--threshold", "transient=0").exit_code == 2

    assert cli("groups", "create", "other").exit_code == 0
    assert cli("groups", "rename", "other", "NEWS").exit_code == 4
    assert cli("groups", "rename", "news", "Weekly").exit_code == 0
    assert cli("contacts", "add", ANN, "--group", "weekly").exit_code == 0
    assert cli("groups", "delete", "weekly").exit_code == 4
    members = cli("groups", "members", "weekly", "--json").json["data"]
    assert (members["total"], members["members"][0]["state"]) == (1, "follows")
    assert cli("groups", "remove", "weekly", ANN).exit_code == 0
    assert cli("groups", "delete", "weekly").exit_code == 0


def test_what_the_config_says_of_a_group_is_not_set_elsewhere(
    store: Store, cli: Any, tmp_path: Path
) -> None:
    cli("groups", "create", "news")
    (tmp_path / "contactctl.yaml").write_text("groups: {news: {deactivate: group}}\n")

    assert cli("groups", "set", "news", "--bypass").exit_code == 4
    assert cli("groups", "set", "news", "--json").json["data"]["from"] == "config"


@pytest.mark.both_databases
def test_one_address_is_suppressed_and_taken_back(store: Store, cli: Any) -> None:
    assert cli("suppressions", "add", ANN).exit_code == 4
    assert cli("suppressions", "add", ANN, typed=f"{ANN}\n").exit_code == 0
    assert cli("suppressions", "check", ANN, "--json").json["data"] == {"suppressed": True}
    assert cli("suppressions", "list", "--json").json["data"]["total"] == 1
    assert cli("suppressions", "rotate-key").exit_code == 0
    assert cli("suppressions", "remove", ANN, "--confirm", ANN).exit_code == 0
    assert cli("suppressions", "check", ANN, "--json").json["data"] == {"suppressed": False}
    assert cli("suppressions", "check", "no address").exit_code == 2
