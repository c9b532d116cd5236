"""While the store writes the plan."""

from dataclasses import replace
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.message import Message
from textual.screen import Screen
from textual.widgets import Button, Footer, Input, ProgressBar, Static

from contactctl.builder.dialogs import Dialog
from contactctl.builder.figures import Blocks, Figures, lost_facts, stakes_facts, stakes_head
from contactctl.builder.header import HeaderLine, titled
from contactctl.builder.messages import Confirmed, Declined, Kept
from contactctl.domain.errors import ContactctlError
from contactctl.domain.runs import Confirmation, Run, RunState, Stakes, parse_count
from contactctl.domain.text import show_safely
from contactctl.operations.plans import ShownPlan
from contactctl.output.criteria import rows_blocks
from contactctl.output.runs import present_plan, present_run
from contactctl.output.view import Presentation


class PlanningScreen(Dialog[None]):
    """Can be left at once; the plan that nobody waits for is deleted when it is ready."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss", "Back")]

    def compose(self) -> ComposeResult:
        with titled("Making the plan", Vertical(classes="dialog small")):
            yield Static("Writing down the contacts ...")
        yield Footer(compact=True)


# What the plan means, and the typed confirmation


_MOST_GROUPS = 5
_TOO_SMALL = (
    "This terminal is too small to show what is at stake.\n"
    "Make it larger, then type the count; or press Escape: nothing is deactivated."
)


class ConfirmationScreen(Screen[None]):
    """Shows a plan; continues only when its count, or over a limit the whole phrase, is typed.

    What is at stake and the line to type in stand above everything else, and are always whole: in
    a terminal that is too small for them nothing can be typed.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "decline", "Back, nothing is deactivated"),
        Binding("pageup", "scroll(-1)", "Page up", priority=True),
        Binding("pagedown", "scroll(1)", "Page down", priority=True),
    ]

    def __init__(self, plan: ShownPlan, *, needs_second_operator: bool) -> None:
        super().__init__()
        self.plan = plan
        self._needs_second_operator = needs_second_operator
        self._answered = False

    def compose(self) -> ComposeResult:
        yield HeaderLine()
        stakes = Vertical(classes="panel", id="stakes")
        with titled("Deactivate these contacts?", stakes):
            yield Figures()
            yield Static(Content(self._question()), id="question")
            if not self._needs_second_operator:
                yield Input(id="typed", compact=True)
            yield Static(id="problem", markup=False)
        yield Static(_TOO_SMALL, id="too-small")
        plan = VerticalScroll(classes="panel", id="plan", can_focus=False)
        with titled(f"Plan: run {self.plan.run.id}", plan):
            yield Blocks(id="plan-text")
        with Horizontal(id="go"):
            yield Button("Back", action="screen.decline", compact=True)
            if self._needs_second_operator:
                yield Button("Keep the plan", variant="primary", id="keep", compact=True)
            else:
                yield Button("Confirm and deactivate", variant="error", id="confirm", compact=True)
        yield Footer(compact=True)

    def on_mount(self) -> None:
        plan, facts = self.plan, list[tuple[str, str, str]]()
        if plan.impact is not None:
            facts = stakes_facts(plan.stakes, plan.impact)
            facts += lost_facts(plan.impact.members_lost, _MOST_GROUPS)
        self.query_one(Figures).show(stakes_head(plan.stakes), facts)
        self.query_one("#plan-text", Blocks).present(summary_first(plan))
        self.query_one("#keep" if self._needs_second_operator else "#typed").focus()

    def on_resize(self) -> None:
        self.call_after_refresh(self._require_room)

    @on(Input.Submitted)
    @on(Button.Pressed, "#confirm")
    def _check(self) -> None:
        if self.has_class("-too-small"):
            return
        problem = self.query_one("#problem", Static)
        said = confirmation_in(self.query_one("#typed", Input).value, self.plan.stakes)
        if said is None:
            problem.update("! That is not the right answer: nothing was deactivated.")
        else:
            problem.update("Starting the run ...")
            self._answer(Confirmed(self.plan.run, said))

    @on(Button.Pressed, "#keep")
    def _keep(self) -> None:
        self._answer(Kept(self.plan.run))

    def action_decline(self) -> None:
        self._answer(Declined(self.plan.run))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool:  # noqa: ARG002
        """An answered plan can no longer be declined."""
        return action != "decline" or not self._answered

    def action_scroll(self, pages: int) -> None:
        plan = self.query_one("#plan", VerticalScroll)
        (plan.scroll_page_down if pages > 0 else plan.scroll_page_up)(animate=False)

    def _answer(self, answer: Message) -> None:
        """Once: more keys may already be queued."""
        if not self._answered:
            self._answered = True
            self.query("#typed, #go").set(disabled=True)
            self.refresh_bindings()
            self.post_message(answer)

    def _require_room(self) -> None:
        """Nothing is confirmed unseen."""
        if not self.is_current:  # it has been answered, and its widgets are going
            return
        self.set_class(False, "-too-small")
        stakes, below = self.query_one("#stakes"), self.query_one("#go").outer_size.height + 1
        wanted = stakes.region.y + stakes.virtual_region.height + below
        is_too_small = wanted > self.size.height or self.size.width < _LEAST_WIDTH
        self.set_class(is_too_small, "-too-small")
        if not self._answered:
            self.query("#typed, #confirm, #keep").set(disabled=is_too_small)
            if not is_too_small and not self._needs_second_operator:
                self.query_one("#typed").focus()

    def _question(self) -> str:
        if self._needs_second_operator:
            return (
                "The config asks for a second operator: keep the plan, and somebody else"
                f" applies it with\ncontactctl runs apply {self.plan.run.id}"
            )
        stakes = self.plan.stakes
        if stakes.limits_exceeded:
            return f"Over the limits. Type '{stakes.phrase}' to continue:"
        return f"Type the number of contacts to {stakes.verb} them:"


_LEAST_WIDTH = 40


def summary_first(plan: ShownPlan) -> Presentation:
    """The plan as other commands show it, with the contacts below the impact."""
    presentation = present_plan(plan)
    contacts = rows_blocks(len(plan.rows), plan.run.planned)
    summary = [block for block in presentation.blocks if block not in contacts]
    return replace(presentation, blocks=[*summary, *contacts])


def confirmation_in(typed: str, stakes: Stakes) -> Confirmation | None:
    """The count as people write it; the whole phrase, and nothing else, over a limit."""
    if stakes.limits_exceeded:
        over = typed.strip() == stakes.phrase
        return Confirmation(stakes.count, limit_override=stakes.count) if over else None
    return Confirmation(stakes.count) if parse_count(typed) == stakes.count else None


# A running run, in its own process


class ProgressScreen(Screen[None]):
    """The progress of the run; leaving does not stop it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "app.leave", "Leave; the run continues in the background")
    ]

    def __init__(self, run: Run) -> None:
        super().__init__()
        self._run_id = run.id
        self._planned = run.planned
        self._done = 0

    def compose(self) -> ComposeResult:
        yield HeaderLine()
        title = f"Run {self._run_id}: deactivating contacts"
        with titled(title, Vertical(classes="panel tall")):
            yield ProgressBar(total=self._planned, show_eta=False)
            yield Static(id="done")
            yield Static(
                f"\nThe run has its own process. It continues when you leave:\n"
                f"contactctl runs watch {self._run_id}"
            )
        yield Footer(compact=True)

    def on_mount(self) -> None:
        self.advance(0)

    def advance(self, steps: int) -> None:
        """This many more contacts have been processed."""
        self._done += steps
        done = f"{self._done:,} of {self._planned:,} contacts"
        # a fast run reports before the screen is laid out, and after it is left
        for bar in self.query(ProgressBar):
            bar.update(progress=self._done)
        for text in self.query("#done").results(Static):
            text.update(Content(done))


# The result of the run


class OutcomeScreen(Screen[None]):
    """What was done first, the run's figures below, and the way back or out."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,c", "app.to_conditions", "Back to the conditions", key_display="esc"),
        Binding("q", "app.leave", "Leave"),
        Binding("left,up", "app.focus_previous", show=False),
        Binding("right,down", "app.focus_next", show=False),
    ]

    def __init__(self, run: Run, problem: ContactctlError | None) -> None:
        super().__init__()
        self._shown = run
        self._problem = problem

    def compose(self) -> ComposeResult:
        yield HeaderLine()
        panel = VerticalScroll(classes="panel tall", can_focus=False)
        with titled(f"Run {self._shown.id}: {self._shown.state}", panel):
            yield Static(Content(self._title()), classes="title")
            if self._problem is not None:
                hint = self._problem.hint
                yield Static(Content(show_safely(f"! {self._problem.message}: {hint}\n")))
            yield Blocks(id="run")
        with Horizontal(id="go"):
            yield Button("Back to the conditions", action="app.to_conditions", compact=True)
            yield Button("Leave", variant="primary", action="app.leave", compact=True, id="leave")
        yield Footer(compact=True)

    def on_mount(self) -> None:
        self.query_one(Blocks).present(present_run(self._shown))
        self.query_one("#leave").focus()

    def _title(self) -> str:
        run = self._shown
        active = "" if run.active_after is None else f", {run.active_after:,} active"
        match run.state:
            case RunState.PLANNED:
                return f"The plan is kept as run {run.id}; nothing has changed yet"
            case RunState.DONE:
                return f"{run.changed:,} deactivated{active}"
        return f"Run {run.id} is {run.state}: {run.changed:,} contacts deactivated so far"
