"""Every key of the conditions."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Footer, Static

from contactctl.builder.screens.dialog import Dialog

_KEYS = (
    ("a", "Add a condition below"),
    ("g", "Add a group in the group"),
    ("Enter, right", "Edit the value, or all/any/none of a group"),
    ("x, Delete", "Remove the condition or group"),
    ("Shift+up, K", "Move it up, also into or out of groups"),
    ("Shift+down, J", "Move it down"),
    ("s, Ctrl+S", "Save the criteria as YAML"),
    ("o, Ctrl+O", "Load criteria from a file"),
    ("y", "Copy the criteria as YAML"),
    ("f", "Copy the criteria as flags"),
    ("D", "Make the plan, and show its impact"),
    ("Escape", "From a value to the rows, then leave"),
    ("q, Ctrl+Q", "Leave; nobody is deactivated"),
    ("Up, down", "Another row"),
    ("Tab", "Next: field, operator, value, views"),
    ("Ctrl+T", "Colours for a light or dark terminal"),
)


class KeysScreen(Dialog[None]):
    """Lists the keys, over the conditions."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss", "Back"),
        Binding("f1,q", "dismiss", show=False),
    ]

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog small"), VerticalScroll(id="all-keys"):
            yield Static(Content("\n".join(f"{key:<15}{does}" for key, does in _KEYS)), id="keys")
        yield Footer(compact=True)
