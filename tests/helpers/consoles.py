"""Consoles in memory."""

from collections.abc import Mapping
from dataclasses import dataclass
from io import StringIO

from contactctl.output.console import Console


@dataclass
class MemoryConsole(Console):
    """A console whose output can be read back."""

    stdout: StringIO
    stderr: StringIO


def memory_console(
    *,
    tty: bool = False,
    stdin: str = "",
    width: int = 80,
    env: Mapping[str, str] | None = None,
    quiet: bool = False,
) -> MemoryConsole:
    """A console on strings; with `tty` all three streams count as terminals, without colour."""
    return MemoryConsole(
        stdin=StringIO(stdin),
        stdout=StringIO(),
        stderr=StringIO(),
        stdin_is_tty=tty,
        stdout_is_tty=tty,
        stderr_is_tty=tty,
        environ={"NO_COLOR": "1"} if env is None else env,
        width=width,
        quiet=quiet,
    )
