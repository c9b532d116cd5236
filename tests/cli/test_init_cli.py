"""`init`: the first config and the first store, never in the way of what is there."""

import sqlite3
import stat
from contextlib import closing
from pathlib import Path

import pytest

from helpers import databases
from helpers.cli import run_cli


def test_without_a_store_every_command_says_so_and_makes_none(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/none.db"
    for command in (["status"], ["preview"], ["contacts", "list"], ["runs", "list"]):
        result = run_cli([*command, "--database", url, "--json"])
        assert result.exit_code == 3
        assert result.json["errors"][0]["code"] == "no-store"
        assert "contactctl init" in result.json["errors"][0]["hint"]
    assert list(tmp_path.iterdir()) == []


def test_config_and_store_are_made_and_found_again(tmp_path: Path) -> None:
    made = run_cli(
        ["init", "--config", "contactctl.yaml", "--database", "sqlite:///c.db", "--json"],
        cwd=tmp_path,
    )
    assert made.exit_code == 0
    assert (made.json["data"]["store_created"], made.json["data"]["config_written"]) == (True, True)
    assert stat.S_IMODE((tmp_path / "c.db").stat().st_mode) == 0o600
    status = run_cli(["status", "--json"], cwd=tmp_path)
    assert status.json["data"]["total"] == 0


def test_stores_with_a_config_of_their_own_share_no_key(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "users"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    run_cli(["init"], cwd=tmp_path)
    users = tmp_path / "users" / "contactctl" / "suppression.key"
    run_cli(["suppressions", "add", "ann@x.no", "--confirm", "ann@x.no"], cwd=tmp_path)
    before = users.read_bytes()
    other = tmp_path / "other"
    other.mkdir()
    args = ["--config", "contactctl.yaml", "--database", "sqlite:///c.db"]
    assert run_cli(["init", *args], cwd=other).exit_code == 0
    assert run_cli(["demo"], cwd=tmp_path).exit_code == 0

    for folder in (other, tmp_path / "contactctl-demo"):
        for _ in range(2):
            rotated = run_cli(["suppressions", "rotate-key", "--drop", "--json"], cwd=folder)
            assert rotated.exit_code == 0, rotated.stdout
            assert Path(rotated.json["data"]["backup"]).parent == folder

    assert users.read_bytes() == before
    assert run_cli(["suppressions", "check", "ann@x.no"], cwd=tmp_path).exit_code == 0


def test_a_store_with_suppressions_gets_no_other_key(tmp_path: Path) -> None:
    args = ["--config", "contactctl.yaml", "--database", "sqlite:///c.db"]
    run_cli(["init", *args], cwd=tmp_path)
    run_cli(["suppressions", "add", "ann@x.no", "--confirm", "ann@x.no"], cwd=tmp_path)
    key = tmp_path / "suppression.key"
    kept = key.read_bytes()
    key.unlink()
    again = run_cli(["init", *args], cwd=tmp_path)
    assert (again.exit_code, key.exists()) == (0, False)
    assert f"{key} is missing" in " ".join(again.stderr.split())
    assert run_cli(["contacts", "add", "ann@x.no"], cwd=tmp_path).exit_code == 3
    key.write_bytes(kept)
    key.chmod(0o600)
    assert "missing" not in run_cli(["init", *args], cwd=tmp_path).stderr


def test_without_flags_they_go_to_the_users_folders(tmp_path: Path, monkeypatch) -> None:
    for name in ("CONFIG", "DATA"):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(tmp_path / name.lower()))
    made = run_cli(["init", "--json"], cwd=tmp_path).json["data"]
    assert Path(made["config"]).is_relative_to(tmp_path / "config")
    assert Path(made["database"]).is_relative_to(tmp_path / "data")
    assert run_cli(["status"], cwd=tmp_path).exit_code == 0


def test_what_is_there_stays_as_it_is(tmp_path: Path) -> None:
    config = tmp_path / "contactctl.yaml"
    config.write_text("database: sqlite:///c.db\ntime_zone: Europe/Oslo\n")
    assert run_cli(["init", "--config", config], cwd=tmp_path).exit_code == 0
    run_cli(["contacts", "add", "a@x.no"], cwd=tmp_path)
    again = run_cli(["init", "--config", config, "--json"], cwd=tmp_path).json["data"]
    assert (again["store_created"], again["config_written"]) == (False, False)
    assert "Oslo" in config.read_text()
    assert run_cli(["status", "--json"], cwd=tmp_path).json["data"]["total"] == 1


@pytest.mark.parametrize("named_by", ["folder", "variable"])
def test_a_config_that_is_found_is_used_and_no_other_is_written(
    tmp_path: Path, monkeypatch, named_by: str
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "users"))
    name = "contactctl.yaml" if named_by == "folder" else "other.yaml"
    env = {} if named_by == "folder" else {"CONTACTCTL_CONFIG": "other.yaml"}
    (tmp_path / name).write_text("database: sqlite:///c.db\nthresholds: {blocked: {count: 2}}\n")
    made = run_cli(["init", "--json"], cwd=tmp_path, env=env).json["data"]
    assert (made["config"], made["config_written"]) == (str(tmp_path / name), False)
    assert made["config_files"] == [str(tmp_path / name)]
    assert (made["thresholds"], made["handling_rules"]) == (1, 0)
    assert not list((tmp_path / "users").rglob("*.yaml"))


def test_it_says_what_a_written_config_switches_on(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "users"))
    made = run_cli(["init", "--database", "sqlite:///c.db"], cwd=tmp_path)
    assert "contactctl.yaml (written)" in made.stdout
    assert "Automatic  5 thresholds, 3 handling rules\n" in made.stdout
    (tmp_path / "contactctl.yaml").write_text("database: sqlite:///c.db\nthresholds: {}\n")
    again = run_cli(["init"], cwd=tmp_path)
    assert again.stdout.splitlines()[2].startswith("Also read") and not again.stderr


def test_a_config_that_the_environment_names_is_written_there(tmp_path: Path) -> None:
    env = {"CONTACTCTL_CONFIG": "new.yaml"}
    made = run_cli(["init", "--database", "sqlite:///c.db"], cwd=tmp_path, env=env)
    assert made.exit_code == 0
    assert run_cli(["status"], cwd=tmp_path, env=env).exit_code == 0


def test_it_tells_when_the_config_names_another_store(tmp_path: Path) -> None:
    (tmp_path / "contactctl.yaml").write_text("database: sqlite:///c.db\n")
    made = run_cli(["init", "--database", "sqlite:///d.db"], cwd=tmp_path)
    assert f"note: without --database other commands use sqlite:///{tmp_path}/c.db" in made.stderr


def test_a_file_that_holds_something_else_is_left_alone(tmp_path: Path) -> None:
    other = tmp_path / "other.db"
    other.write_text("my notes, which are no database, " * 100)
    result = run_cli(["init", "--config", tmp_path / "c.yaml", "--database", f"sqlite:///{other}"])
    assert result.exit_code == 3
    assert other.read_text().startswith("my notes")


@pytest.mark.parametrize("name", ["what?", "100%", "100%25", "a#b c"])
def test_the_store_is_in_the_folder_whatever_its_name(tmp_path: Path, name: str) -> None:
    folder = tmp_path / name
    folder.mkdir()
    made = run_cli(
        ["init", "--config", "c.yaml", "--database", "sqlite:///c.db", "--json"], cwd=folder
    )
    assert made.json["data"]["database"] == str(folder / "c.db")
    assert run_cli(["contacts", "add", "a@x.no", "--config", "c.yaml"], cwd=folder).exit_code == 0
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_init_goes_on_where_another_was_killed(tmp_path: Path) -> None:
    path = tmp_path / "c.db"
    with closing(sqlite3.connect(path)) as begun:
        begun.execute("PRAGMA journal_mode = WAL")
    assert path.stat().st_size > 0
    arguments = ["--config", tmp_path / "c.yaml", "--database", f"sqlite:///{path}"]
    assert run_cli(["init", *arguments]).exit_code == 0
    assert run_cli(["status", *arguments]).exit_code == 0


def test_postgres_is_initialised_once(postgres_server_url: str, tmp_path: Path) -> None:
    url = databases.create_database(postgres_server_url, "template0")
    env = {"CONTACTCTL_DATABASE_URL": url}
    args = ["init", "--config", tmp_path / "c.yaml", "--json"]
    try:
        assert run_cli(args, env=env).json["data"]["store_created"] is True
        assert run_cli(args, env=env).json["data"]["store_created"] is False
        assert "postgresql" not in "".join(
            line
            for line in (tmp_path / "c.yaml").read_text().splitlines()
            if not line.startswith("#")
        )
    finally:
        databases.drop_database(postgres_server_url, url)


@pytest.mark.parametrize("encoding", ["LATIN1", "SQL_ASCII"])
def test_a_database_that_cannot_hold_every_name_is_refused(
    postgres_server_url: str, tmp_path: Path, encoding: str
) -> None:
    url = databases.create_database(postgres_server_url, "template0", encoding)
    try:
        result = run_cli(["init", "--config", tmp_path / "c.yaml", "--database", url])
    finally:
        databases.drop_database(postgres_server_url, url)

    assert result.exit_code == 3
    assert f"encoded in {encoding}" in result.stderr
    assert "createdb --encoding UTF8" in result.stderr
    assert not (tmp_path / "c.yaml").exists()


def test_names_of_all_languages_whatever_the_client_encoding(postgres_url: str) -> None:
    names = "email,first_name,last_name\nann@x.org,İpek,Łukasz\n"
    env = {"CONTACTCTL_DATABASE_URL": postgres_url, "PGCLIENTENCODING": "LATIN1"}

    assert run_cli(["contacts", "import", "-"], env=env, stdin=names).exit_code == 0
    shown = run_cli(["preview", "--where", "first_name = İpek"], env=env).stdout

    assert "1 of 1 (100.0 %)" in shown
    assert "Łukasz" in run_cli(["contacts", "list"], env=env).stdout


@pytest.mark.parametrize("schema", ["public", "nowhere"])
def test_a_role_that_may_create_nothing_is_told_what_it_needs(
    postgres_server_url: str, tmp_path: Path, schema: str
) -> None:
    url = databases.create_database(postgres_server_url, "template0")
    options = f"options=-csearch_path%3D{schema}%20-crole%3Dpg_monitor"
    try:
        result = run_cli(
            ["init", "--config", tmp_path / "c.yaml", "--database", f"{url}&{options}"]
        )
    finally:
        databases.drop_database(postgres_server_url, url)

    assert result.exit_code == 3
    assert "GRANT USAGE, CREATE ON SCHEMA" in result.stderr
