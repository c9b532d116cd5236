"""What people write out of habit: short options, options before the command, other names."""

from pathlib import Path

import pytest

from contactctl.cli.argv import arranged
from helpers.cli import run_cli
from helpers.contacts import seed_contacts


@pytest.mark.parametrize(
    ("argv", "meant"),
    [
        ("help runs apply", "runs apply --help"),
        ("help", "--help"),
        ("help runs", "runs --help"),
        ("--config a.yaml status", "status --config a.yaml"),
        ("--config=a.yaml --no-color runs list -v", "runs list --config=a.yaml --no-color -v"),
        ("--database sqlite:///a help status", "status --database sqlite:///a --help"),
        ("-q -v preview", "preview -q -v"),
        ("--json runs", "--json runs"),
        ("status --config a.yaml", "status --config a.yaml"),
        ("--version", "--version"),
        ("--config", "--config"),
        ("contacts list --where help", "contacts list --where help"),
    ],
)
def test_argv_is_arranged(argv: str, meant: str) -> None:
    assert arranged(argv.split()) == meant.split()


def test_options_before_the_command_count(store_url: str, tmp_path: Path, store) -> None:
    seed_contacts(store, 3)
    (tmp_path / "own.yaml").write_text("limits: {max_contacts: 7}\n")
    before = ["--config", "own.yaml", "--database", store_url, "--no-color"]
    shown = run_cli([*before, "config", "show", "--json"], cwd=tmp_path).json["data"]["settings"]
    assert {"key": "limits.max_contacts", "value": "7", "origin": "own.yaml:1"} in shown
    wrong = run_cli(["--config", "none.yaml", "status", "--json"], cwd=tmp_path)
    assert (wrong.exit_code, wrong.json["command"]) == (2, "status")


@pytest.mark.parametrize(
    ("argv", "hint"),
    [
        ("deactivate --yes", "--confirm with what is confirmed"),
        ("deactivate -y", "--confirm with what is confirmed"),
        ("deactivate --force", "--confirm with what is confirmed"),
        ("reactivate a@x.no --yes", "--confirm with what is confirmed"),
        ("sweep all --force", "write --yes"),
        ("status --yes", "asks nothing"),
        ("responses ingest a.json --dry-run", "`contactctl responses classify FILE` shows"),
        ("preview --filter x", "write --where"),
        ("contacts list --order-by email", "write --sort"),
        ("status -o json", "write --format"),
        ("contacts edit 7 --first-name Ann", "write --set first_name=VALUE"),
        ("contacts edit 7 --tag vip", "`contactctl tags add TAG EMAIL`"),
        ("deactivate --simulate", "write --dry-run"),
        ("import a.csv", "`contactctl contacts import`"),
        ("ingest a.eml", "`contactctl responses ingest`"),
        ("undo 3", "`contactctl runs undo`"),
        ("upgrade", "`contactctl db upgrade`"),
        ("version", "`contactctl --version`"),
        ("activate a@x.no", "`contactctl reactivate`"),
        ("search x", "contacts list --where"),
        ("unsubscribe a@x.no", "`contactctl deactivate EMAIL`"),
        ("help nothing", "lists the commands"),
        ("contacts export a.csv", "write > FILE"),
        ("contacts export --output a.csv", "add > FILE"),
        ("deactivate --all", "--where CONDITION, --criteria FILE"),
        ("deactivate --email a@x.no", "`contactctl COMMAND EMAIL`"),
        ("preview --count", "the count stands above"),
        ("bounces", "`contactctl responses list`"),
        ("tags rename a b", "`contactctl tags remove OLD --where 'tag = NEW'`"),
        ("contacts edit 7 --confirm a@x.no", "asks nothing"),
        ("subscribers list", "`contactctl contacts list`"),
        ("lists", "`contactctl groups list`"),
        ("segments list", "`contactctl criteria list`"),
        ("contacts show -dash@x.no", "`contactctl contacts show -- VALUE`"),
        ("groups create -bad", "`contactctl groups create -- VALUE`"),
        ("why a@x.no", "`contactctl explain EMAIL`"),
        ("config edit", "`contactctl config path`"),
        ("doctor", "`contactctl db check`"),
        ("tui", "`contactctl build`"),
    ],
)
def test_near_misses_lead_where_they_should(argv: str, hint: str, tmp_path: Path) -> None:
    result = run_cli(argv.split(), cwd=tmp_path)
    assert result.exit_code == 2
    assert hint in " ".join(result.stderr.split()), result.stderr


def test_short_options(store_url: str, store) -> None:
    seed_contacts(store, 3)
    at = ["--database", store_url]
    assert run_cli(["-V"]).stdout == run_cli(["--version"]).stdout
    tried = run_cli(["deactivate", "--where", "id = 1", "-n", *at])
    assert (tried.exit_code, "nothing was changed" in tried.stderr) == (0, True)
    quiet = run_cli(["deactivate", "--where", "id = 1", "-n", "-q", *at])
    assert quiet.stderr.count("nothing was changed") == 0
    told = run_cli(["status", "-v", *at]).stderr
    assert "note: store: " in told and "note: config: " in told and "note: took " in told


def test_what_is_said_is_broken_at_words_at_a_terminal(tmp_path: Path) -> None:
    args = ["deactivate", "--yes"]
    for line in run_cli(args, cwd=tmp_path, tty=True, width=50).stderr.splitlines():
        assert len(line) <= 50
    assert len(run_cli(args, cwd=tmp_path, width=50).stderr.splitlines()) == 2


def test_a_preview_sorted_and_longer(store_url: str, store) -> None:
    seed_contacts(store, 50)
    args = ["preview", "--where", "id <= 45", "--sort", "-id", "--limit", "40", "--json"]
    found = run_cli([*args, "--database", store_url]).json["data"]["preview"]
    assert [row["id"] for row in found] == list(range(45, 5, -1))
    wrong = run_cli(["preview", "--sort", "emial", "--database", store_url])
    assert (wrong.exit_code, "did you mean 'email'" in wrong.stderr) == (2, True)


def test_a_plan_is_tried_without_being_applied(store_url: str, store) -> None:
    seed_contacts(store, 10)
    at = ["--database", store_url, "--json"]
    run = run_cli(["deactivate", "--where", "id <= 1", "--plan", *at]).json["data"]["run"]
    tried = run_cli(["runs", "apply", run, "--dry-run", *at])
    assert (tried.exit_code, tried.json["data"]["planned"]) == (0, 1)
    assert run_cli(["runs", "show", run, *at]).json["data"]["state"] == "planned"
    both = run_cli(["runs", "apply", run, "--dry-run", "--confirm", 1, *at])
    assert both.exit_code == 2


def test_the_config_is_found_and_checked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    config = tmp_path / "contactctl.yaml"
    assert run_cli(["config", "path", "--json"], cwd=tmp_path).json["data"]["files"] == []
    config.write_text("time_zone: Europe/Oslo\n")
    assert run_cli(["config", "path"], cwd=tmp_path).stdout.splitlines()[0] == str(config)
    assert run_cli(["config", "check"], cwd=tmp_path).exit_code == 0
    config.write_text("time_zone: Europe/Oslo\nlimits: {max_contact: 3}\n")
    wrong = run_cli(["config", "check"], cwd=tmp_path)
    assert (wrong.exit_code, "contactctl.yaml:2" in wrong.stderr) == (2, True)
