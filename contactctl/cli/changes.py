"""The commands that say what changed: since when, and by which run."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from contactctl.cli import options
from contactctl.cli.context import StoreInvocation
from contactctl.cli.runs import RunNumber
from contactctl.domain.errors import UsageError
from contactctl.output.presentation import Presentation

T = TypeVar("T")

Since = Annotated[
    str | None,
    typer.Option("--since", metavar="TIME", help="Changes since this date or instant."),
]
Cursor = Annotated[
    Path | None,
    typer.Option(
        "--cursor",
        metavar="FILE",
        help="Changes since the last call with this file, which keeps how far it has come.",
    ),
]


def changes(
    invocation: StoreInvocation, since: Since = None, cursor: Cursor = None
) -> Presentation:
    """Print what changed in who may be mailed, each change once and in order.

    Examples:
        contactctl contacts changes --since 2026-05-01
        contactctl contacts changes --cursor crm.cursor --format jsonl

    For another system that follows. With a new cursor file it begins with everybody who is
    here. The file moves on once the output is written in full: after a failure the same
    changes come again, with the same numbers, so what has a number already seen for the
    contact and group can be passed over.
    """
    from contactctl.operations.changes import CursorFile, Position, follow
    from contactctl.output.changes import CHANGE_FIELDS, present_changes

    invocation.check_fields(*CHANGE_FIELDS)
    if (since is None) == (cursor is None):
        raise UsageError("give either --since TIME or --cursor FILE")
    with ExitStack() as stack:
        file = None
        if cursor is not None:
            file = stack.enter_context(CursorFile(invocation.console.cwd / cursor))
        session = stack.enter_context(invocation.open_session())
        start = options.instant(since, session.time_zone, "--since") if since else None
        after = file.read() if file else Position()
        followed = stack.enter_context(follow(session, after, since=start))
        held = stack.pop_all()

    def delivered() -> None:
        with held:
            if file is not None:
                file.write(followed.position)

    return present_changes(followed.rows, delivered)


def of_run(invocation: StoreInvocation, run: RunNumber) -> Presentation:
    """List the contacts that a run changed, and how.

    Examples:
        contactctl runs contacts 12
        contactctl runs contacts 12 --format csv > changed.csv

    What a run does to data and tags of contacts that an import updates is not kept for
    each of them; `contactctl runs show` has the numbers.
    """
    from contactctl.operations.changes import contacts_of_run
    from contactctl.output.changes import OUTCOME_FIELDS, present_outcomes

    invocation.check_fields(*OUTCOME_FIELDS)
    with ExitStack() as stack:
        session = stack.enter_context(invocation.open_session())
        outcomes = stack.enter_context(contacts_of_run(session, run))
        return present_outcomes(run, _until_taken(outcomes, stack.pop_all()))


def _until_taken(rows: Iterator[T], resources: ExitStack) -> Iterator[T]:
    with resources:
        yield from rows
