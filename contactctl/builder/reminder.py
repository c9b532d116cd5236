"""The first screen: what deactivation means. It is drawn before the store is opened."""

import time
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Button, Footer, Static

from contactctl.builder.header import HeaderLine, titled

REMINDER = """\
Deactivated contacts

  • get no more campaigns;
  • no longer count for billing;
  • can be reactivated later, one at a time, and not in bulk.

You choose the contacts by conditions. Exactly the contacts that the
builder counts are deactivated, after you have typed their number.

Leaving the builder before that deactivates nobody.
"""
_SLOW_AFTER_S = 2


class ReminderScreen(Screen[None]):
    """Shows the reminder before anything else; Enter goes on as soon as the store is open."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "app.start_finding", "Start finding contacts"),
        Binding("escape,q", "app.leave", "Leave", key_display="esc"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._since = time.monotonic()
        self._is_open = False

    def compose(self) -> ComposeResult:
        yield HeaderLine()
        with Vertical(classes="page"):
            panel = VerticalScroll(classes="panel", id="reminder", can_focus=False)
            with titled("Bulk deactivate contacts", panel):
                yield Static(Content(REMINDER))
                yield Button(
                    "Start finding contacts",
                    variant="primary",
                    action="app.start_finding",
                    compact=True,
                )
        yield Footer(compact=True)

    def on_mount(self) -> None:
        self.set_interval(1, self._tell_how_long)

    def show_open(self) -> None:
        """The store is there."""
        self._is_open = True
        self.query_one("#reminder").border_subtitle = ""

    def show_waiting(self) -> None:
        """Somebody wants to go on, and the store is not there yet."""
        self.query_one(Button).label = "Opening the store ..."

    def _tell_how_long(self) -> None:
        seconds = round(time.monotonic() - self._since)
        if not self._is_open and seconds >= _SLOW_AFTER_S:
            self.query_one("#reminder").border_subtitle = f"opening the store ... {seconds} s"
