"""Deactivating a selection that a script has confirmed."""

from collections.abc import Callable

from contactctl.domain.confirmation import Confirmation, require_confirmed
from contactctl.domain.errors import RefusedError
from contactctl.domain.policies import Approval
from contactctl.domain.runs import Run
from contactctl.operations import waits
from contactctl.operations.apply import (
    begin_run,
    require_applicable,
    work_through,
)
from contactctl.operations.plan import stakes_of_plan
from contactctl.operations.session import Session
from contactctl.store.locks import exclusive
from contactctl.store.planning import figures_of
from contactctl.store.runwork import CONTACT_CHANGES
from contactctl.store.totals import count_active


def run_confirmed(
    session: Session,
    plan: Callable[[], Run | None],
    *,
    leave_to_background: bool = False,
    wait_seconds: float = waits.FOR_CHANGES_S,
) -> Run | None:
    """Plan and work through under one lock, so that who must wait leaves no trace behind.

    `plan` writes a run that is confirmed, and so `running`; None when nothing matches. Killed at
    any moment, either nothing has happened or the run can be resumed.
    """
    require_same_operator_policy(session)
    with exclusive(session.store, CONTACT_CHANGES, wait_seconds=wait_seconds):
        run = plan()
        if run is None or leave_to_background:
            return run
        return work_through(session, run)


def require_same_operator_policy(session: Session) -> None:
    """RefusedError where the config asks for two people: then a plan must be kept and applied."""
    if session.settings.plans.approval is Approval.SECOND_OPERATOR:
        raise RefusedError(
            "the config asks for a second operator (plans.approval)",
            hint="keep the plan with --plan; somebody else applies it with `contactctl runs apply`",
            code="second-operator",
        )


def require_plan_confirmed(session: Session, run_id: int, said: Confirmation) -> Run:
    """The planned run; RefusedError unless it may be applied and `said` is its count."""
    run = require_applicable(session, run_id)
    with session.store.reading() as connection:
        figures = figures_of(connection, run, count_active(connection))
    require_confirmed(stakes_of_plan(session, figures), said)
    return run


def begin_confirmed(session: Session, run_id: int, said: Confirmation) -> Run:
    """Start the planned run that `said` confirms, for another process to work through."""
    require_plan_confirmed(session, run_id, said)
    return begin_run(session, run_id)
