"""Run the command line in process, with a console of the test's own."""

import json
from collections.abc import Mapping, Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

from contactctl.cli.main import run
from contactctl.output.console import Console

NOW = "2026-06-15T12:00:00Z"
REHEARSING = {"CONTACTCTL_NOW": NOW, "CONTACTCTL_ALLOW_REPLACED_CLOCK": "true"}


@dataclass(frozen=True)
class CliResult:
    """What a command line did: exit code, and what it wrote."""

    exit_code: int
    stdout: str
    stderr: str

    @property
    def json(self) -> Any:
        """stdout as one JSON document; fails the test when it is none."""
        return json.loads(self.stdout)

    @property
    def lines(self) -> list[str]:
        return self.stdout.splitlines()


def run_cli(
    args: Sequence[object],
    *,
    cwd: Path | None = None,
    stdin: str = "",
    tty: bool = False,
    env: Mapping[str, str] | None = None,
    operator: str = "tester@host",
    width: int = 80,
) -> CliResult:
    """Run `contactctl ARGS` at the fixed time NOW.

    With `tty` all three streams count as terminals, and `stdin` is what the person types. `env`
    adds to an environment without any CONTACTCTL_ variable but those of REHEARSING.
    """
    stdout, stderr = StringIO(), StringIO()
    console = Console(
        stdin=StringIO(stdin),
        stdout=stdout,
        stderr=stderr,
        stdin_is_tty=tty,
        stdout_is_tty=tty,
        stderr_is_tty=tty,
        environ={**REHEARSING, "NO_COLOR": "1", **(env or {})},
        cwd=cwd or Path.cwd(),
        width=width,
        operator=operator,
    )
    # --help is printed by Typer, which knows sys.stdout only
    with redirect_stdout(stdout), redirect_stderr(stderr):
        exit_code = run([str(arg) for arg in args], console)
    return CliResult(exit_code, stdout.getvalue(), stderr.getvalue())
