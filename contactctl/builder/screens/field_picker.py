"""Choosing a field: type part of its name or meaning."""

from collections.abc import Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Footer, Input, OptionList
from textual.widgets.option_list import Option

from contactctl.builder.screens.dialog import Dialog
from contactctl.domain.fields import Field
from contactctl.domain.text import fold, show_safely


class FieldPicker(Dialog[Field | None]):
    """Every field with its type and help; typing filters the list."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss", "Back"),
        Binding("down", "highlight(1)", "Down", show=False, priority=True),
        Binding("up", "highlight(-1)", "Up", show=False, priority=True),
    ]

    def __init__(self, fields: Sequence[Field]) -> None:
        super().__init__()
        self._fields = fields
        self.shown: Sequence[Field] = fields

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield Input(placeholder="search by name or meaning", id="search")
            yield OptionList(id="fields", markup=False)
        yield Footer(compact=True)

    def on_mount(self) -> None:
        self._show(self._fields)

    @on(Input.Changed)
    def _search(self, event: Input.Changed) -> None:
        self._show(matching(self._fields, event.value))

    @on(Input.Submitted)
    def _take_highlighted(self) -> None:
        index = self.query_one(OptionList).highlighted
        if index is not None:
            self.dismiss(self.shown[index])

    @on(OptionList.OptionSelected)
    def _take(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(self.shown[event.option_index])

    def action_highlight(self, step: int) -> None:
        options = self.query_one(OptionList)
        (options.action_cursor_down if step > 0 else options.action_cursor_up)()

    def _show(self, fields: Sequence[Field]) -> None:
        self.shown = fields
        options = self.query_one(OptionList)
        options.clear_options()
        options.add_options([Option(_described(field)) for field in fields])
        if fields:
            options.highlighted = 0


def matching(fields: Sequence[Field], searched: str) -> list[Field]:
    """The fields with every searched word in name, type or help; names that start so first."""
    words = fold(searched).split()
    found = [f for f in fields if all(w in fold(f"{f.name} {f.type} {f.help}") for w in words)]
    return sorted(found, key=lambda f: not f.name.startswith(words[0])) if words else found


def _described(field: Field) -> Content:
    name = Content.styled(f"{show_safely(field.name):<32}", "bold")
    return name + Content(f" {field.type:<8} {field.help}")
