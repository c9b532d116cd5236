"""Naming a criteria file to save to, or to load from."""

from collections.abc import Callable
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Footer, Input, Static

from contactctl.builder.screens.dialog import Dialog
from contactctl.domain.errors import ContactctlError
from contactctl.domain.text import show_safely


class FileDialog(Dialog[None]):
    """Asks for a file's name until `use` accepts it; shows why it does not."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss", "Back")]

    def __init__(self, question: str, first_name: str, use: Callable[[str], None]) -> None:
        super().__init__()
        self._question = question
        self._first_name = first_name
        self._use = use

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog small"):
            yield Static(Content(self._question))
            yield Input(self._first_name, placeholder="criteria.yaml", id="file")
            yield Static(id="problem", markup=False)
        yield Footer(compact=True)

    @on(Input.Submitted)
    def _submit(self, event: Input.Submitted) -> None:
        name = event.value.strip()
        if not name:
            return
        try:
            self._use(name)
        except ContactctlError as error:
            lines = filter(None, (error.message, error.hint))
            self.query_one("#problem", Static).update(Content("\n".join(map(show_safely, lines))))
        else:
            self.dismiss()
