"""The command `build`."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from contactctl.cli import options
from contactctl.cli.context import StoreInvocation
from contactctl.domain.errors import InterruptedByUserError, RefusedError
from contactctl.output.console import Console
from contactctl.output.presentation import Presentation

if TYPE_CHECKING:
    from contactctl.builder.plan_in_hand import BuilderResult, BuilderWork
    from contactctl.domain.criteria.tree import Criteria
    from contactctl.operations.session import Session

_ENDING = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]


def build(
    invocation: StoreInvocation,
    criteria: options.CriteriaFile = None,
    reason: options.Reason = None,
) -> Presentation:
    """Edit criteria with a live count, review the contacts, and deactivate them.

    Examples:
        contactctl build
        contactctl build --criteria stale.yaml
        contactctl build --criteria stale.yaml --reason 'spring cleaning'

    A full-screen application. It starts with the prebuilt criteria, counts again
    after every edit, and saves criteria as YAML. Nothing is deactivated until you
    type the count of contacts.
    """
    from contactctl.builder.plan_in_hand import BuilderWork
    from contactctl.cli.progress import finish_in_background

    _require_terminal(invocation.console)
    with invocation.open_session() as session:
        work = BuilderWork(
            session=session,
            finish_in_background=lambda run: finish_in_background(invocation, run),
            folder=invocation.console.cwd,
            criteria=_criteria_to_begin_with(session, criteria),
            file=criteria,
            reason=reason or "",
            colours=invocation.console.colours_stderr,
            light=_is_light(invocation.console),
        )
        return _present(run_builder(work))


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


def _criteria_to_begin_with(session: "Session", file: Path | None) -> "Criteria | None":
    from contactctl.operations.criteria import CriteriaSource

    return CriteriaSource(file=file).read(session.catalogue)


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
    from contactctl.output.runs import present_run

    if result.closed_by:
        raise InterruptedByUserError(
            f"ended by {result.closed_by}; "
            + (f"run {result.run.id} continues" if result.run else "nothing was deactivated")
        )
    if result.run is None:
        return Presentation({"run": None}, notes=["nothing was deactivated"])
    shown = present_run(result.run)
    return shown if result.problem is None else shown.failed(result.problem)
