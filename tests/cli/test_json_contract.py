"""The envelope: the same keys whatever happens. Names are repeated here so that none slips in."""

import json
from pathlib import Path

import pytest

from helpers.cli import run_cli

ENVELOPE = ["version", "command", "status", "exit_code", "data", "errors"]


@pytest.mark.parametrize(
    ("args", "command", "exit_code", "status"),
    [
        (["fields", "--json"], "fields", 0, "success"),
        (["fields", "--format", "json"], "fields", 0, "success"),
        (["--json", "fields"], "", 2, "error"),
        (["fields", "--json", "--bogus"], "fields", 2, "error"),
        (["fields", "--json", "extra"], "fields", 2, "error"),
        (["fields", "--json", "--fields", "nmae"], "fields", 2, "error"),
        (["fields", "--format=json", "--fields", "name,,type"], "fields", 2, "error"),
        (["fields", "--json", "--config", "missing.yaml"], "fields", 2, "error"),
        (["completion", "csh", "--json"], "completion", 2, "error"),
        (["config", "shwo", "--json"], "config", 2, "error"),
        (["config", "show", "--json", "--database", "x"], "config show", 2, "error"),
        (["nothing", "--json"], "", 2, "error"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_the_envelope_is_always_the_same(
    args: list[str], command: str, exit_code: int, status: str, tmp_path: Path
) -> None:
    result = run_cli(args, cwd=tmp_path)

    assert list(result.json) == ENVELOPE
    assert result.exit_code == result.json["exit_code"] == exit_code
    assert (result.json["version"], result.json["command"]) == (1, command)
    assert result.json["status"] == status
    assert bool(result.json["errors"]) == (exit_code != 0)


def test_an_error_has_code_message_and_hint_on_stdout_and_nothing_on_stderr() -> None:
    result = run_cli(["fields", "--json", "--fields", "nmae"])

    assert result.stderr == ""
    assert result.json["data"] == {}
    assert result.json["errors"] == [
        {
            "code": "usage",
            "message": "unknown field 'nmae' in --fields",
            "hint": "did you mean 'name'?",
        }
    ]


def test_fields_lists_every_field_with_these_keys() -> None:
    listed = run_cli(["fields", "--json"]).json["data"]

    assert list(listed) == ["fields"]
    assert list(listed["fields"][0]) == ["name", "type", "operators", "choices", "help"]
    assert "older-than" in next(
        field["operators"] for field in listed["fields"] if field["name"] == "last_opportunity"
    )


def test_fields_knows_the_declared_attributes(tmp_path: Path) -> None:
    (tmp_path / "contactctl.yaml").write_text("attributes: {tier: [gold, silver]}\n")

    listed = run_cli(["fields", "--json"], cwd=tmp_path).json["data"]["fields"]

    assert {"name": "attributes.tier", "type": "choice", "choices": ["gold", "silver"]}.items() <= (
        listed[-1].items()
    )


def test_the_fields_option_filters_the_rows_and_keeps_its_order() -> None:
    listed = run_cli(["fields", "--json", "--fields", "type,name"]).json["data"]["fields"]

    assert list(listed[0].items()) == [("type", "number"), ("name", "id")]


def test_config_show_tells_each_value_and_its_origin(tmp_path: Path) -> None:
    (tmp_path / "contactctl.yaml").write_text("time_zone: Europe/Oslo\n")

    data = run_cli(["config", "show", "--json"], cwd=tmp_path).json["data"]

    assert list(data) == ["files", "settings"]
    assert {
        "key": "time_zone",
        "value": "Europe/Oslo",
        "origin": "contactctl.yaml:1",
    } in data["settings"]


def test_config_show_names_the_file_once_for_people(tmp_path: Path) -> None:
    (tmp_path / "contactctl.yaml").write_text("time_zone: Europe/Oslo\n")

    lines = run_cli(["config", "show"], cwd=tmp_path).lines

    assert lines[0] == f"Files  {tmp_path / 'contactctl.yaml'}"
    [time_zone] = [line for line in lines if line.startswith("time_zone")]
    assert time_zone.split() == ["time_zone", "Europe/Oslo", "contactctl.yaml:1"]


def test_config_show_hides_passwords(tmp_path: Path) -> None:
    url = "postgresql://ann:hunter2@db.example.com/crm"

    result = run_cli(["config", "show"], cwd=tmp_path, env={"CONTACTCTL_DATABASE_URL": url})

    assert "ann:***@db.example.com" in result.stdout
    assert "hunter2" not in result.stdout + result.stderr


def test_jsonl_is_the_rows_without_an_envelope() -> None:
    rows = [json.loads(line) for line in run_cli(["fields", "--format", "jsonl"]).lines]

    assert rows == run_cli(["fields", "--json"]).json["data"]["fields"]


def test_completion_scripts_come_in_the_envelope_too() -> None:
    data = run_cli(["completion", "fish", "--json"]).json["data"]

    assert data["shell"] == "fish"
    assert data["script"] == run_cli(["completion", "fish"]).stdout
