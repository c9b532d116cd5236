"""While the store writes the plan."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Footer, Static

from contactctl.builder.screens.dialog import Dialog


class PlanningScreen(Dialog[None]):
    """Can be left at once; the plan that nobody waits for is deleted when it is ready."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss", "Back")]

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog small"):
            yield Static("Making the plan: writing down the contacts ...")
        yield Footer(compact=True)
