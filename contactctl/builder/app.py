"""The application: which screen follows which, and what it leaves behind."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

from textual import on, work
from textual.app import App
from textual.binding import Binding, BindingType
from textual.screen import Screen

from contactctl.builder.files import CriteriaFiles
from contactctl.builder.live_count import Answer, LiveCount
from contactctl.builder.messages import (
    Advanced,
    Answered,
    Begun,
    Failed,
    Finished,
    GroupsRead,
    PlanMade,
)
from contactctl.builder.plan_in_hand import BuilderResult, BuilderWork, PlanInHand
from contactctl.builder.screens.dialogs import ReminderScreen
from contactctl.builder.screens.editor import EditorScreen
from contactctl.builder.screens.plan import (
    ConfirmationScreen,
    OutcomeScreen,
    PlanningScreen,
    ProgressScreen,
)
from contactctl.domain.criteria.prebuilt import prebuilt_criteria
from contactctl.domain.criteria.tree import Criteria
from contactctl.domain.errors import ContactctlError
from contactctl.domain.policies import Approval
from contactctl.domain.runs import Run
from contactctl.domain.text import show_safely
from contactctl.operations.criteria import Preview, preview, selection_of
from contactctl.operations.groups import names_of_groups
from contactctl.operations.runs import Watched, watch_run
from contactctl.operations.session import Advance

_DARK, _LIGHT = "textual-dark", "textual-light"
_PREBUILT = replace(prebuilt_criteria(), name="")  # a name that edits would make wrong


class _NobodyWatchesError(Exception):
    """The builder was left while a run was watched."""


class BuilderApp(App[None]):
    """Call `close` at the end; `outcome` then holds the result."""

    CSS_PATH = Path(__file__).with_name("builder.tcss")
    TITLE = "contactctl build"
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+q", "leave", "Leave", show=False, priority=True),
        Binding("ctrl+t", "turn_light", "Light or dark", show=False),
    ]

    def __init__(self, work: BuilderWork) -> None:
        _tell_textual_about_colour(work.colours)
        super().__init__(ansi_color=None if work.colours else True)
        self.theme = _LIGHT if work.light else _DARK
        self.outcome = BuilderResult()
        self._work = work
        self._session = work.session
        self._plan = PlanInHand(work.session, work.finish_in_background)
        self._counting = work.session.apart()
        self._count = LiveCount(
            self._ask,
            self._counting.canceller().cancel,
            self._deliver,
        )
        self._editor: EditorScreen | None = None
        self._left = False

    def close(self) -> None:
        """Drop a plan that was not confirmed, and stop counting."""
        self._left = True
        self._count.close()
        self._counting.store.close()
        self._plan.close()
        begun = self._plan.begun
        if begun is not None and self.outcome.run is None:  # left before it was told
            self._remember(begun)

    def end(self, signal_name: str) -> None:
        """Exit because of a signal; its handler may call this at any moment."""
        self._left = True
        self.outcome = replace(self.outcome, closed_by=signal_name)
        with suppress(RuntimeError):  # it has ended already
            if self._loop is not None:
                self._loop.call_soon_threadsafe(self.action_leave)

    def on_mount(self) -> None:
        self._count.start()
        self.push_screen(ReminderScreen(self._session.store.identity))
        if self._left:  # a signal came before there was an event loop to tell
            self.exit()

    def action_start_finding(self) -> None:
        self._read_groups()

    def action_leave(self) -> None:
        """Leave the builder: what has not been confirmed does not happen."""
        self._left = True
        self._plan.stop()
        self.exit()

    def action_turn_light(self) -> None:
        self.theme = _LIGHT if self.theme == _DARK else _DARK

    @on(GroupsRead)
    def _edit(self, read: GroupsRead) -> None:
        work = self._work
        if self._editor is None:  # not started twice
            self._editor = EditorScreen(
                work.criteria or _PREBUILT,
                self._session.catalogue,
                read.names,
                CriteriaFiles(work.folder, work.file),
                self._count,
            )
            self.switch_screen(self._editor)

    # from criteria to a run

    @on(EditorScreen.Chosen)
    def _make_plan(self, chosen: EditorScreen.Chosen) -> None:
        if self.screen is self._editor:  # not asked for twice
            planning = PlanningScreen()
            self.push_screen(planning)
            self._write_plan(chosen.criteria, planning)

    @on(PlanMade)
    def _show_plan(self, made: PlanMade) -> None:
        plan, awaited = made.plan, self.screen is made.waiting
        if plan is not None and awaited:
            self.switch_screen(
                ConfirmationScreen(plan, needs_second_operator=self._needs_second_operator)
            )
        elif plan is not None:
            self._drop_plan(plan.run)
        elif awaited:
            self.pop_screen()
            self.notify("No active contact matches; nothing was changed.", markup=False)

    @on(ConfirmationScreen.Declined)
    def _declined(self, declined: ConfirmationScreen.Declined) -> None:
        self.pop_screen()
        self._drop_plan(declined.run)

    @on(ConfirmationScreen.Confirmed)
    def _confirmed(self, confirmed: ConfirmationScreen.Confirmed) -> None:
        self._begin(confirmed, self.screen)

    @on(ConfirmationScreen.Kept)
    def _kept(self, kept: ConfirmationScreen.Kept) -> None:
        self._plan.keep(kept.run.id)
        self._show_outcome(Finished(Watched(kept.run)))

    @on(Begun)
    def _show_progress(self, begun: Begun) -> None:
        self.outcome = replace(self.outcome, run=begun.run)
        self.switch_screen(ProgressScreen(begun.run))
        self._watch(begun.run)

    @on(Advanced)
    def _show_advance(self, advanced: Advanced) -> None:
        if isinstance(self.screen, ProgressScreen):
            self.screen.advance(advanced.steps)

    @on(Finished)
    def _show_outcome(self, finished: Finished) -> None:
        watched = finished.watched
        self._remember(watched)
        self.switch_screen(OutcomeScreen(watched.run, watched.problem))

    @on(Failed)
    def _show_failure(self, failed: Failed) -> None:
        if self.screen is failed.waiting:
            self.pop_screen()
        text = "\n".join(filter(None, (failed.problem.message, failed.problem.hint)))
        self.notify(show_safely(text), severity="error", markup=False, timeout=15)

    def _remember(self, watched: Watched) -> None:
        self.outcome = replace(self.outcome, run=watched.run, problem=watched.problem)

    @property
    def _needs_second_operator(self) -> bool:
        return self._session.settings.plans.approval is Approval.SECOND_OPERATOR

    # what waits for the store, in threads

    @work(thread=True)
    def _read_groups(self) -> None:
        with self._telling_failure():
            self.post_message(GroupsRead(names_of_groups(self._session)))

    @work(thread=True)
    def _write_plan(self, criteria: Criteria, waiting: Screen[None]) -> None:
        with self._telling_failure(waiting):
            plan = self._plan.make(
                criteria,
                self._work.reason,
                prebuilt=criteria == _PREBUILT,
                wanted=lambda: waiting in self.screen_stack,
            )
            self.post_message(PlanMade(plan, waiting))

    @work(thread=True)
    def _drop_plan(self, run: Run) -> None:
        with self._telling_failure():
            self._plan.drop(run.id)

    @work(thread=True)
    def _begin(self, confirmed: ConfirmationScreen.Confirmed, waiting: Screen[None]) -> None:
        with self._telling_failure(waiting):
            begun = self._plan.begin(confirmed.run.id, confirmed.said)
            self.post_message(Begun(begun.run) if begun.problem is None else Finished(begun))

    @work(thread=True)
    def _watch(self, run: Run) -> None:
        session = replace(self._session, progress=self._progress)
        with self._telling_failure(), suppress(_NobodyWatchesError):
            self.post_message(Finished(watch_run(session, run.id)))

    @contextmanager
    def _telling_failure(self, waiting: Screen[None] | None = None) -> Iterator[None]:
        try:
            yield
        except ContactctlError as problem:
            self.post_message(Failed(problem, waiting))
        except OSError as error:
            self.post_message(Failed(ContactctlError(str(error)), waiting))

    @contextmanager
    def _progress(self, _title: str, _total: int | None) -> Iterator[Advance]:
        def advance(steps: int) -> None:
            if self._left:
                raise _NobodyWatchesError
            self.post_message(Advanced(steps))

        yield advance

    def _ask(self, criteria: Criteria) -> Preview:
        return preview(self._counting, selection_of(self._counting, criteria))

    def _deliver(self, answer: Answer) -> None:
        if self._editor is not None:
            self._editor.post_message(Answered(answer))


def _tell_textual_about_colour(wanted: bool) -> None:
    """Textual looks only at NO_COLOR, and treats an empty one as set."""
    os.environ.pop("NO_COLOR", None)
    if not wanted:
        os.environ["NO_COLOR"] = "1"
