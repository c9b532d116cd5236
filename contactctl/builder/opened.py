"""All that the builder has once the store is open, with the one plan that waits.

To import this takes most of the start. A plan does not outlive the builder.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from threading import Lock

from contactctl.builder.draft import draft_as_text
from contactctl.builder.editor import EditorScreen
from contactctl.builder.files import CriteriaFiles
from contactctl.builder.live_count import Answer, LiveCount
from contactctl.builder.plan import (
    ConfirmationScreen,
    OutcomeScreen,
    PlanningScreen,
    ProgressScreen,
)
from contactctl.builder.work import BuilderWork, Standing
from contactctl.domain.contacts import ContactRecord
from contactctl.domain.criteria.fields import Field
from contactctl.domain.criteria.tree import Criteria, prebuilt_criteria
from contactctl.domain.errors import ContactctlError, OverLimitError, RefusedError
from contactctl.domain.policies import Approval
from contactctl.domain.runs import Confirmation, Run
from contactctl.operations.contacts import show_contact
from contactctl.operations.criteria import Preview, preview, selection_of, values_held
from contactctl.operations.groups import names_of_groups
from contactctl.operations.plans import ShownPlan, drop_if_planned, plan_deactivation, show_plan
from contactctl.operations.runs import Watched, begin_confirmed, watch_run
from contactctl.operations.session import Progress, Session


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


# All that the builder has once the store is open. To import this takes most of the start


_PREBUILT = replace(prebuilt_criteria(), name="")  # a name that edits would make wrong


class Opened:
    """The session, and what works on it: count, plan and screens. `close` it at the end.

    Counts and look-ups have connections of their own, so that each can be cancelled alone.
    `deliver` gets the counts.
    """

    def __init__(
        self, session: Session, work: BuilderWork, deliver: Callable[[Answer], None]
    ) -> None:
        self.session = session
        self.plan = PlanInHand(session, work.finish_in_background)
        self._work = work
        self._counting, self._looking = session.apart(), session.apart()
        self._stop_looking = self._looking.canceller().cancel
        self.count = LiveCount(self._ask, self._counting.canceller().cancel, deliver)
        self.editor = EditorScreen(
            work.criteria or _PREBUILT,
            session.catalogue,
            names_of_groups(session),
            CriteriaFiles(work.folder, work.file),
            self,
        )
        self._run_with: str | None = None  # the criteria that the last run was begun with

    def close(self) -> None:
        """Stop counting, and drop a plan that was not confirmed."""
        self.count.close()
        self._stop_looking()
        self._counting.store.close()
        self._looking.store.close()
        self.plan.close()

    def stop(self) -> None:
        """Nobody waits any more; what the store is busy with is cancelled."""
        self.plan.stop()
        self._stop_looking()

    # screens

    @property
    def standing(self) -> Standing:
        """What the header says."""
        editor = self.editor
        return Standing(self.session.store.identity, editor.criteria_name, editor.is_edited)

    def kept(self, run: Run) -> Watched:
        """A plan that stays, for somebody else to apply."""
        self.plan.keep(run.id)
        return Watched(run)

    def planning(self) -> PlanningScreen:
        return PlanningScreen()

    def confirmation(self, plan: ShownPlan) -> ConfirmationScreen:
        approval = self.session.settings.plans.approval
        return ConfirmationScreen(plan, needs_second_operator=approval is Approval.SECOND_OPERATOR)

    def progress(self, run: Run) -> ProgressScreen:
        return ProgressScreen(run)

    def outcome(self, watched: Watched) -> OutcomeScreen:
        return OutcomeScreen(watched.run, watched.problem)

    @property
    def unsaved(self) -> str:
        """The criteria, to be copied, where edits were neither saved nor used in a run."""
        text = draft_as_text(self.editor.draft)
        return text if self.editor.is_edited and text != self._run_with else ""

    def remember_run(self) -> None:
        """A run has begun with the criteria as they are."""
        self._run_with = draft_as_text(self.editor.draft)

    # what waits for the store, for threads

    def make_plan(self, criteria: Criteria, wanted: Callable[[], bool]) -> ShownPlan | None:
        """The plan for these criteria, as PlanInHand makes it."""
        is_prebuilt = criteria == _PREBUILT
        return self.plan.make(criteria, self._work.reason, prebuilt=is_prebuilt, wanted=wanted)

    def watch(self, run: Run, progress: Progress) -> Watched:
        """Follow the run to its end."""
        return watch_run(replace(self.session, progress=progress), run.id)

    def contact(self, contact_id: int) -> ContactRecord:
        """Everything about one contact."""
        return show_contact(self._looking, str(contact_id))

    def values(self, tested: Field, searched: str) -> list[tuple[str, int]]:
        """What contacts hold in this field, with counts."""
        return values_held(self._looking, tested, searched)

    def _ask(self, criteria: Criteria) -> Preview:
        return preview(self._counting, selection_of(self._counting, criteria))
