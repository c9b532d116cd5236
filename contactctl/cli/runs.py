"""The commands below `runs`, and the one that prints what changed."""

from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from contactctl import operations, output
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

    invocation.check_fields(*output.runs.RUN_FIELDS)
    kinds = [chosen(RunKind, name, "--kind") for name in kind or ()]
    states = [chosen(RunState, name, "--state") for name in state or ()]
    with invocation.open_session() as session:
        start = options.instant(since, session.time_zone, "--since") if since else None
        runs = operations.runs.latest_runs(
            session, limit=limit + 1, kinds=kinds, states=states, since=start
        )
        return output.runs.present_runs(runs, limit)


def show(invocation: StoreInvocation, run: RunNumber) -> Presentation:
    """Examples:
    contactctl runs show 12
    contactctl runs show 12 --json
    """
    from contactctl.domain.runs import RunState

    with invocation.open_session() as session:
        found = operations.runs.find_run(session, run)
        if found.run.state is RunState.PLANNED:
            return output.runs.present_kept_plan(operations.plans.show_plan(session, run))
        return output.runs.present_looked_up_run(found)


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

    said = read_confirmation(confirm, limit_override)
    manner = checked(Manner(said, background, invocation.wait, dry_run))
    with invocation.open_session() as session:
        if dry_run:
            operations.runs.require_applicable(session, run, dry_run=True)
            shown = output.runs.present_plan(operations.plans.show_plan(session, run))
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

    said = read_confirmation(confirm, limit_override)
    if said is not None and yes:
        raise UsageError("--yes and --confirm cannot be combined")
    with invocation.open_session() as session:
        found = operations.runs.read_run(session, run)
        if found.state is RunState.RUNNING and said is None and not yes:
            said = _ask_to_resume(invocation, session, found)
        resumed = operations.runs.resume_run(session, run, said=said, wait_seconds=invocation.wait)
        return output.runs.present_run(resumed)


def watch(invocation: StoreInvocation, run: RunNumber) -> Presentation:
    """Examples:
        contactctl runs watch 12
        contactctl runs watch 12 --json

    Ends when the run ends, or when no process works on it any more.
    """
    with invocation.open_session() as session:
        watched = operations.runs.watch_run(session, run)
    shown = output.runs.present_run(watched.run)
    return shown.failed(watched.problem) if watched.problem else shown


def cancel(invocation: StoreInvocation, run: RunNumber) -> Presentation:
    """Examples:
        contactctl runs cancel 12

    A planned run has changed nothing. What a running one has done so far stays.
    """
    with invocation.open_session() as session:
        return output.runs.present_run(operations.runs.cancel_run(session, run))


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

    manner = invocation.manner()
    with invocation.open_session() as session:
        undone = operations.reactivation.require_undoable(session, run)

        def preview() -> Presentation:
            return output.runs.present_undo(operations.reactivation.preview_undo(session, undone))

        change = Change(
            lambda said: operations.reactivation.plan_undo_of(
                session, undone, reason=invocation.reason, said=said
            ),
            preview,
            lambda: preview().failed(_nothing_to_undo(undone)),
        )
        return change_selection(invocation, session, manner, change)


def _confirm_kept_plan(
    invocation: StoreInvocation, session: "Session", run_id: int, said: "Confirmation | None"
) -> None:
    from contactctl.cli.confirmation import ask_for_plan, require_someone_to_ask

    if said is not None:
        operations.runs.require_plan_confirmed(session, run_id, said)
        return
    operations.runs.require_applicable(session, run_id)
    require_someone_to_ask(invocation.console)
    ask_for_plan(invocation, session, run_id)


def _ask_to_resume(
    invocation: StoreInvocation, session: "Session", run: "Run"
) -> "Confirmation | None":
    """What a person confirms: that it goes on, or, where nobody with the right began it, all."""
    from contactctl.cli.confirmation import ask_for_count, ask_for_remaining
    from contactctl.domain.runs import Confirmation

    if operations.runs.begun_by_right(session, run):
        invocation.show_before_prompt(output.runs.present_run(run))
        ask_for_remaining(invocation.console, run.remaining)
        return None
    if not invocation.console.can_prompt:
        operations.runs.require_resumable(session, run, None)
    stakes = operations.runs.stakes_of_remaining(session, run)
    invocation.show_before_prompt(output.runs.present_run(run))
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
    invocation.check_fields(*output.runs.CHANGE_FIELDS)
    if (since is None) == (cursor is None):
        raise UsageError("give either --since TIME or --cursor FILE")
    with ExitStack() as stack:
        file = None
        if cursor is not None:
            file = stack.enter_context(
                operations.changes.CursorFile(invocation.console.cwd / cursor)
            )
        session = stack.enter_context(invocation.open_session())
        start = options.instant(since, session.time_zone, "--since") if since else None
        after = file.read() if file else operations.changes.Position()
        followed = stack.enter_context(operations.changes.follow(session, after, since=start))
        held = stack.pop_all()

    def delivered() -> None:
        with held:
            if file is not None:
                file.write(followed.position)

    return output.runs.present_changes(followed.rows, delivered)


def contacts(invocation: StoreInvocation, run: RunNumber) -> Presentation:
    """Examples:
        contactctl runs contacts 12
        contactctl runs contacts 12 --format csv > changed.csv

    What a run does to data and tags of contacts that an import updates is not kept for
    each of them; `contactctl runs show` has the numbers.
    """
    invocation.check_fields(*output.runs.OUTCOME_FIELDS)
    with ExitStack() as stack:
        session = stack.enter_context(invocation.open_session())
        outcomes = stack.enter_context(operations.changes.contacts_of_run(session, run))
        return output.runs.present_outcomes(run, until_taken(outcomes, stack.pop_all()))
