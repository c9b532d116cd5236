"""The command line in processes of its own, which can be killed, or kill themselves, at a moment.

The children are forked from a server that has everything imported, so that each starts at once.
"""

import itertools
import multiprocessing
import os
import signal
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from io import StringIO
from multiprocessing import forkserver
from multiprocessing.context import ForkServerContext
from multiprocessing.process import BaseProcess
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any, Literal

import pytest
from sqlalchemy import Engine, event
from sqlalchemy.engine.default import DefaultDialect

from contactctl.cli.main import run
from contactctl.operations import run_work
from contactctl.output.console import Console
from helpers.cli import REHEARSING

Moment = Literal["before a statement", "before a commit", "after a commit"]
MOMENTS: tuple[Moment, ...] = ("before a statement", "before a commit", "after a commit")
KILLED = -signal.SIGKILL


@dataclass(frozen=True)
class Death:
    """Kill -9 at the `number`-th time that the moment comes, counted from 1."""

    moment: Moment
    number: int


def start_cli(
    args: Sequence[object],
    *,
    batch_contacts: int = 20_000,
    death: Death | None = None,
    together: Barrier | None = None,
    output: Path | None = None,
) -> BaseProcess:
    """Start `contactctl ARGS` without a terminal; stdout and stderr go to `output`.

    With `together` it begins when as many processes as the barrier counts are ready.
    """
    process = warmed().Process(
        target=_run, args=([str(arg) for arg in args], batch_contacts, death, together, output)
    )
    process.start()
    return process


def barrier(parties: int) -> Barrier:
    """For `together`."""
    return warmed().Barrier(parties)


@cache
def warmed() -> ForkServerContext:
    """What forks from a server that has everything imported.

    It imports before it is told of sys.path: until Python 3.13 that comes too late.
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["helpers.warmed", "helpers.processes", "helpers.warm_server"])
    tests = Path(__file__).resolve().parents[1]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", f"{tests.parent}{os.pathsep}{tests}")
        forkserver.ensure_running()
    return context


def exit_code_of(process: BaseProcess, seconds: float = 120) -> int:
    """Wait for the process to end; the test fails when it does not."""
    process.join(seconds)
    assert process.exitcode is not None
    return process.exitcode


def _run(
    args: list[str],
    batch_contacts: int,
    death: Death | None,
    together: Barrier | None,
    output: Path | None,
) -> None:
    run_work.BATCH_CONTACTS = batch_contacts
    if death is not None:
        _arrange(death)
    with (output or Path(os.devnull)).open("w") as stream:
        console = Console(
            stdin=StringIO(),
            stdout=stream,
            stderr=stream,
            environ=REHEARSING,
            operator=f"process{os.getpid()}@host",
        )
        if together is not None:
            together.wait()
        exit_code = run(args, console)
    sys.exit(exit_code)


def _arrange(death: Death) -> None:
    numbers = itertools.count(1)

    def reached(moment: Moment) -> None:
        if moment == death.moment and next(numbers) == death.number:
            os.kill(os.getpid(), signal.SIGKILL)

    def before_statement(*_: Any) -> None:
        reached("before a statement")

    do_commit = DefaultDialect.do_commit

    def commit(dialect: DefaultDialect, connection: Any) -> None:
        reached("before a commit")
        do_commit(dialect, connection)
        reached("after a commit")

    event.listen(Engine, "before_cursor_execute", before_statement)
    DefaultDialect.do_commit = commit  # type: ignore[method-assign]
