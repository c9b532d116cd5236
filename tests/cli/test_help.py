"""Every --help is a snapshot; UPDATE_SNAPSHOTS=1 writes them anew."""

import os
from pathlib import Path

import pytest

from contactctl import __version__
from contactctl.cli import registry
from contactctl.cli.app import load_command
from helpers.cli import run_cli
from helpers.drawn_by import remember_versions, skip_unless_drawn_by_same

SNAPSHOTS = Path(__file__).parent / "snapshots"
PATHS = ["", *registry.GROUPS, *registry.COMMANDS]


@pytest.mark.parametrize("path", PATHS)
def test_help_fits_the_screen_with_examples_first_and_is_as_it_was(
    path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    snapshot = SNAPSHOTS / f"{path.replace(' ', '-') or 'contactctl'}.txt"

    result = run_cli([*path.split(), "--help"])

    assert (result.exit_code, result.stderr) == (0, "")
    assert result.lines[0].startswith("Usage:")
    assert result.lines[2] == "Examples:"
    assert all(len(line) <= 80 for line in result.lines)
    if os.environ.get("UPDATE_SNAPSHOTS") == "1":
        snapshot.write_text(result.stdout)
        remember_versions()
    skip_unless_drawn_by_same("typer")
    assert snapshot.exists(), "UPDATE_SNAPSHOTS=1 writes the snapshot of a new command"
    assert result.stdout == snapshot.read_text()


def test_no_snapshot_is_left_of_a_command_that_is_gone() -> None:
    names = {path.replace(" ", "-") or "contactctl" for path in PATHS}

    assert {file.stem for file in SNAPSHOTS.glob("*.txt")} == names


def test_every_option_and_argument_is_explained() -> None:
    for path in registry.COMMANDS:
        unexplained = [param.name for param in load_command(path).params if not param.help]

        assert unexplained == [], path


def test_examples_are_of_the_command_itself() -> None:
    for path in registry.COMMANDS:
        lines = load_command(path).help_text.examples
        examples = "\n".join(lines).replace("\\\n", " ").splitlines()

        assert examples, path
        assert all(f"contactctl {path}" in example for example in examples), path


def test_examples_of_a_group_are_of_its_commands() -> None:
    for path in registry.GROUPS:
        for example in registry.GROUPS[path].examples:
            program, group, command, *_ = example.split()
            assert (program, group) == ("contactctl", path), path
            assert f"{path} {command}" in registry.COMMANDS, path


def test_a_commands_own_options_come_before_those_of_every_command() -> None:
    lines = run_cli(["preview", "--help"]).lines

    own, common = lines.index("Options:"), lines.index("Common options:")
    assert lines[own + 1].startswith("  --where CONDITION ")
    assert lines[common + 1].startswith("  --format FORMAT ")
    assert own < common


def test_usage_has_its_customary_form() -> None:
    assert run_cli(["responses", "ingest", "--help"]).lines[0].endswith("[OPTIONS] PATH...")
    assert run_cli(["contacts", "delete", "--help"]).lines[0].endswith("[OPTIONS] [EMAIL|ID]")


def test_the_version_is_answered_before_anything_else() -> None:
    assert run_cli(["--version", "nothing"]).stdout == f"contactctl {__version__}\n"
