"""The command `build`: refused without a terminal, and the real program in one of 80x24."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pexpect
import pytest

from contactctl.domain.runs import RunState
from contactctl.store.database.store import Store, open_store
from helpers.cli import REHEARSING, run_cli
from helpers.contacts import seed_contacts
from helpers.plans import active_ids, plan_items, states
from helpers.warm_python import warm_python

ROOT = Path(__file__).parents[2]
ESCAPES = re.compile(r"\x1b(\[[0-9;?<>=]*[a-zA-Z~]|[()][A-Z0-9]|[=>])")
CONTACTS = 400
OLD = 186
PATIENCE_S = 120


@pytest.fixture
def store(sqlite_url: str) -> Iterator[Store]:
    opened = open_store(sqlite_url)
    seed_contacts(opened, CONTACTS)
    yield opened
    opened.close()


def start(store: Store, *, env: dict[str, str] | None = None) -> pexpect.spawn:
    """The real program in a terminal."""
    assert store.path is not None
    (store.path.parent / "contactctl.yaml").write_text("limits: {max_percent: 90}\n")
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("CONTACTCTL_")}
    return pexpect.spawn(
        warm_python(),
        ["-m", "contactctl", "build", "--database", f"sqlite:///{store.path}"],
        cwd=str(store.path.parent),
        env={
            **inherited,
            "PYTHONPATH": str(ROOT),
            "TERM": "xterm-256color",
            **REHEARSING,
            "TEXTUAL_ANIMATIONS": "none",
            **(env or {}),
        },
        dimensions=(24, 80),
        encoding="utf-8",
        timeout=PATIENCE_S,
    )


def to_conditions(terminal: pexpect.spawn) -> None:
    terminal.expect("Start finding contacts")
    terminal.send("\r")
    terminal.expect(f"{OLD} of {CONTACTS}")


@pytest.mark.parametrize(("tty", "env"), [(False, {}), (True, {"TERM": "dumb"})])
def test_without_a_terminal_it_says_what_to_do(
    tty: bool, env: dict[str, str], tmp_path: Path
) -> None:
    refused = run_cli(["build", "--json"], cwd=tmp_path, tty=tty, env=env)

    assert refused.exit_code == 4
    assert refused.json["errors"][0]["code"] == "no-terminal"
    assert "contactctl deactivate --criteria FILE" in refused.json["errors"][0]["hint"]
    assert list(tmp_path.iterdir()) == []


def test_unreadable_criteria_are_told_before_anything_is_drawn(
    sqlite_url: str, tmp_path: Path
) -> None:
    (tmp_path / "bad.yaml").write_text("all: []\n")

    refused = run_cli(
        ["build", "--criteria", tmp_path / "bad.yaml", "--database", sqlite_url], tty=True
    )

    assert refused.exit_code == 2
    assert "bad.yaml:1: an empty group" in " ".join(refused.stderr.split())


def test_a_deactivation_from_the_first_screen_to_the_last(store: Store) -> None:
    terminal = start(store)
    to_conditions(terminal)
    terminal.setwinsize(15, 60)
    terminal.expect(f"{OLD} of {CONTACTS}")  # drawn anew
    terminal.send("D")
    terminal.expect("Type the number of contacts")
    terminal.setwinsize(50, 140)
    terminal.expect("Type the number of contacts")
    terminal.send(f"{OLD}\r")
    terminal.expect(f"{OLD} deactivated, {CONTACTS - OLD} active")
    terminal.send("\r")
    terminal.expect("contactctl runs show 1")  # printed once the screen is the shell's again
    terminal.expect(pexpect.EOF)
    terminal.wait()

    assert terminal.exitstatus == 0
    assert states(store) == [RunState.DONE]
    assert len(active_ids(store)) == CONTACTS - OLD


def test_a_terminal_that_is_closed_leaves_no_plan(store: Store) -> None:
    terminal = start(store)
    to_conditions(terminal)
    terminal.send("D")
    terminal.expect("Type the number of contacts")
    assert plan_items(store) == OLD
    terminal.ptyproc.fileobj.close()  # the kernel sends SIGHUP
    _, status = os.waitpid(terminal.pid, 0)

    assert os.waitstatus_to_exitcode(status) == 130
    assert states(store) == [RunState.CANCELLED]
    assert (plan_items(store), len(active_ids(store))) == (0, CONTACTS)


def test_without_colour_and_left_with_edits_the_terminal_is_clean(store: Store) -> None:
    terminal = start(store, env={"NO_COLOR": "1"})
    seen = ""
    terminal.expect("Start finding contacts")
    seen += terminal.before
    terminal.send("\r")
    terminal.expect(f"{OLD} of {CONTACTS}")
    seen += terminal.before
    terminal.send("J")  # to any of these
    terminal.expect("not saved")
    terminal.send("q")
    terminal.expect("The edits are not saved")
    terminal.expect(r"\x1b\[(?:[0-9;]*;)?4(?:;[0-9;]*)?mSave")  # where one is, is underlined
    terminal.send("\x1b[B\r")  # Leave
    terminal.expect_exact("\x1b[?1049l")  # back to the shell's screen, at column 1
    terminal.expect(pexpect.EOF)
    left = ESCAPES.sub("", terminal.before).split("\r\n")
    assert left[0].startswith("note: the clock is replaced")
    assert left[1] == "Your criteria, which were not saved:"
    assert "contactctl preview --where-any 'last_opportunity older-than 24 months'" in left
    assert left[-2:] == ["note: nothing was deactivated", ""]
    assert "38;2;" not in seen and "48;2;" not in seen
    assert "38;5;" not in seen and "48;5;" not in seen


def test_no_other_command_imports_textual(store: Store) -> None:
    script = (
        "import sys\n"
        "from contactctl.cli.main import run\n"
        "from contactctl.output.console import Console\n"
        "for words in sys.argv[1:]: run(words.split(), Console.of_process())\n"
        "print('textual' in sys.modules, file=sys.stderr)"
    )
    database = f"--database sqlite:///{store.path}"
    commands = ["--help", "build --help", "fields", "build"]
    commands += [f"{name} {database}" for name in ("status", "preview", "runs list", "build")]
    commands += [f"deactivate {database} --confirm {OLD} --limit-override {OLD}"]
    done = subprocess.run(
        [sys.executable, "-c", script, *commands],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, **REHEARSING},
        stdin=subprocess.DEVNULL,
        check=True,
    )

    assert len(active_ids(store)) == CONTACTS - OLD
    assert done.stderr.splitlines()[-1] == "False"
