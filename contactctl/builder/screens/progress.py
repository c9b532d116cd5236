"""A run at work, in a process of its own."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Footer, ProgressBar, Static

from contactctl.domain.runs import Run


class ProgressScreen(Screen[None]):
    """How far the run is; to leave does not stop it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "app.leave", "Leave; the run goes on in the background")
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
                f"\nThe run has a process of its own. When you leave, it goes on:\n"
                f"contactctl runs watch {self._run_id}"
            )
        yield Footer(compact=True)

    def on_mount(self) -> None:
        self.advance(0)

    def advance(self, steps: int) -> None:
        """So many contacts more have been dealt with."""
        self._done += steps
        self.query_one(ProgressBar).update(progress=self._done)
        done = f"{self._done:,} of {self._planned:,} contacts"
        self.query_one("#done", Static).update(Content(done))
