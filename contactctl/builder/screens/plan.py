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

from contactctl.builder.screens.dialogs import Dialog
from contactctl.builder.widgets.criteria_tree import Blocks
from contactctl.domain.errors import ContactctlError
from contactctl.domain.runs import Confirmation, Run, RunState, Stakes, parse_count
from contactctl.domain.text import show_safely
from contactctl.operations.plans import ShownPlan
from contactctl.output.criteria import rows_blocks
from contactctl.output.presentation import Presentation
from contactctl.output.runs import present_plan, present_run


class PlanningScreen(Dialog[None]):
    """Can be left at once; the plan that nobody waits for is deleted when it is ready."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss", "Back")]

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog small"):
            yield Static("Making the plan: writing down the contacts ...")
        yield Footer(compact=True)


# What the plan means, and the typed confirmation


class ConfirmationScreen(Screen[None]):
    """Shows a plan; continues only when its count, or over a limit the whole phrase, is typed."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "decline", "Back, nothing is deactivated"),
        Binding("pageup", "scroll(-1)", "Page up", priority=True),
        Binding("pagedown", "scroll(1)", "Page down", priority=True),
    ]

    class Confirmed(Message):
        """The right answer was typed, for this run."""

        def __init__(self, run: Run, said: Confirmation) -> None:
            super().__init__()
            self.run = run
            self.said = said

    class Kept(Message):
        """The plan stays, for a second operator."""

        def __init__(self, run: Run) -> None:
            super().__init__()
            self.run = run

    class Declined(Message):
        """The plan is not wanted."""

        def __init__(self, run: Run) -> None:
            super().__init__()
            self.run = run

    def __init__(self, plan: ShownPlan, *, needs_second_operator: bool) -> None:
        super().__init__()
        self.plan = plan
        self._needs_second_operator = needs_second_operator
        self._answered = False

    def compose(self) -> ComposeResult:
        yield Static("Deactivate these contacts?", classes="title")
        with VerticalScroll(id="plan"):
            yield Blocks(id="plan-text")
        yield Static(Content(self._question()), id="question")
        if not self._needs_second_operator:
            yield Input(id="typed", compact=True)
        yield Static(id="problem", markup=False)
        with Horizontal(id="go"):
            yield Button("Back", action="screen.decline", compact=True)
            if self._needs_second_operator:
                yield Button("Keep the plan", variant="primary", id="keep", compact=True)
            else:
                yield Button("Confirm and deactivate", variant="error", id="confirm", compact=True)
        yield Footer(compact=True)

    def on_mount(self) -> None:
        self.query_one("#plan-text", Blocks).present(summary_first(self.plan))
        self.query_one("#keep" if self._needs_second_operator else "#typed").focus()

    @on(Input.Submitted)
    @on(Button.Pressed, "#confirm")
    def _check(self) -> None:
        problem = self.query_one("#problem", Static)
        said = confirmation_in(self.query_one("#typed", Input).value, self.plan.stakes)
        if said is None:
            problem.update("That is not the right answer: nothing was deactivated.")
        else:
            problem.update("Starting the run ...")
            self._answer(self.Confirmed(self.plan.run, said))

    @on(Button.Pressed, "#keep")
    def _keep(self) -> None:
        self._answer(self.Kept(self.plan.run))

    def action_decline(self) -> None:
        self._answer(self.Declined(self.plan.run))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool:  # noqa: ARG002
        """An answered plan can no longer be declined."""
        return action != "decline" or not self._answered

    def action_scroll(self, pages: int) -> None:
        plan = self.query_one("#plan", VerticalScroll)
        (plan.scroll_page_down if pages > 0 else plan.scroll_page_up)(animate=False)

    def _answer(self, answer: Confirmed | Kept | Declined) -> None:
        """Once: more keys may already be queued."""
        if not self._answered:
            self._answered = True
            self.query("#typed, #go").set(disabled=True)
            self.refresh_bindings()
            self.post_message(answer)

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
        with Vertical(classes="page"):
            yield Static(f"Run {self._run_id}: deactivating contacts", classes="title")
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
        if not self.is_mounted:  # a fast run reports before the screen is laid out
            return
        self.query_one(ProgressBar).update(progress=self._done)
        done = f"{self._done:,} of {self._planned:,} contacts"
        self.query_one("#done", Static).update(Content(done))


# The result of the run


class OutcomeScreen(Screen[None]):
    """The run's number and figures, and what to do next."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q", "app.leave", "Close")]

    def __init__(self, run: Run, problem: ContactctlError | None) -> None:
        super().__init__()
        self._shown = run
        self._problem = problem

    def compose(self) -> ComposeResult:
        with VerticalScroll(classes="page", can_focus=False):
            yield Static(Content(self._title()), classes="title")
            if self._problem is not None:
                hint = self._problem.hint
                yield Static(Content(show_safely(f"! {self._problem.message}: {hint}\n")))
            yield Blocks(id="run")
            yield Button("Close", variant="primary", action="app.leave")
        yield Footer(compact=True)

    def on_mount(self) -> None:
        self.query_one(Blocks).present(present_run(self._shown))
        self.query_one(Button).focus()

    def _title(self) -> str:
        run = self._shown
        match run.state:
            case RunState.PLANNED:
                return f"The plan is kept as run {run.id}; nothing has changed yet"
            case RunState.DONE:
                return f"Run {run.id} has deactivated {run.changed:,} contacts"
        return f"Run {run.id} is {run.state}: {run.changed:,} contacts deactivated so far"
