"""Every command by name: where its function is, and one line of help. Imports no command."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Entry:
    """`target` is `module:function` below contactctl.cli; `help` the docstring's first line."""

    target: str
    help: str


GROUPS: dict[str, str] = {
    "config": "Look at the configuration.",
}

COMMANDS: dict[str, Entry] = {
    "fields": Entry("fields:fields", "List the fields that criteria can test."),
    "config show": Entry("config:show", "Show every setting, and where its value comes from."),
    "completion": Entry("completion:completion", "Print the completion script of a shell."),
}

# headings of `contactctl --help`, in the order of a day's work
SECTIONS: dict[str, tuple[str, ...]] = {
    "Start": ("init", "demo", "status"),
    "Deactivate": ("preview", "build", "deactivate", "runs"),
    "Contacts": ("contacts", "groups", "reactivate", "explain", "suppressions"),
    "Responses": ("responses", "rules", "sweep"),
    "Program": ("fields", "config", "db", "completion"),
}


def names_below(path: str) -> list[str]:
    """Names of the commands and groups directly below a group; '' is the program itself."""
    prefix = f"{path} " if path else ""
    words = [name.removeprefix(prefix) for name in COMMANDS if name.startswith(prefix)]
    return list(dict.fromkeys(word.split(" ")[0] for word in words))


def help_of(path: str) -> str:
    """The line of help of a command or group."""
    return GROUPS[path] if path in GROUPS else COMMANDS[path].help


def command_named_by(argv: Sequence[str]) -> str:
    """The command that argv names, as far as it can be told: '' when there is none."""
    first = argv[0] if argv else ""
    if first in GROUPS and len(argv) > 1 and f"{first} {argv[1]}" in COMMANDS:
        return f"{first} {argv[1]}"
    return first if first in COMMANDS or first in GROUPS else ""
