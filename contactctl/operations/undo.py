"""Taking a whole run back: what is left to take back of it, shown before and frozen as a plan."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from contactctl.domain.errors import RefusedError
from contactctl.domain.run_kinds import UndoRun
from contactctl.domain.runs import Confirmation, Run, RunKind, RunState, Stakes
from contactctl.operations.criteria import PREVIEW_ROWS, Impact, impact_of
from contactctl.operations.plans import stakes_of_change, write_confirmed_plan
from contactctl.operations.rules import bypassing_groups
from contactctl.operations.runs import read_run
from contactctl.operations.session import Session
from contactctl.store.impact import count_active
from contactctl.store.selections import count_ids, first_rows
from contactctl.store.undo import plan_undo, regains_of_undo, undoable_ids


@dataclass(frozen=True, slots=True)
class UndoPreview:
    """What taking `undone` back would do now; `count` of the contacts that it changed are left."""

    database: str
    undone: Run
    count: int
    rows: Sequence[Mapping[str, Any]]
    stakes: Stakes
    impact: Impact


def _what_allows_it(session: Session) -> str:
    bound = session.bound
    if bound is None or bound.policy is None or "allow_undo" in bound.stricter:
        return "`allow_undo: true` in the config allows it"
    return (
        "`allow_undo: true` in the store's policy allows it: `contactctl policy export`, then"
        " `contactctl policy apply FILE`"
    )


def require_undoable(session: Session, run_id: int) -> Run:
    """The run to take back; RefusedError where the config or the run does not allow it."""
    if not session.settings.allow_undo:
        raise RefusedError(
            "undoing a whole run is off",
            hint=f"{_what_allows_it(session)};"
            " `contactctl reactivate EMAIL` reactivates one contact",
            code="undo-off",
        )
    run = read_run(session, run_id)
    if not run.run_type.deactivates:
        raise RefusedError(f"run {run_id} ({run.kind}) has deactivated no contact")
    if run.state is RunState.RUNNING:
        raise RefusedError(
            f"run {run_id} is not finished",
            hint=f"`contactctl runs resume {run_id}` or `contactctl runs cancel {run_id}` first",
        )
    return run


def preview_undo(session: Session, undone: Run) -> UndoPreview:
    """Count and show whom `undone` deactivated and nothing has touched since; writes nothing."""
    bypassing = bypassing_groups(session)
    ids = undoable_ids(undone.id)
    with session.store.reading() as connection:
        count, active = count_ids(connection, ids), count_active(connection)
        regains = regains_of_undo(connection, undone.id, ids, bypassing)
        return UndoPreview(
            database=session.store.identity,
            undone=undone,
            count=count,
            rows=first_rows(connection, ids, PREVIEW_ROWS),
            stakes=stakes_of_change(session, RunKind.UNDO, count, active, returning=count),
            impact=impact_of(session, active, regains),
        )


def plan_undo_of(
    session: Session, undone: Run, *, reason: str = "", said: Confirmation | None = None
) -> Run | None:
    """Freeze what `undone` deactivated and nothing has touched since; None where nothing is left.

    With `said` (a script's confirmation) the run is `running` at once, as with a deactivation.
    """
    return write_confirmed_plan(
        session,
        session.request(UndoRun(undone.id), reason=reason),
        lambda connection, run_id: plan_undo(connection, run_id, undone.id),
        said,
    )
