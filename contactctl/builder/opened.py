"""All that the builder has once the store is open. To import this takes most of the start."""

from collections.abc import Callable
from dataclasses import replace

from contactctl.builder.draft import draft_as_text
from contactctl.builder.files import CriteriaFiles
from contactctl.builder.live_count import Answer, LiveCount
from contactctl.builder.plan_in_hand import PlanInHand
from contactctl.builder.screens.editor import EditorScreen
from contactctl.builder.screens.plan import (
    ConfirmationScreen,
    OutcomeScreen,
    PlanningScreen,
    ProgressScreen,
)
from contactctl.builder.work import BuilderWork, Standing
from contactctl.domain.contacts import ContactRecord
from contactctl.domain.criteria.fields import Field
from contactctl.domain.criteria.prebuilt import prebuilt_criteria
from contactctl.domain.criteria.tree import Criteria
from contactctl.domain.policies import Approval
from contactctl.domain.runs import Run
from contactctl.operations.contacts import show_contact
from contactctl.operations.criteria import Preview, preview, selection_of, values_held
from contactctl.operations.groups import names_of_groups
from contactctl.operations.plans import ShownPlan
from contactctl.operations.runs import Watched, watch_run
from contactctl.operations.session import Progress, Session

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
