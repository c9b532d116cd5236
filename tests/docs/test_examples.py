"""Every console example of the README and the docs is run, in order, and shows what it says.

In a ```console block a line `$ command` is run, in one shell for the whole page, as its reader has
it, and in a folder of the page's own. The lines below it are what the command prints; `...` stands
for anything, alone on a line for any number of lines. A command without such lines must succeed.
Blocks of other kinds are not run; `<!-- run: command -->` does what one tells the reader to do.
"""

import os
import re
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from helpers.warm_python import folder_of_contactctl

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
NOW = "2026-06-15T12:00:00Z"
END = "-- end of an example, exit code"

_PART = re.compile(r"^<!-- run: (?P<setup>.+?) -->$|^```console\n(?P<block>.*?)^```$", re.M | re.S)


def examples_of(text: str) -> list[tuple[str, list[str]]]:
    """The commands of a page with the lines expected below each."""
    found: list[tuple[str, list[str]]] = []
    for part in _PART.finditer(text):
        if part["setup"]:
            found.append((part["setup"], []))
            continue
        for line in part["block"].splitlines():
            if line.startswith("$ "):
                found.append((line[2:], []))
            elif found[-1][1] or line:
                found[-1][1].append(line)
    return found


def pattern_of(expected: list[str]) -> re.Pattern[str]:
    """What the output must match: `...` is anything."""
    lines = []
    for line in expected:
        if line == "...":
            lines.append("(?:.*\n)*?")
        else:
            lines.append(".*".join(map(re.escape, one_spaced(line).split("..."))) + "\n")
    return re.compile("".join(lines) + r"\s*")


def one_spaced(line: str) -> str:
    """A line without its columns' widths, which follow from data that `...` leaves out."""
    return re.sub(" +", " ", line).rstrip()


@dataclass(frozen=True)
class Done:
    """What became of one command."""

    command: str
    exit_code: int
    stdout: str
    stderr: str

    def __str__(self) -> str:
        return f"$ {self.command}\n{self.stdout}\n--- stderr\n{self.stderr}"


def run_all(commands: Sequence[str], folder: Path) -> list[Done]:
    """The commands, one after the other in one shell."""
    mark = f'done=$?; echo "{END} $done"; echo "{END} $done" >&2'
    environment = {
        "HOME": str(folder / "home"),
        "PATH": f"{folder_of_contactctl()}{os.pathsep}{os.environ['PATH']}",
        "LANG": "C.UTF-8",
        "CONTACTCTL_NOW": NOW,
    }
    shell = subprocess.run(
        ["sh", "-c", "\n".join(f"{command}\n{mark}" for command in commands)],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        check=False,
    )
    out, err = (re.split(rf"{END} (\d+)\n", text) for text in (shell.stdout, shell.stderr))
    parts = zip(commands, out[1::2], out[::2], err[::2], strict=False)
    return [Done(command, int(code), *texts) for command, code, *texts in parts]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_examples_show_what_they_say(page: Path, tmp_path: Path) -> None:
    examples = examples_of(page.read_text(encoding="utf-8"))
    done = run_all([command for command, _ in examples], tmp_path)

    assert len(done) == len(examples), done
    for example, (_, expected) in zip(done, examples, strict=True):
        if expected:
            shown = "".join(f"{one_spaced(line)}\n" for line in example.stdout.splitlines())
            assert pattern_of(expected).fullmatch(shown), str(example)
        else:
            assert example.exit_code == 0, str(example)


def test_an_example_that_shows_something_else_is_found() -> None:
    pattern = pattern_of(["Active  ...", "...", "end"])
    assert pattern.fullmatch("Active  12\nmore\nlines\nend\n")
    assert not pattern.fullmatch("Inactive  12\nend\n")
    assert not pattern.fullmatch("Active  12\nmore\n")
