"""The man page and the command reference, made of every command's --help.

    python docs/make_command_pages.py

writes docs/man/contactctl.1 and docs/reference/commands.md anew; a test holds them current. The
wheel installs the page below share/.
"""

import os
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
MAN_PAGE = ROOT / "docs" / "man" / "contactctl.1"
REFERENCE = ROOT / "docs" / "reference" / "commands.md"
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from contactctl.cli import registry  # noqa: E402
from contactctl.cli.app import PROGRAM  # noqa: E402
from contactctl.domain.errors import ExitCode  # noqa: E402
from helpers.cli import run_cli  # noqa: E402

_SUMMARY = "find marketing contacts by criteria, and deactivate exactly those"
_EXIT_CODES = {
    ExitCode.DONE: "done; that nothing matched included",
    ExitCode.FAILURE: "failure",
    ExitCode.USAGE: "usage, criteria or config",
    ExitCode.STORE: "store unreachable, of another schema, or no permission",
    ExitCode.REFUSED: "refused: declined, wrong count, over a limit",
    ExitCode.PARTIAL: "partly done: some input was rejected",
    ExitCode.BUSY: "busy: another process changes contacts",
    ExitCode.INTERRUPTED: "interrupted",
}


def man_page() -> str:
    """The page as roff (man(7)): the program, every command, exit codes, files of reference."""
    os.environ["COLUMNS"] = "80"
    parts = [
        f'.TH {PROGRAM.upper()} 1 "" "" "User Commands"',
        ".SH NAME",
        f"{PROGRAM} \\- {_roff(_SUMMARY)}",
        ".SH SYNOPSIS",
        f".B {PROGRAM}\n.I COMMAND\n[OPTIONS] [ARGUMENTS]",
        ".SH DESCRIPTION",
        _help(""),
        ".SH COMMANDS",
        *(f".SS {_roff(f'{PROGRAM} {path}')}\n{_help(path)}" for path in registry.COMMANDS),
        ".SH EXIT STATUS",
        *(f".TP\n.B {int(code)}\n{_roff(meaning)}" for code, meaning in _EXIT_CODES.items()),
        ".SH ENVIRONMENT",
        ".TP\n.B CONTACTCTL_DATABASE_URL\nThe store, where neither a flag nor a config names it.",
        ".TP\n.B CONTACTCTL_NOW\nAn ISO 8601 instant that replaces the clock, for rehearsals.",
        ".TP\n.B NO_COLOR\nWhen set and not empty: no colour.",
    ]
    return "\n".join(parts) + "\n"


def command_reference() -> str:
    """The same as a page of the docs."""
    os.environ["COLUMNS"] = "80"
    parts = [
        "# Commands",
        "Every command's `--help`; this page is made of them by `make docs`.",
        f"```text\n{_printed_help('')}\n```",
    ]
    for path in registry.COMMANDS:
        parts += [f"## {PROGRAM} {path}", f"```text\n{_printed_help(path)}\n```"]
    return "\n\n".join(parts) + "\n"


def _help(path: str) -> str:
    return f".nf\n{_roff(_printed_help(path))}\n.fi"


def _printed_help(path: str) -> str:
    """A command's --help as it is printed, its lines kept."""
    return run_cli([*path.split(), "--help"]).stdout.rstrip()


def _roff(text: str) -> str:
    """Text without meaning to roff: no escapes, no requests; hyphens can be copied."""
    escaped = text.replace("\\", "\\e").replace("-", "\\-").replace("'", "\\(aq")
    return "\n".join(f"\\&{line}" if line.startswith(".") else line for line in escaped.split("\n"))


def main() -> None:
    MAN_PAGE.write_text(man_page(), encoding="utf-8")
    REFERENCE.write_text(command_reference(), encoding="utf-8")


if __name__ == "__main__":
    main()
