"""The commands below `runs`, and the one that prints what changed."""

from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from contactctl.cli import candidates, options
from contactctl.cli.context import (
    BackgroundInvocation,
    StoreInvocation,
    WaitingInvocation,
    until_taken,
)
from contactctl.cli.options import argument, option
from contactctl.domain.errors import RefusedError, UsageError
from contactctl.output.view import Presentation

if TYPE_CHECKING:
    from contactctl.domain.runs import Confirmation, Run
    from contactctl.operations.session import Session


RunNumber = Annotated[
    int,
    argument(
        "RUN",
        "The run's number.",
        min=1,
        max=options.MOST_NUMBER,
        autocompletion=candidates.run_numbers,
    ),
]
Limit = Annotated[int, options.limit("Show at most N runs.", most=10_000)]
Kinds = Annotated[
    list[str] | None,
    option(
        "--kind", "KIND", "Only runs of this kind. Repeatable.", autocompletion=candidates.run_kinds
    ),
]
States = Annotated[
    list[str] | None,
    option(
        "--state",
        "STATE",
        "Only runs in this state. Repeatable.",
        autocompletion=candidates.run_states,
    ),
]

Since = Annotated[
    str | None, option("--since", "TIME", "Only runs planned, begun or ended since this time.")
]


def list_(
    invocation: StoreInvocation,
    limit: Limit = 20,
    kind: Kinds = None,
    state: States = None,
    since: Since = None,
) -> Presentation:
    """Examples:
        contactctl runs list
        contactctl runs list --state planned --state running
        contactctl runs list --kind deactivate --limit 100 --json
        contactctl runs list --since 2026-05-01

    Every change to contacts is a run, kept forever: who asked, why, on which
    database, and what it did.
    """
    from contactctl.cli.options import chosen
    from contactctl.domain.runs import RunKind, RunState
    from contactctl.operations.runs import latest_runs
    from contactctl.output.runs import RUN_FIELDS, present_runs

    invocation.check_fields(*RUN_FIELDS)
    kinds = [chosen(RunKind, name, "--kind") for name in kind or ()]
    states = [chosen(RunState, name, "--state") for name in state or ()]
    with invocation.open_session() as session:
        start = options.instant(since, session.time_zone, "--since") if since else None
        runs = latest_runs(session, limit=limit, kinds=kinds, states=states, since=start)
        return present_runs(runs)


def show(invocation: StoreInvocation, run: RunNumber) -> Presentation:
    """Examples:
    contactctl runs show 12
    contactctl runs show 12 --json
    """
    from contactctl.domain.runs import RunState
    from contactctl.operations.plans import show_plan
    from contactctl.operations.runs import find_run
    from contactctl.output.runs import present_kept_plan, present_looked_up_run

    with invocation.open_session() as session:
        found = find_run(session, run)
        if found.run.state is RunState.PLANNED:
            return present_kept_plan(show_plan(session, run))
        return present_looked_up_run(found)


def apply(
    invocation: WaitingInvocation,
    run: RunNumber,
    confirm: options.ConfirmCount = None,
    limit_override: options.LimitOverride = None,
    background: options.Background = False,
    dry_run: options.DryRun = False,
) -> Presentation:
    """Examples:
        contactctl runs apply 12
        contactctl runs apply 12 --dry-run
        contactctl runs apply 12 --confirm 1284
        contactctl runs apply 12 --background

    Exactly the planned contacts are changed; those that have changed since then, or
    are already inactive, are skipped and counted. A wrong count changes nothing: the
    plan still waits until it expires or `contactctl runs cancel` deletes it.
    """
    from contactctl.cli.confirmation import carry_out
    from contactctl.cli.options import Manner, checked, read_confirmation
    from contactctl.operations.plans import show_plan
    from contactctl.operations.runs import require_applicable
    from contactctl.output.runs import present_plan

    said = read_confirmation(confirm, limit_override)
    manner = checked(Manner(said, background, invocation.wait, dry_run))
    with invocation.open_session() as session:
        if dry_run:
            require_applicable(session, run, dry_run=True)
            shown = present_plan(show_plan(session, run))
            return replace(shown, notes=[*shown.notes, "nothing was changed"])
        _confirm_kept_plan(invocation, session, run, manner.said)
        return carry_out(invocation, session, run, manner)


def resume(
    invocation: WaitingInvocation,
    run: RunNumber,
    yes: options.Yes = False,
    confirm: options.ConfirmCount = None,
    limit_override: options.LimitOverride = None,
) -> Presentation:
    """Examples:
        contactctl runs resume 12
        contactctl runs resume 12 --yes

    The run continues after the last contact it processed: nothing is lost, nothing
    is done twice. It was confirmed when it started; a person is asked once more, a
    script gives --yes. `contactctl sweep runs` resumes runs as well.

    An erasure begun by a database role that may not erase is confirmed like a new
    one instead, by the number of contacts still to come: --confirm.
    """
    from contactctl.cli.options import read_confirmation
    from contactctl.domain.runs import RunState
    from contactctl.operations.runs import read_run, resume_run
    from contactctl.output.runs import present_run

    said = read_confirmation(confirm, limit_override)
    if said is not None and yes:
        raise UsageError("--yes and --confirm cannot be combined")
    with invocation.open_session() as session:
        found = read_run(session, run)
        if found.state is RunState.RUNNING and said is None and not yes:
            said = _ask_to_resume(invocation, session, found)
        resumed = resume_run(session, run, said=said, wait_seconds=invocation.wait)
        return present_run(resumed)


def watch(invocation: StoreInvocation, run: RunNumber) -> Presentation:
    """Examples:
        contactctl runs watch 12
        contactctl runs watch 12 --json

    Ends when the run ends, or when no process works on it any more.
    """
    from contactctl.operations.runs import watch_run
    from contactctl.output.runs import present_run

    with invocation.open_session() as session:
        watched = watch_run(session, run)
    shown = present_run(watched.run)
    return shown.failed(watched.problem) if watched.problem else shown


def cancel(invocation: StoreInvocation, run: RunNumber) -> Presentation:
    """Examples:
        contactctl runs cancel 12

    A planned run has changed nothing. What a running one has done so far stays.
    """
    from contactctl.operations.runs import cancel_run
    from contactctl.output.runs import present_run

    with invocation.open_session() as session:
        return present_run(cancel_run(session, run))


def undo(invocation: BackgroundInvocation, run: RunNumber) -> Presentation:
    """Examples:
        contactctl runs undo 12 --dry-run
        contactctl runs undo 12 --reason 'wrong group'
        contactctl runs undo 12 --confirm 1284

    Reactivates the contacts that the run deactivated and that have not changed
    since, after a preview and a confirmation. Off unless the store's policy, or
    the config where it has none, says allow_undo: true.
    """
    from contactctl.cli.confirmation import Change, change_selection
    from contactctl.operations.reactivation import plan_undo_of, preview_undo, require_undoable
    from contactctl.output.runs import present_undo

    manner = invocation.manner()
    with invocation.open_session() as session:
        undone = require_undoable(session, run)

        def preview() -> Presentation:
            return present_undo(preview_undo(session, undone))

        change = Change(
            lambda said: plan_undo_of(session, undone, reason=invocation.reason, said=said),
            preview,
            lambda: preview().failed(_nothing_to_undo(undone)),
        )
        return change_selection(invocation, session, manner, change)


def _confirm_kept_plan(
    invocation: StoreInvocation, session: "Session", run_id: int, said: "Confirmation | None"
) -> None:
    from contactctl.cli.confirmation import ask_for_plan, require_someone_to_ask
    from contactctl.operations.runs import require_applicable, require_plan_confirmed

    if said is not None:
        require_plan_confirmed(session, run_id, said)
        return
    require_applicable(session, run_id)
    require_someone_to_ask(invocation.console)
    ask_for_plan(invocation, session, run_id)


def _ask_to_resume(
    invocation: StoreInvocation, session: "Session", run: "Run"
) -> "Confirmation | None":
    """What a person confirms: that it goes on, or, where nobody with the right began it, all."""
    from contactctl.cli.confirmation import ask_for_count, ask_for_remaining
    from contactctl.domain.runs import Confirmation
    from contactctl.operations.runs import begun_by_right, require_resumable, stakes_of_remaining
    from contactctl.output.runs import present_run

    if begun_by_right(session, run):
        invocation.show_before_prompt(present_run(run))
        ask_for_remaining(invocation.console, run.remaining)
        return None
    if not invocation.console.can_prompt:
        require_resumable(session, run, None)
    stakes = stakes_of_remaining(session, run)
    invocation.show_before_prompt(present_run(run))
    ask_for_count(invocation.console, stakes)
    return Confirmation(stakes.count, stakes.count)


def _nothing_to_undo(undone: "Run") -> RefusedError:
    return RefusedError(
        f"run {undone.id} has nothing left to undo",
        hint="contacts that have changed since stay as they are",
        code="nothing-to-undo",
    )


# What changed: since when, and by which run


ChangesSince = Annotated[
    str | None, option("--since", "TIME", "Changes since this date or instant.")
]
Cursor = Annotated[
    Path | None,
    option(
        "--cursor",
        "FILE",
        "Changes since the last call with this file, which keeps how far it has come.",
    ),
]


def changes(
    invocation: StoreInvocation, since: ChangesSince = None, cursor: Cursor = None
) -> Presentation:
    """Examples:
        contactctl contacts changes --since 2026-05-01
        contactctl contacts changes --cursor crm.cursor --format jsonl

    For another system that follows. With a new cursor file it begins with everybody who is
    here. The file moves on once the output is written in full: after a failure the same
    changes come again, with the same numbers, so what has a number already seen for the
    contact and group can be passed over.
    """
    from contactctl.operations.changes import CursorFile, Position, follow
    from contactctl.output.runs import CHANGE_FIELDS, present_changes

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


def contacts(invocation: StoreInvocation, run: RunNumber) -> Presentation:
    """Examples:
        contactctl runs contacts 12
        contactctl runs contacts 12 --format csv > changed.csv

    What a run does to data and tags of contacts that an import updates is not kept for
    each of them; `contactctl runs show` has the numbers.
    """
    from contactctl.operations.changes import contacts_of_run
    from contactctl.output.runs import OUTCOME_FIELDS, present_outcomes

    invocation.check_fields(*OUTCOME_FIELDS)
    with ExitStack() as stack:
        session = stack.enter_context(invocation.open_session())
        outcomes = stack.enter_context(contacts_of_run(session, run))
        return present_outcomes(run, until_taken(outcomes, stack.pop_all()))
