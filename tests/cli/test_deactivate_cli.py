"""`contactctl deactivate` by a script: every flag, exit code and key."""

from pathlib import Path

import pytest

from contactctl.store.database.store import Store
from helpers.dumps import dump
from helpers.plans import active_ids, deactivated_by, plan_items, states
from helpers.store_cli import DEACTIVATE_TEN, StoreCli, require_unchanged, seeded_cli

RUN_KEYS = {
    "run", "state", "planned", "deactivated", "skipped", "active_before", "active_after",
}  # fmt: skip


@pytest.fixture
def cli(store: Store, store_url: str, tmp_path: Path) -> StoreCli:
    return seeded_cli(store, store_url, tmp_path, 100)


@pytest.mark.parametrize("count", ["10", " 10 "])
@pytest.mark.both_databases
def test_the_right_count_deactivates_exactly_these(cli: StoreCli, count: str) -> None:
    data = cli.json(*DEACTIVATE_TEN, "--confirm", count, "--reason", "clean-up")

    assert data.keys() >= RUN_KEYS
    assert (data["run"], data["state"], data["kind"]) == (1, "done", "deactivate")
    assert (data["planned"], data["deactivated"], data["skipped"]) == (10, 10, 0)
    assert (data["active_before"], data["active_after"]) == (100, 90)
    assert data["reason"] == "clean-up"
    assert deactivated_by(cli.store, 1) == list(range(1, 11))
    assert active_ids(cli.store) == set(range(11, 101))


def test_a_count_may_have_commas(store: Store, store_url: str, tmp_path: Path) -> None:
    cli = seeded_cli(store, store_url, tmp_path, 1284)

    data = cli.json(
        "deactivate", "--where", "id > 0", "--confirm", "1,284", "--limit-override", "1,284"
    )

    assert data["deactivated"] == 1284


def test_a_wrong_count_exits_4_and_changes_nothing(cli: StoreCli) -> None:
    before = dump(cli.store, without=("run",))
    for count in ["9", "11", "0", "100", "1,000"]:
        refused = cli(*DEACTIVATE_TEN, "--confirm", count, "--json").json

        (error,) = refused["errors"]
        assert (refused["exit_code"], error["code"]) == (4, "wrong-count"), count
        assert "10 contacts match; nothing was changed" in error["message"], count
        assert refused["data"]["count"] == len(refused["data"]["preview"]) == 10, count
        require_unchanged(cli, before, runs=[])


def test_what_is_no_count_exits_2(cli: StoreCli) -> None:
    before = dump(cli.store, without=("run",))
    for count in ["ten", "", "y", "-1", "1.0", "1 0", "0x0a", "1,0"]:
        (error,) = cli.errors(*DEACTIVATE_TEN, f"--confirm={count}", exit_code=2)

        assert error["code"] == "usage", count
        require_unchanged(cli, before, runs=[])


@pytest.mark.both_databases
def test_confirm_0_is_right_when_nothing_matches_and_wrong_otherwise(cli: StoreCli) -> None:
    before = dump(cli.store, without=("run",))

    data = cli.json("deactivate", "--where", "id > 100", "--confirm", "0")
    assert {key: data[key] for key in RUN_KEYS} == {
        "run": None,
        "state": "done",
        "planned": 0,
        "deactivated": 0,
        "skipped": 0,
        "active_before": 100,
        "active_after": 100,
    }
    assert cli.errors(*DEACTIVATE_TEN, "--confirm", "0", exit_code=4)[0]["code"] == "wrong-count"
    assert cli.errors("deactivate", "--where", "id > 100", "--confirm", "1", exit_code=4)
    require_unchanged(cli, before, runs=[])


def test_over_a_limit_a_script_needs_the_override(cli: StoreCli) -> None:
    before = dump(cli.store, without=("run",))
    command = ("deactivate", "--where", "id <= 26", "--confirm", "26")

    (error,) = cli.errors(*command, exit_code=4)
    assert error["code"] == "over-limit"
    assert "26 of 100 active contacts is over the limit of 25 %" in error["message"]
    assert error["hint"].endswith("--limit-override 26")
    assert cli.errors(*command, "--limit-override", "25", exit_code=4)[0]["code"] == "over-limit"
    require_unchanged(cli, before, runs=[])

    assert cli.json(*command, "--limit-override", "26")["deactivated"] == 26


def test_exactly_at_the_limit_no_override_is_needed(cli: StoreCli) -> None:
    assert cli.json("deactivate", "--where", "id <= 25", "--confirm", "25")["deactivated"] == 25


def test_the_configs_limits_count(cli: StoreCli) -> None:
    cli.configure("limits: {max_contacts: 9, max_percent: 100}\n")

    (error,) = cli.errors(*DEACTIVATE_TEN, "--confirm", "10", exit_code=4)
    assert "10 is over the limit of 9 contacts" in error["message"]


def test_without_a_terminal_and_a_count_it_shows_the_preview_and_exits_4(cli: StoreCli) -> None:
    before = dump(cli.store, without=("run",))

    result = cli(*DEACTIVATE_TEN, "--json", stdin="10\n")

    assert result.exit_code == 4
    assert result.json["errors"][0]["code"] == "not-confirmed"
    assert "--confirm COUNT" in result.json["errors"][0]["hint"]
    assert result.json["data"]["count"] == 10
    assert len(result.json["data"]["preview"]) == 10
    require_unchanged(cli, before, runs=[])


def test_where_nobody_matches_there_is_nothing_to_confirm(cli: StoreCli) -> None:
    data = cli.json("deactivate", "--where", "id = 101")

    assert (data["run"], data["planned"], data["active_after"]) == (None, 0, 100)
    errors = cli.errors("deactivate", "--where", "id = 101", "--confirm", "1", exit_code=4)
    assert errors[0]["code"] == "wrong-count"


def test_a_dry_run_shows_everything_and_writes_nothing(cli: StoreCli) -> None:
    cli.configure("billing: {tiers: [{up_to: 60, price: 29}, {price: 99}]}\n")
    before = dump(cli.store)

    data = cli.json("deactivate", "--where", "id <= 50", "--dry-run")

    assert (data["count"], data["active_total"], len(data["preview"])) == (50, 100, 30)
    assert data["impact"] == {
        "active_before": 100,
        "active_after": 50,
        "billing": {"currency": "USD", "price_before": 99, "price_after": 29},
        "members_lost": {"newsletter": 25, "customers": 16, "partners": 5},
    }
    assert data["limits_exceeded"] == [
        "50 of 100 active contacts is over the limit of 25 %"
    ]  # reported, and no failure
    assert dump(cli.store) == before


def test_a_kept_plan_changes_nothing_yet(cli: StoreCli) -> None:
    before = dump(cli.store, without=("run", "plan_item"))

    data = cli.json(*DEACTIVATE_TEN, "--plan")

    assert data.keys() >= RUN_KEYS
    assert (data["run"], data["state"], data["planned"], data["deactivated"]) == (
        1,
        "planned",
        10,
        0,
    )
    assert data["expires_at"] == "2026-06-16T12:00:00Z"
    assert len(data["preview"]) == 10
    assert dump(cli.store, without=("run", "plan_item")) == before
    assert plan_items(cli.store) == 10


@pytest.mark.parametrize("way", ["--plan", "--dry-run"])
def test_nothing_matched_is_no_error(cli: StoreCli, way: str) -> None:
    result = cli("deactivate", "--where", "id > 100", way)

    assert result.exit_code == 0
    assert states(cli.store) == []


def test_what_does_not_fit_together_exits_2_and_changes_nothing(cli: StoreCli) -> None:
    (cli.folder / "stale.yaml").write_text("all: [id <= 10]\n")
    before = dump(cli.store, without=("run",))
    for flags in [
        ("--dry-run", "--plan"),
        ("--dry-run", "--confirm", "10"),
        ("--plan", "--confirm", "10"),
        ("--limit-override", "10"),
        ("--background", "--dry-run"),
        ("--background", "--plan"),
        ("--wait", "-1"),
        ("--wait", "soon"),
        ("--yes",),
        ("--criteria", "stale.yaml"),
        ("extra",),
        ("--where", "id older-than 3 days"),
        ("--where", "group = nobody"),
        ("--where", ""),
        ("--criteria", "missing.yaml"),
    ]:
        (error,) = cli.errors(*DEACTIVATE_TEN, *flags, exit_code=2)

        assert error["message"], flags
        require_unchanged(cli, before, runs=[])


@pytest.mark.both_databases
def test_criteria_come_from_flags_a_file_or_are_the_prebuilt_ones(cli: StoreCli) -> None:
    (cli.folder / "stale.yaml").write_text("all:\n  - id <= 30\nnone: [group = newsletter]\n")
    flags = ("--where", "id <= 30", "--where-not", "group = newsletter")

    by_file = cli.json("deactivate", "--criteria", cli.folder / "stale.yaml", "--dry-run")
    by_flags = cli.json("deactivate", *flags, "--dry-run")
    any_of = cli.json("deactivate", "--where-any", "id = 1", "--where-any", "id = 2", "--dry-run")
    prebuilt = cli.json("deactivate", "--dry-run")

    assert by_file["count"] == by_flags["count"] == 15
    assert by_file["criteria"] == by_flags["criteria"]
    assert (any_of["count"], prebuilt["prebuilt"], any_of["prebuilt"]) == (2, True, False)
    assert prebuilt["criteria"]["all"] == ["last_opportunity older-than 24 months"]


def test_two_operators_policy_refuses_to_do_it_alone(cli: StoreCli) -> None:
    cli.configure("plans: {approval: second-operator}\n")
    before = dump(cli.store, without=("run",))

    (error,) = cli.errors(*DEACTIVATE_TEN, "--confirm", "10", exit_code=4)
    assert (error["code"], "--plan" in error["hint"]) == ("second-operator", True)
    assert cli(*DEACTIVATE_TEN, tty=True, stdin="10\n").exit_code == 4
    require_unchanged(cli, before, runs=[])
    assert cli.json(*DEACTIVATE_TEN, "--plan")["state"] == "planned"


def test_the_store_that_was_changed_is_named(cli: StoreCli, tmp_path: Path) -> None:
    from contactctl.store.database.migrate import create_store

    other_folder = tmp_path / "other"
    other = create_store(f"sqlite:///{other_folder}/contacts.db")
    other_cli = seeded_cli(other, f"sqlite:///{other_folder}/contacts.db", tmp_path, 100)

    here, there = (
        cli(*DEACTIVATE_TEN, "--dry-run").stdout,
        other_cli(*DEACTIVATE_TEN, "--dry-run").stdout,
    )

    assert cli.store.identity in here
    assert other.identity in there
    assert other.identity not in here
    assert cli.json(*DEACTIVATE_TEN, "--plan")["database"] == cli.store.identity
    other.close()


def test_on_postgres_the_operator_is_the_role_too(
    postgres_url: str, sqlite_url: str, tmp_path: Path
) -> None:
    from contactctl.store.database.store import open_store

    operators = []
    for url in (postgres_url, sqlite_url):
        store = open_store(url)
        cli = seeded_cli(store, url, tmp_path, 20)
        operators.append(cli.json("deactivate", "--where", "id = 1", "--plan")["operator"])
        store.close()

    assert operators == ["tester@host as postgres", "tester@host"]


def test_without_a_store_it_says_so_and_creates_none(tmp_path: Path) -> None:
    from helpers.cli import run_cli

    result = run_cli([*DEACTIVATE_TEN, "--database", f"sqlite:///{tmp_path}/none.db"], cwd=tmp_path)

    assert result.exit_code == 3
    assert "contactctl init" in result.stderr
    assert list(tmp_path.iterdir()) == []
