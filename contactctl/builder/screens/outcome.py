"""The result of the run."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Button, Footer, Static

from contactctl.builder.widgets.blocks import Blocks
from contactctl.domain.errors import ContactctlError
from contactctl.domain.runs import Run, RunState
from contactctl.domain.text import show_safely
from contactctl.output.runs import present_run


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
