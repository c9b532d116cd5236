"""Every console example of the README and the docs is run, in order, and shows what it says.

In a ```console block a line `$ command` is run by a shell in a folder of the page's own, which
holds what the page's `<!-- run: command -->` comments have made. The lines below it are what the
command prints; `...` stands for anything, alone on a line for any number of lines. A command
without such lines must succeed. Blocks of other kinds are not run.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
NOW = "2026-06-15T12:00:00Z"

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


def run(command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    environment = {
        "HOME": str(folder / "home"),
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "LANG": "C.UTF-8",
        "CONTACTCTL_NOW": NOW,
    }
    return subprocess.run(
        command,
        shell=True,
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        check=False,
    )


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_examples_show_what_they_say(page: Path, tmp_path: Path) -> None:
    for command, expected in examples_of(page.read_text(encoding="utf-8")):
        done = run(command, tmp_path)
        said = f"$ {command}\n{done.stdout}\n--- stderr\n{done.stderr}"
        if expected:
            shown = "".join(f"{one_spaced(line)}\n" for line in done.stdout.splitlines())
            assert pattern_of(expected).fullmatch(shown), said
        else:
            assert done.returncode == 0, said


def test_an_example_that_shows_something_else_is_found() -> None:
    pattern = pattern_of(["Active  ...", "...", "end"])
    assert pattern.fullmatch("Active  12\nmore\nlines\nend\n")
    assert not pattern.fullmatch("Inactive  12\nend\n")
    assert not pattern.fullmatch("Active  12\nmore\n")
