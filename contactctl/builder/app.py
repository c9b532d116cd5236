"""The application: which screen follows which, and what it leaves behind.

Only what the first picture needs is imported here; the rest comes with the store, in a thread.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from threading import Lock, Thread
from typing import TYPE_CHECKING, ClassVar

from textual import on, work
from textual.app import App
from textual.binding import Binding, BindingType
from textual.screen import Screen

from contactctl.builder import messages
from contactctl.builder.header import HeaderLine
from contactctl.builder.reminder import ReminderScreen
from contactctl.builder.work import BuilderResult, BuilderWork, Standing
from contactctl.domain.errors import ContactctlError
from contactctl.domain.text import show_safely

if TYPE_CHECKING:
    from contactctl.builder.live_count import Answer
    from contactctl.builder.opened import Opened
    from contactctl.domain.criteria.tree import Criteria
    from contactctl.domain.runs import Run
    from contactctl.operations.plans import ShownPlan
    from contactctl.operations.runs import Watched

_DARK, _LIGHT = "textual-dark", "textual-light"


class _NobodyWatchesError(Exception):
    """The builder was left while a run was watched."""


class BuilderApp(App[None]):
    """Call `close` at the end; `outcome` then holds the result."""

    CSS_PATH = Path(__file__).with_name("builder.tcss")
    TITLE = "contactctl build"
    ENABLE_COMMAND_PALETTE = False
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-wide")]  # noqa: RUF012 - as in App
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
        self._opened: Opened | None = None
        self._begin_when_open = False
        self._left = False
        self._until_closed = ExitStack()
        self._open_lock = Lock()

    def close(self) -> None:
        """Drop a plan that was not confirmed, and stop counting."""
        self._left = True
        with self._open_lock:
            try:
                self._until_closed.close()
            except ContactctlError as problem:  # the store may be gone; the edits are not
                self.outcome = replace(self.outcome, problem=problem)
        opened = self._opened
        if opened is None:
            return
        begun = opened.plan.begun
        if begun is not None and self._begun_untold(begun.run):
            self._remember(begun)
        self.outcome = replace(self.outcome, unsaved=opened.unsaved)

    def end(self, signal_name: str) -> None:
        """Exit because of a signal; its handler may call this at any moment."""
        self._left = True
        self.outcome = replace(self.outcome, closed_by=signal_name)
        with suppress(RuntimeError):  # it has ended already
            if self._loop is not None:
                self._loop.call_soon_threadsafe(self.action_leave)

    def on_mount(self) -> None:
        self.push_screen(ReminderScreen())
        self.call_after_refresh(self._open_behind)
        if self._left:  # a signal came before there was an event loop to tell
            self.exit()

    def action_start_finding(self) -> None:
        """Go on to the conditions, now or as soon as the store is open."""
        self._begin_when_open = True
        if self._opened is not None and self._opened.editor not in self.screen_stack:
            self.switch_screen(self._opened.editor)
        elif isinstance(self.screen, ReminderScreen):
            self.screen.show_waiting()

    def action_leave(self) -> None:
        """Leave the builder: what has not been confirmed does not happen."""
        self._left = True
        if self._opened is not None:
            self._opened.stop()
        self.exit()

    def action_turn_light(self) -> None:
        self.theme = _LIGHT if self.theme == _DARK else _DARK

    # opening the store

    def _open_behind(self) -> None:
        """In a daemon thread: who leaves does not wait for a store that does not answer."""
        Thread(target=self._open, name="open the store", daemon=True).start()

    def _open(self) -> None:
        try:
            with ExitStack() as stack:
                session = stack.enter_context(self._work.open_session())
                from contactctl.builder.opened import Opened  # noqa: PLC0415 - not before

                opened = Opened(session, self._work, self._deliver)
                stack.callback(opened.close)
                with self._open_lock:
                    if self._left:
                        return
                    self._until_closed = stack.pop_all()
            self.call_later(self._edit, opened)
        except BaseException as failure:
            if self._left:
                return
            self.outcome = replace(self.outcome, failure=failure)
            if self._loop is not None:
                with suppress(RuntimeError):
                    self._loop.call_soon_threadsafe(self.action_leave)

    def _edit(self, opened: "Opened") -> None:
        """The store is open: the conditions can be edited."""
        self._opened = opened
        opened.count.start()
        self._say_standing()
        if isinstance(self.screen, ReminderScreen):
            self.screen.show_open()
        if self._begin_when_open:
            self.action_start_finding()

    @on(messages.Changed)
    def _say_standing(self) -> None:
        standing = Standing() if self._opened is None else self._opened.standing
        for screen in self.screen_stack:
            for header in screen.query(HeaderLine):
                header.show(standing)

    # from criteria to a run

    @on(messages.Chosen)
    def _make_plan(self, chosen: messages.Chosen) -> None:
        if self.screen is self._open_store.editor:  # not asked for twice
            planning = self._open_store.planning()
            self.push_screen(planning)
            self._write_plan(chosen.criteria, planning)

    def _show_plan(self, plan: "ShownPlan | None", waiting: Screen[None]) -> None:
        """The plan is ready; None: no contact matches. `waiting` was shown until then."""
        awaited = self.screen is waiting
        if plan is not None and awaited:
            self.switch_screen(self._open_store.confirmation(plan))
        elif plan is not None:
            self._drop_plan(plan.run)
        elif awaited:
            self.pop_screen()
            self.notify("No active contact matches; nothing was changed.", markup=False)

    @on(messages.Declined)
    def _declined(self, declined: messages.Declined) -> None:
        self.pop_screen()
        self._drop_plan(declined.run)

    @on(messages.Confirmed)
    def _confirmed(self, confirmed: messages.Confirmed) -> None:
        self._begin(confirmed, self.screen)

    @on(messages.Kept)
    def _kept(self, kept: messages.Kept) -> None:
        self._show_outcome(self._open_store.kept(kept.run))

    def _show_progress(self, begun: "Watched") -> None:
        """The run has started, in its own process."""
        self._remember(begun)
        self.switch_screen(self._open_store.progress(begun.run))
        self._watch(begun.run)

    def _show_advance(self, steps: int) -> None:
        """The run has processed this many more contacts."""
        show: Callable[[int], None] | None = getattr(self.screen, "advance", None)
        if show is not None:
            show(steps)

    def _show_outcome(self, watched: "Watched") -> None:
        """The run is final, or no process works on it."""
        self._remember(watched)
        self.switch_screen(self._open_store.outcome(watched))

    def _show_failure(self, problem: ContactctlError, waiting: Screen[None] | None) -> None:
        if self.screen is waiting:
            self.pop_screen()
        lines = filter(None, (problem.message, problem.hint))
        text = "\n".join(map(show_safely, lines))
        self.notify(text, severity="error", markup=False, timeout=15)

    def action_to_conditions(self) -> None:
        """From the outcome back to the conditions, counted anew."""
        self.pop_screen()
        self._open_store.editor.count_anew()

    @property
    def _open_store(self) -> "Opened":
        """What there is once the store is open; nothing that needs it comes before."""
        if self._opened is None:
            raise RuntimeError("the store is not open yet")
        return self._opened

    def _remember(self, watched: "Watched") -> None:
        outcome, run = self.outcome, watched.run
        earlier = outcome.earlier
        if outcome.run is not None and outcome.run.id != run.id:
            earlier = (*earlier, outcome.run)
        self.outcome = replace(outcome, run=run, earlier=earlier, problem=watched.problem)
        self._open_store.remember_run()

    def _begun_untold(self, run: "Run") -> bool:
        """Whether the builder was left before it was told that this run has begun."""
        told = (self.outcome.run, *self.outcome.earlier)
        return all(each is None or each.id != run.id for each in told)

    # what waits for the store, in threads

    @work(thread=True)
    def _write_plan(self, criteria: "Criteria", waiting: Screen[None]) -> None:
        with self._telling_failure(waiting):
            plan = self._open_store.make_plan(criteria, lambda: waiting in self.screen_stack)
            self.call_later(self._show_plan, plan, waiting)

    @work(thread=True)
    def _drop_plan(self, run: "Run") -> None:
        with self._telling_failure():
            self._open_store.plan.drop(run.id)

    @work(thread=True)
    def _begin(self, confirmed: messages.Confirmed, waiting: Screen[None]) -> None:
        with self._telling_failure(waiting):
            begun = self._open_store.plan.begin(confirmed.run.id, confirmed.said)
            show = self._show_progress if begun.problem is None else self._show_outcome
            self.call_later(show, begun)

    @work(thread=True)
    def _watch(self, run: "Run") -> None:
        with self._telling_failure(), suppress(_NobodyWatchesError):
            self.call_later(self._show_outcome, self._open_store.watch(run, self._progress))

    @contextmanager
    def _telling_failure(self, waiting: Screen[None] | None = None) -> Iterator[None]:
        try:
            yield
        except ContactctlError as problem:
            self.call_later(self._show_failure, problem, waiting)
        except OSError as error:
            self.call_later(self._show_failure, ContactctlError(str(error)), waiting)

    @contextmanager
    def _progress(self, _title: str, _total: int | None) -> Iterator[Callable[[int], None]]:
        def advance(steps: int) -> None:
            if self._left:
                raise _NobodyWatchesError
            self.call_later(self._show_advance, steps)

        yield advance

    def _deliver(self, answer: "Answer") -> None:
        if self._opened is not None:
            editor = self._opened.editor
            editor.call_later(editor.show_answer, answer)


def _tell_textual_about_colour(wanted: bool) -> None:
    """Textual looks only at NO_COLOR, and treats an empty one as set."""
    os.environ.pop("NO_COLOR", None)
    if not wanted:
        os.environ["NO_COLOR"] = "1"
