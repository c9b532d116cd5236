"""The first screen: what deactivation means."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Center, VerticalScroll
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Button, Footer, Static

REMINDER = """\
Deactivated contacts

  - get no more campaigns;
  - no longer count for billing;
  - can be reactivated later, one at a time: there is no bulk reactivation.

You choose the contacts by conditions. Exactly the contacts that the builder
counts are deactivated, and only after you have confirmed their number.

Leaving the builder before that deactivates nobody.
"""


class ReminderScreen(Screen[None]):
    """Shows the reminder before anything else."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "app.start_finding", "Start finding contacts"),
        Binding("escape,q", "app.leave", "Leave"),
    ]

    def __init__(self, database: str) -> None:
        super().__init__()
        self._database = database

    def compose(self) -> ComposeResult:
        with VerticalScroll(classes="page", can_focus=False):
            yield Static(Content.styled("Bulk deactivate contacts", "bold"), classes="title")
            yield Static(Content(f"Database: {self._database}\n"))
            yield Static(Content(REMINDER))
            with Center():
                yield Button(
                    "Start finding contacts", variant="primary", action="app.start_finding"
                )
        yield Footer(compact=True)
