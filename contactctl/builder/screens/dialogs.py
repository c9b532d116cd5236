"""What the small screens have in common."""

from collections.abc import Callable, Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.await_complete import AwaitComplete
from textual.binding import Binding, BindingType
from textual.containers import Center, Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen, Screen, ScreenResultType
from textual.widgets import Button, Footer, Input, OptionList, Static
from textual.widgets.option_list import Option

from contactctl.builder.draft import Mode
from contactctl.builder.widgets.criteria_tree import TITLES
from contactctl.domain.criteria.fields import Field
from contactctl.domain.errors import ContactctlError
from contactctl.domain.text import fold, show_safely


class Dialog(ModalScreen[ScreenResultType]):
    """A screen over another one; closed once, even if more keys are already queued."""

    def dismiss(self, result: ScreenResultType | None = None) -> AwaitComplete:
        """Back to the screen below, which always stays."""
        return super().dismiss(result) if self.is_active else AwaitComplete()


# Choosing a field: type part of its name or meaning


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


# Naming a criteria file to save to, or to load from


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


# Every key of the conditions


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


# Choosing how many of a group's parts must match


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


# The first screen: what deactivation means


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
