"""Choosing how many of a group's parts must match."""

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Footer, OptionList, Static
from textual.widgets.option_list import Option

from contactctl.builder.draft import Mode
from contactctl.builder.screens.dialog import Dialog
from contactctl.builder.widgets.criteria_tree import TITLES


class ModePicker(Dialog[Mode | None]):
    """All, any or none."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss", "Back")]

    def __init__(self, mode: Mode = Mode.ANY) -> None:
        super().__init__()
        self._mode = mode

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog small"):
            yield Static("A contact must match")
            yield OptionList(*(Option(TITLES[mode], mode.value) for mode in Mode))
        yield Footer(compact=True)

    def on_mount(self) -> None:
        self.query_one(OptionList).highlighted = list(Mode).index(self._mode)

    @on(OptionList.OptionSelected)
    def _take(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(Mode(str(event.option.id)))
