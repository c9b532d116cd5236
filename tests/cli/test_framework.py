"""The wrapper: exit codes, errors in words or as JSON, interrupts, closed pipes."""

import pytest
from helpers.cli import run_cli


def test_an_unknown_command_is_a_usage_error_with_a_suggestion() -> None:
    result = run_cli(["feilds"])

    assert result.exit_code == 2
    assert result.stderr == "error: no such command 'feilds'\nhint: did you mean 'fields'?\n"
    assert result.stdout == ""


def test_an_unknown_option_is_a_usage_error_with_a_suggestion() -> None:
    result = run_cli(["fields", "--jsn"])

    assert result.exit_code == 2
    assert result.stderr == "error: no such option: --jsn\nhint: did you mean '--json'?\n"


@pytest.mark.parametrize("args", [[], ["config"]])
def test_a_command_line_without_a_command_shows_the_help_on_stderr(args: list[str]) -> None:
    result = run_cli(args)

    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr.startswith("Usage: contactctl")
