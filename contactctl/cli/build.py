"""The command `build`."""

import os
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from copy import copy
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING

from contactctl import output
from contactctl.cli import options
from contactctl.cli.context import ReasonedInvocation, StoreInvocation
from contactctl.domain.errors import InterruptedByUserError, RefusedError
from contactctl.domain.text import show_safely
from contactctl.output.console import Console
from contactctl.output.view import Block, Presentation, Text, Verbatim

if TYPE_CHECKING:
    from contactctl.builder.work import BuilderResult, BuilderWork
    from contactctl.domain.criteria.tree import Criteria
    from contactctl.domain.runs import Run

_ENDING = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]


def build(invocation: ReasonedInvocation, criteria: options.CriteriaFile = None) -> Presentation:
    """Examples:
        contactctl build
        contactctl build --criteria stale.yaml
        contactctl build --criteria stale.yaml --reason 'spring cleaning'

    A full-screen application. It starts with the prebuilt criteria, counts again
    after every edit, and saves criteria as YAML. Nothing is deactivated until you
    type the count of contacts.
    """
    from contactctl.builder.work import BuilderWork

    console = invocation.console
    _require_terminal(console)
    loaded = invocation.loaded_settings
    held_back = StringIO()  # what would be written over the application
    quiet = copy(invocation)
    quiet.console = replace(console, stderr=held_back, stderr_is_tty=False)
    work = BuilderWork(
        open_session=lambda: quiet.open_session(loaded),
        finish_in_background=lambda run: _finish_in_background(invocation, run),
        folder=console.cwd,
        criteria=_criteria_to_begin_with(invocation, criteria),
        file=criteria,
        reason=invocation.reason,
        colours=console.colours_stderr,
        light=_is_light(console),
    )
    result = run_builder(work)
    for line in held_back.getvalue().splitlines():
        console.say(line)
    return _present(result)


def run_builder(work: "BuilderWork") -> "BuilderResult":
    """Run the application until it ends. However it ends, no unconfirmed plan stays."""
    from contactctl.builder.app import BuilderApp

    app = BuilderApp(work)
    with _ending_signals_to(app.end):
        try:
            app.run()
        finally:
            app.close()
    return app.outcome


def _require_terminal(console: Console) -> None:
    if not console.can_prompt or console.environ.get("TERM") == "dumb":
        raise RefusedError(
            "the builder needs a terminal, for input and for stderr",
            hint="scripts use `contactctl preview` and `contactctl deactivate --criteria FILE`",
            code="no-terminal",
        )


def _criteria_to_begin_with(invocation: StoreInvocation, file: Path | None) -> "Criteria | None":
    """Read before anything is drawn: a mistake in the file is told at once."""
    if file is None:
        return None
    from contactctl.config.criteria import read_criteria

    return read_criteria(invocation.console.cwd / file, str(file), invocation.catalogue)


def _finish_in_background(invocation: StoreInvocation, run: "Run") -> None:
    from contactctl.cli.confirmation import finish_in_background

    finish_in_background(invocation, run)


def _is_light(console: Console) -> bool:
    """Terminals that set it write `foreground;background`; 7 and 15 are white."""
    return console.environ.get("COLORFGBG", "").rpartition(";")[2] in ("7", "15")


@contextmanager
def _ending_signals_to(end: Callable[[str], None]) -> Iterator[None]:
    """Exit properly when the terminal closes: an exception would be lost in the event loop."""

    def handle(number: int, _frame: object) -> None:
        name = signal.Signals(number).name
        if name == "SIGHUP":
            _draw_nowhere()
        end(name)

    before = [(number, signal.signal(number, handle)) for number in _ENDING]
    try:
        yield
    finally:
        for number, handler in before:
            signal.signal(number, handler)


def _draw_nowhere() -> None:
    """The terminal is gone: Textual would wait forever to draw its last screen there."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 2):  # where it reads and draws; stdout may be a file
        os.dup2(nowhere, descriptor)
    os.close(nowhere)


def _present(result: "BuilderResult") -> Presentation:
    if result.failure is not None:
        raise result.failure
    if result.closed_by:
        raise InterruptedByUserError(
            f"ended by {result.closed_by}; "
            + (f"run {result.run.id} continues" if result.run else "nothing was deactivated")
        )
    edits = _unsaved_blocks(result.unsaved)
    if result.run is None:
        data = {"run": None, "unsaved": result.unsaved or None}
        shown = Presentation(data, blocks=edits, notes=["nothing was deactivated"])
    else:
        shown = _present_runs(result, result.run, edits)
    return shown if result.problem is None else shown.failed(result.problem)


def _present_runs(result: "BuilderResult", last: "Run", edits: "Sequence[Block]") -> Presentation:
    shown = output.runs.present_run(last)
    return replace(
        shown,
        data={**shown.data, "unsaved": result.unsaved or None},
        blocks=[*shown.blocks, *edits],
        notes=[f"run {run.id} has deactivated {run.changed:,} contacts" for run in result.earlier],
    )


def _unsaved_blocks(unsaved: str) -> "Sequence[Block]":
    """The edits that were not saved, unbroken, so that they can be copied."""
    if not unsaved:
        return ()
    safe = "\n".join(map(show_safely, unsaved.splitlines()))
    return [Text("Your criteria, which were not saved:"), Verbatim(safe)]
