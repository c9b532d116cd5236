"""Every command that the docs or a message name exists, with each of its options.

A command is text in backquotes, or a line of a code block, that starts with `contactctl`; in
backquotes also the name of a command alone (`runs apply N`). What the examples in ```console blocks
do is for test_examples.py.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from contactctl.cli import registry
from contactctl.cli.app import PROGRAM, build_program, load_command

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "config.example.yaml", *sorted((ROOT / "docs").rglob("*.md"))]
PAGES.remove(ROOT / "docs" / "decisions.md")  # what was decided then, in the words of then
MODULES = sorted((ROOT / "contactctl").rglob("*.py"))

_QUOTED = re.compile(r"`([^`]+)`")
_LINE = re.compile(rf"^(?:\$ |#+ .*: )?\s*({PROGRAM} .+?)\\?$", re.M)
_OPTION = re.compile(r"(?<!\S)(?:--[a-z][a-z0-9-]*|-[a-z](?!\w))")
_WORD = re.compile(r"[a-z][a-z-]+\Z")
_TOP = {name.split(" ")[0] for name in registry.COMMANDS}


def named_in(text: str) -> Iterator[str]:
    """The commands that a text names, without the program's own name."""
    outside_blocks = re.sub(r"^```.*?^```", "", text, flags=re.M | re.S)
    for found in _QUOTED.finditer(outside_blocks):
        words = found[1].split()
        if words[:1] == [PROGRAM]:
            yield " ".join(words[1:])
        elif _is_bare_command(words):
            yield " ".join(words)
    for found in _LINE.finditer(text):
        yield found[1].removeprefix(PROGRAM).strip()


def _is_bare_command(words: list[str]) -> bool:
    """`runs apply N`, `preview --json`; not `status`, which is a field, and not `group = news`."""
    if len(words) < 2 or words[0] not in _TOP:
        return False
    return words[0] in registry.GROUPS or words[1].startswith("--")


def problem_of(command: str) -> str:
    """What is wrong with a named command; '' where it exists as it stands."""
    command = re.split(r" [|;>&]|\$\(| #|`", command)[0]
    without_values = re.sub(r"'[^']*'|\"[^\"]*\"", "VALUE", command)
    words = without_values.split()
    path = _path_of(words)
    if path is None:
        return f"no such command: {command}"
    known = _options_of(path)
    unknown = [each for each in _OPTION.findall(without_values) if each not in known]
    return f"no such options: {' '.join(unknown)} in {command}" if unknown else ""


def _path_of(words: list[str]) -> str | None:
    if not words or words[0].startswith("-") or not _WORD.match(words[0]):
        return ""
    if words[0] == "help":
        return _path_of(words[1:])
    if words[0] in registry.COMMANDS:
        return words[0]
    path = " ".join(words[:2])
    return path if path in registry.COMMANDS else None


def _options_of(path: str) -> set[str]:
    command = load_command(path) if path else build_program()
    params = [*command.params, *([] if path else load_command("preview").params)]
    flags = {flag for param in params for flag in (*param.opts, *param.secondary_opts)}
    return flags | {"--help", "-h"}


def texts_of(module: Path) -> Iterator[str]:
    """The texts in a module, each with WORD in place of what an f-string fills in."""
    for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
        if isinstance(node, ast.JoinedStr):
            yield "".join(
                str(part.value) if isinstance(part, ast.Constant) else "WORD"
                for part in node.values
            )
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_command_that_a_page_names_exists(page: Path) -> None:
    named = named_in(page.read_text(encoding="utf-8"))
    assert list(filter(None, map(problem_of, named))) == []


def test_every_command_that_a_message_or_a_help_text_names_exists() -> None:
    problems = [
        f"{module.relative_to(ROOT)}: {problem}"
        for module in MODULES
        for text in texts_of(module)
        for found in re.findall(rf"`{PROGRAM} ([^`]*)`", text)
        if (problem := problem_of(" ".join(found.split())))
    ]
    assert problems == []


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("run `contactctl sweep` to resume", "no such command: sweep"),
        ("run `contactctl runs continue 3`", "no such command: runs continue 3"),
        ("see `runs continue 3`", "no such command: runs continue 3"),
        ("`preview --limt 3`", "no such options: --limt in preview --limt 3"),
        ("`contactctl help previw`", "no such command: help previw"),
        ("`contactctl help preview`", ""),
        ("`contactctl preview\n--limt 3`", "no such options: --limt in preview --limt 3"),
        ("```sh\ncontactctl db drop\n```", "no such command: db drop"),
        ("    contactctl runs shw 3\n", "no such command: runs shw 3"),
        ("`contactctl preview --where 'a --b c'`, `status = active`, `runs`", ""),
        ("`contactctl contacts list --where ... | head --lines 3`", ""),
    ],
)
def test_a_command_that_does_not_exist_is_found(text: str, problem: str) -> None:
    assert "".join(map(problem_of, named_in(text))) == problem
