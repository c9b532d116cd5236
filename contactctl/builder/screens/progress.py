"""A running run, in its own process."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Footer, ProgressBar, Static

from contactctl.domain.runs import Run


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
