"""The one plan that waits for its confirmation; it does not outlive the builder."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock

from contactctl.domain.criteria.tree import Criteria
from contactctl.domain.errors import ContactctlError, OverLimitError, RefusedError
from contactctl.domain.runs import Confirmation, Run
from contactctl.operations.criteria import selection_of
from contactctl.operations.plans import ShownPlan, drop_if_planned, plan_deactivation, show_plan
from contactctl.operations.runs import Watched, begin_confirmed
from contactctl.operations.session import Session


class PlanInHand:
    """Makes a plan, and makes sure that it is started, kept, or deleted.

    There is never more than one: to begin, keep or drop a plan, the caller names its run, and any
    other run is ignored. `make`, `drop` and `begin` wait for the store, and so belong in worker
    threads. `begun` is the run that was begun, once there is one.
    """

    def __init__(self, session: Session, finish_in_background: Callable[[Run], None]) -> None:
        self.begun: Watched | None = None
        self._session = session
        self._finish_in_background = finish_in_background
        self._canceller = session.canceller()
        self._at_work = Lock()
        self._making = False
        self._run_id: int | None = None
        self._stopped = False

    def make(
        self, criteria: Criteria, reason: str, *, prebuilt: bool, wanted: Callable[[], bool]
    ) -> ShownPlan | None:
        """Freeze what the criteria select, in place of any other plan.

        None when no contact matches, or when the plan is not `wanted` any more at its turn.
        """
        with self._at_work:
            self._drop()
            if not wanted():
                return None
            self._making = True
            try:
                return self._make(criteria, reason, prebuilt=prebuilt)
            finally:
                self._making = False

    def drop(self, run_id: int) -> None:
        """Delete the plan, if it still waits: nothing was changed."""
        with self._at_work:
            if self._run_id == run_id:
                self._drop()

    def keep(self, run_id: int) -> None:
        """Leave the plan for `runs apply`."""
        with self._at_work:
            self._require_in_hand(run_id)
            self._run_id = None

    def begin(self, run_id: int, said: Confirmation) -> Watched:
        """Start the run in its own process, which outlives this one; a second call is an error.

        RefusedError unless `said` confirms the plan in hand.
        """
        with self._at_work:
            if self.begun is None or self.begun.run.id != run_id:
                self._require_in_hand(run_id)
                with self._dropped_unless_done(), _hinting_at_keys():
                    run = begin_confirmed(self._session, run_id, said)
                self._run_id = None
                self.begun = Watched(run, self._start_process(run))
            return self.begun

    def stop(self) -> None:
        """Make no more plans; one that is being written is cancelled."""
        self._stopped = True
        if self._making:
            self._canceller.cancel()

    def close(self) -> None:
        """Drop the plan, also one that is being written; none is made afterwards."""
        self.stop()
        with self._at_work:
            self._drop()

    def _make(self, criteria: Criteria, reason: str, *, prebuilt: bool) -> ShownPlan | None:
        if self._stopped:
            return None
        selection = selection_of(self._session, criteria, prebuilt=prebuilt)
        run = plan_deactivation(self._session, selection, reason=reason)
        if run is None:
            return None
        self._run_id = run.id
        with self._dropped_unless_done():
            return show_plan(self._session, run.id)

    def _drop(self) -> None:
        if self._run_id is not None:
            drop_if_planned(self._session, self._run_id, "not confirmed")
            self._run_id = None

    @contextmanager
    def _dropped_unless_done(self) -> Iterator[None]:
        try:
            yield
        except BaseException:
            self._drop()
            raise

    def _require_in_hand(self, run_id: int) -> None:
        if self._run_id != run_id:
            raise RefusedError(
                f"the plan of run {run_id} is no longer waiting; nothing was changed",
                hint="make a new plan",
                code="not-in-hand",
            )

    def _start_process(self, run: Run) -> ContactctlError | None:
        try:
            self._finish_in_background(run)
        except OSError as error:
            return ContactctlError(
                f"run {run.id} has begun, but no process could be started for it: {error}",
                hint=f"`contactctl runs resume {run.id}` continues it",
                code="interrupted-run",
            )
        return None


@contextmanager
def _hinting_at_keys() -> Iterator[None]:
    """A limit that is exceeded only now can be confirmed here too, but not by a script's flags."""
    try:
        yield
    except OverLimitError as problem:
        hint = "make the plan again with D: it asks for the whole phrase then"
        raise OverLimitError(problem.message, hint=hint) from problem
