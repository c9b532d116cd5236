"""`demo`: a sample store, and the main job on it."""

import json
import sqlite3
from pathlib import Path

import pytest

from helpers.cli import CliResult, run_cli

STALE = 1099  # of the 5,000; the demo's dates keep away from the 24 months


def active_in(folder: Path) -> int:
    with sqlite3.connect(folder / "contacts.db") as connection:
        statement = "SELECT count(*) FROM contact WHERE status = 'active'"
        (active,) = connection.execute(statement).fetchone()
    connection.close()
    return int(active)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, CliResult]:
    folder = tmp_path_factory.mktemp("demo")
    return folder, run_cli(["demo", "--json"], cwd=folder)


def test_without_a_terminal_it_shows_and_changes_nothing(made: tuple[Path, CliResult]) -> None:
    folder, result = made
    data = result.json["data"]
    assert result.exit_code == 0
    assert (data["count"], data["active_total"]) == (STALE, 5000)
    assert data["impact"]["active_after"] == 5000 - STALE
    assert len(data["preview"]) == 30
    assert active_in(folder / "contactctl-demo") == 5000


def test_it_has_a_policy_as_a_store_of_init_has(made: tuple[Path, CliResult]) -> None:
    folder = made[0] / "contactctl-demo"
    shown = run_cli(["policy", "show", "--json"], cwd=folder).json["data"]
    assert shown["policy"] == 1
    [run] = run_cli(["runs", "list", "--kind", "policy", "--json"], cwd=folder).json["data"]["runs"]
    assert run["reason"] == "demo"


def test_some_have_never_had_an_opportunity(made: tuple[Path, CliResult]) -> None:
    left_out = made[1].json["data"]["left_out"]["last_opportunity"]
    assert 0 < left_out < 5000 - STALE


def test_the_next_commands_work_as_they_stand(made: tuple[Path, CliResult]) -> None:
    import shlex

    folder, result = made
    change_folder, *commands = result.json["data"]["next"]
    into = shlex.split(change_folder)[1]
    for command in commands:
        if not command.endswith("deactivate"):
            assert run_cli(shlex.split(command)[1:], cwd=folder / into).exit_code == 0, command


def test_a_demo_that_is_there_is_used_again(made: tuple[Path, CliResult]) -> None:
    folder, first = made
    again = run_cli(["demo", "--json"], cwd=folder)
    assert again.json["data"]["count"] == first.json["data"]["count"]
    assert "already" in again.stderr


def test_in_the_current_folder_there_is_nowhere_to_go_first(tmp_path: Path) -> None:
    made = run_cli(["demo", ".", "--json"], cwd=tmp_path).json["data"]["next"]
    assert " preview --where " in made[0]


def test_the_typed_count_deactivates(tmp_path: Path) -> None:
    declined = run_cli(["demo", "try"], cwd=tmp_path, tty=True, stdin="y\n")
    assert declined.exit_code == 0
    assert "not confirmed" in declined.stderr
    assert declined.stdout.startswith("Next\ncd try\n")
    assert active_in(tmp_path / "try") == 5000
    confirmed = run_cli(["demo", "try"], cwd=tmp_path, tty=True, stdin=f"{STALE}\n")
    assert confirmed.exit_code == 0
    assert active_in(tmp_path / "try") == 5000 - STALE


def test_another_folder_is_not_touched(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("draft")
    result = run_cli(["demo", "mine"], cwd=tmp_path)
    assert result.exit_code == 2
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["thesis.txt"]


def test_a_store_in_the_environment_is_not_touched(tmp_path: Path, sqlite_url: str) -> None:
    run_cli(["demo"], cwd=tmp_path, env={"CONTACTCTL_DATABASE_URL": sqlite_url})
    status = run_cli(["status", "--json"], env={"CONTACTCTL_DATABASE_URL": sqlite_url})
    assert json.loads(status.stdout)["data"]["total"] == 0
