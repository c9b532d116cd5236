"""Every command by name: in which module its function is, and one line of help. Imports none.

The function has the command's last word as its name, with _ behind it where Python has that word.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple


class Entry(NamedTuple):
    """`module` is below contactctl.cli; `help` stands in lists and above the command's own help."""

    module: str
    help: str


class Group(NamedTuple):
    """Commands that share a first word: the line of help, and what they are used for most."""

    help: str
    examples: tuple[str, ...]


def _read(text: str) -> tuple[dict[str, Group], dict[str, Entry]]:
    groups: dict[str, Group] = {}
    commands: dict[str, Entry] = {}
    for line in text.splitlines():
        if line.startswith(" "):
            name, group = groups.popitem()
            groups[name] = Group(group.help, (*group.examples, line.strip()))
        elif line and not line.startswith("#"):
            name, module, help = (each.strip() for each in line.split("|", 2))
            if module:
                commands[name] = Entry(module, help)
            else:
                groups[name] = Group(help, ())
    return groups, commands


GROUPS, COMMANDS = _read(Path(__file__).with_name("commands.txt").read_text("utf-8"))

# headings of `contactctl --help`, in the order of a day's work
SECTIONS: dict[str, tuple[str, ...]] = {
    "Start": ("init", "demo", "status"),
    "Deactivate": ("preview", "build", "deactivate", "runs"),
    "Contacts": ("contacts", "groups", "tags", "reactivate", "explain", "suppressions"),
    "Responses": ("responses", "rules", "sweep"),
    "Program": ("fields", "criteria", "config", "policy", "db", "completion"),
}


def names_below(path: str) -> list[str]:
    """Names of the commands and groups directly below a group; '' is the program itself."""
    prefix = f"{path} " if path else ""
    words = [name.removeprefix(prefix) for name in COMMANDS if name.startswith(prefix)]
    return list(dict.fromkeys(word.split(" ")[0] for word in words))


def help_of(path: str) -> str:
    """The line of help of a command or group."""
    return GROUPS[path].help if path in GROUPS else COMMANDS[path].help


def command_named_by(argv: Sequence[str]) -> str:
    """The command that argv names, as far as it is known: '' when there is none."""
    first = argv[0] if argv else ""
    if first in GROUPS and len(argv) > 1 and f"{first} {argv[1]}" in COMMANDS:
        return f"{first} {argv[1]}"
    return first if first in COMMANDS or first in GROUPS else ""
