"""The wrapper: exit codes, errors in words, interrupts, pipes that close."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from contactctl.cli import registry
from contactctl.cli.app import load_command
from contactctl.cli.context import Invocation
from contactctl.domain.errors import StoreError
from contactctl.output.view import Column, Presentation, Rows, RowsTable
from helpers.cli import run_cli

ENVIRON = {k: v for k, v in os.environ.items() if not k.startswith("CONTACTCTL_")}
ENVIRON["PYTHONPATH"] = str(Path(__file__).parents[2])


def _start(*args: str, **settings: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "contactctl", *args],
        text=True,
        env=ENVIRON,
        **settings,  # type: ignore[call-overload]
    )


@pytest.fixture
def install(monkeypatch: pytest.MonkeyPatch):
    """Register a function as the command `probe`."""

    def _install(function: object) -> None:
        module = sys.modules[__name__]
        monkeypatch.setattr(module, "probe", function, raising=False)
        monkeypatch.setitem(sys.modules, "contactctl.cli.probe_module", module)
        entry = registry.Entry("probe_module", "Probe.")
        monkeypatch.setitem(registry.COMMANDS, "probe", entry)
        load_command.cache_clear()

    yield _install
    load_command.cache_clear()


def test_an_unknown_command_is_a_usage_error_with_a_suggestion() -> None:
    result = run_cli(["feilds"])

    assert result.exit_code == 2
    assert result.stderr == "error: no such command 'feilds'\nhint: did you mean 'fields'?\n"
    assert result.stdout == ""


def test_an_unknown_command_like_no_other_points_to_the_list() -> None:
    assert "`contactctl --help` lists the commands" in run_cli(["zzz"]).stderr


def test_an_unknown_option_is_a_usage_error_with_a_suggestion() -> None:
    result = run_cli(["fields", "--jsn"])

    assert result.exit_code == 2
    assert result.stderr == "error: no such option: --jsn\nhint: did you mean '--json'?\n"


def test_an_option_before_the_command_is_shown_its_place() -> None:
    result = run_cli(["--fields", "active", "status"])

    assert result.exit_code == 2
    assert "hint: options follow the command: `contactctl COMMAND --fields`" in result.stderr


def test_an_interruption_within_an_import_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> int:
        try:
            raise KeyboardInterrupt("ended by SIGHUP")
        except KeyboardInterrupt as interruption:
            raise RuntimeError("Error calling __set_name__") from interruption

    monkeypatch.setattr("contactctl.cli.main._dispatch", interrupted)
    result = run_cli(["status"])
    assert (result.exit_code, result.stderr) == (130, "error: ended by SIGHUP\n")


@pytest.mark.parametrize("flag", ["--where", "--where-any", "--where-not"])
def test_a_condition_without_quotes_is_told_of_them(flag: str) -> None:
    result = run_cli(["preview", flag, "last_opportunity", "older-than", "24", "months"])

    assert result.exit_code == 2
    assert "quotes: --where 'FIELD OPERATOR VALUE'" in result.stderr


@pytest.mark.parametrize("path", [(), ("runs",), ("runs", "show"), ("preview",)])
def test_h_is_short_for_help(path: tuple[str, ...]) -> None:
    assert run_cli([*path, "-h"]) == run_cli([*path, "--help"])


def test_the_help_of_where_says_how_a_condition_is_written() -> None:
    shown = " ".join(run_cli(["preview", "--help"]).stdout.split())

    assert "'FIELD OPERATOR VALUE', in quotes; `contactctl fields` lists" in shown


def test_a_value_outside_the_choices_names_them() -> None:
    result = run_cli(["fields", "--format", "xml"])

    assert result.exit_code == 2
    assert "'xml' is not one of table, json, jsonl, csv" in result.stderr


def test_formats_that_contradict_each_other_are_refused() -> None:
    result = run_cli(["fields", "--format", "csv", "--json"])

    assert result.exit_code == 2
    assert result.json["errors"][0]["message"] == "--json and --format csv cannot be combined"


@pytest.mark.parametrize("args", [[], ["config"]])
def test_a_command_line_without_a_command_shows_the_help_on_stderr(args: list[str]) -> None:
    result = run_cli(args)

    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr.startswith("Usage: contactctl")


def test_an_unforeseen_exception_is_one_line_and_called_a_bug(install) -> None:
    def probe(invocation: Invocation) -> Presentation:
        raise LookupError("lost")

    install(probe)

    result = run_cli(["probe"])
    assert result.exit_code == 1
    assert result.stderr.splitlines()[0] == "error: LookupError: lost"
    assert "this is a bug" in result.stderr
    assert "Traceback" not in result.stderr
    assert "Traceback" in run_cli(["probe"], env={"CONTACTCTL_DEBUG": "1"}).stderr


def test_an_operating_system_error_names_the_file(install) -> None:
    def probe(invocation: Invocation) -> Presentation:
        return Presentation({"text": Path("missing.txt").read_text()})

    install(probe)

    result = run_cli(["probe"])
    assert (result.exit_code, result.stderr) == (
        1,
        "error: missing.txt: No such file or directory\n",
    )


def test_ctrl_c_exits_130(install) -> None:
    def probe(invocation: Invocation) -> Presentation:
        raise KeyboardInterrupt

    install(probe)

    assert run_cli(["probe"]).exit_code == 130
    assert run_cli(["probe", "--json"]).json["errors"][0]["code"] == "interrupted"


def test_a_pipe_that_breaks_during_the_work_is_a_failure(install) -> None:
    def probe(invocation: Invocation) -> Presentation:
        raise BrokenPipeError

    install(probe)

    assert run_cli(["probe"]).exit_code == 1


def test_error_texts_reach_the_terminal_without_escape_sequences(install) -> None:
    def probe(invocation: Invocation) -> Presentation:
        raise ValueError("\x1b]0;owned\x07\u202e")

    install(probe)

    assert "error: ValueError: \\x1b]0;owned\\x07\\u202e\n" in run_cli(["probe"], tty=True).stderr


def test_rows_that_come_lazily_are_streamed(install) -> None:
    seen: list[int] = []

    def probe(invocation: Invocation) -> Presentation:
        def rows():
            for number in range(1000):
                seen.append(number)
                yield {"n": number}

        return Presentation(rows=Rows("numbers", [Column("n")], rows()), blocks=[RowsTable()])

    install(probe)

    for arguments in (["--format", "csv"], ["--format", "jsonl"], ["--json"], []):
        seen.clear()
        result = run_cli(["probe", *arguments])
        assert result.exit_code == 0
        assert len(seen) == 1000
        assert "999" in result.stdout


def test_a_stream_that_ends_in_the_middle_tells_on_stderr(install) -> None:
    def probe(invocation: Invocation) -> Presentation:
        def rows():
            yield {"n": 1}
            raise StoreError("the connection was lost")

        return Presentation(rows=Rows("numbers", [Column("n")], rows()))

    install(probe)

    for arguments in (["--format", "csv"], ["--format", "jsonl"], ["--json"]):
        result = run_cli(["probe", *arguments])
        assert (result.exit_code, result.stderr) == (3, "error: the connection was lost\n")
        assert result.stdout.count("version") <= 1


def test_the_reader_may_leave_early() -> None:
    process = _start("fields", stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None and process.stderr is not None
    process.stdout.close()

    complaint = process.stderr.read()
    process.stderr.close()
    assert (process.wait(), complaint) == (0, "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_output_that_cannot_be_written_is_a_failure() -> None:
    with Path("/dev/full").open("w") as full:
        process = _start("fields", "--json", stdout=full, stderr=subprocess.PIPE)
        _, complaint = process.communicate()

    assert process.returncode == 1
    # with --json errors belong on stdout, and that is what failed
    assert complaint == "error: standard output: No space left on device\n"


def test_closed_standard_streams_are_no_crash() -> None:
    script = f"exec {sys.executable} -m contactctl fields <&- 2>&-"
    command = ["sh", "-c", script]
    done = subprocess.run(command, capture_output=True, text=True, env=ENVIRON, check=True)

    assert "last_opportunity" in done.stdout


def test_a_result_that_nobody_can_get_is_a_failure() -> None:
    command = ["sh", "-c", f"exec {sys.executable} -m contactctl fields >&-"]
    done = subprocess.run(command, capture_output=True, text=True, env=ENVIRON, check=False)

    complaint = "error: standard output: Bad file descriptor\n"
    assert (done.returncode, done.stderr) == (1, complaint)


def test_sigterm_ends_like_ctrl_c(tmp_path: Path) -> None:
    fifo = tmp_path / "config.yaml"
    os.mkfifo(fifo)
    process = _start("fields", "--config", str(fifo), stderr=subprocess.PIPE)
    with fifo.open("w"):  # opens when the program reads: it runs, and waits for us
        process.send_signal(signal.SIGTERM)
        _, complaint = process.communicate()

    assert process.returncode == 130
    assert "error: ended by SIGTERM" in complaint


def test_a_function_does_not_say_its_line_of_help_again() -> None:
    for path, entry in registry.COMMANDS.items():
        assert entry.help not in load_command(path).callback.__doc__


def test_every_command_has_its_place_in_the_help() -> None:
    listed = {name for names in registry.SECTIONS.values() for name in names}

    assert set(registry.names_below("")) <= listed
