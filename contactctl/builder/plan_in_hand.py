"""The one plan that waits for its confirmation; it does not outlive the builder."""

from collections.abc import Callable
from threading import Lock

from contactctl.domain.criteria import Criteria
from contactctl.domain.runs import Run
from contactctl.operations.apply import begin_run
from contactctl.operations.plan import ShownPlan, drop_if_planned, plan_deactivation, show_plan
from contactctl.operations.select import selection_of
from contactctl.operations.session import Session
from contactctl.store.cancelling import QueryCanceller


class PlanInHand:
    """Makes a plan, and sees to it that it is started, kept, or gone.

    Every method but `close` waits for the store, and so belongs into a worker thread.
    """

    def __init__(self, session: Session, finish_in_background: Callable[[Run], None]) -> None:
        self._session = session
        self._finish_in_background = finish_in_background
        self._canceller = QueryCanceller(session.store)
        self._at_work = Lock()
        self._run_id: int | None = None
        self._closed = False

    def make(self, criteria: Criteria, reason: str, *, prebuilt: bool) -> ShownPlan | None:
        """Freeze what the criteria select; None when they select nobody, or it is too late."""
        with self._at_work:
            if self._closed:
                return None
            selection = selection_of(self._session, criteria, prebuilt=prebuilt)
            run = plan_deactivation(self._session, selection, reason=reason)
            if run is None:
                return None
            self._run_id = run.id
            return show_plan(self._session, run.id)

    def drop(self) -> None:
        """Delete the plan, if one waits: nothing was changed."""
        with self._at_work:
            self._drop()

    def keep(self) -> None:
        """Leave the plan for `runs apply`."""
        with self._at_work:
            self._run_id = None

    def begin(self) -> Run:
        """Start the confirmed run in a process of its own, which outlives this one."""
        with self._at_work:
            if self._run_id is None:
                raise AssertionError("there is no plan to begin")
            run = begin_run(self._session, self._run_id)
            self._run_id = None
            self._finish_in_background(run)
            return run

    def close(self) -> None:
        """Drop the plan, also one that is just being written; none is made afterwards."""
        self._closed = True
        self._canceller.cancel()
        self.drop()

    def _drop(self) -> None:
        if self._run_id is not None:
            drop_if_planned(self._session, self._run_id, "not confirmed")
            self._run_id = None
