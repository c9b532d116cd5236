"""The small screens: a file's name, every key, one contact."""

from collections.abc import Callable
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Footer, Input, Static

from contactctl.builder.screens.dialog import Dialog
from contactctl.builder.widgets.blocks import Blocks
from contactctl.domain.contacts import ContactRecord
from contactctl.domain.errors import ContactctlError
from contactctl.domain.text import show_safely
from contactctl.output.contacts import present_contact
from contactctl.output.presentation import Presentation, Text


class FileDialog(Dialog[str | None]):
    """Asks for a file's name until `use` accepts it, and gives it; shows why it does not."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "submit", "OK", show=True),
        Binding("escape", "dismiss", "Back"),
    ]

    def __init__(self, question: str, first_name: str, use: Callable[[str], None]) -> None:
        super().__init__()
        self._question = question
        self._first_name = first_name
        self._use = use

    def compose(self) -> ComposeResult:
        box = Vertical(classes="dialog small")
        box.border_title = self._question
        with box:
            yield Input(self._first_name, placeholder="criteria.yaml", id="file", compact=True)
            yield Static(id="problem", markup=False)
        yield Footer(compact=True)

    @on(Input.Submitted)
    def action_submit(self) -> None:
        name = self.query_one(Input).value.strip()
        if not name:
            return
        try:
            self._use(name)
        except ContactctlError as error:
            lines = filter(None, (error.message, error.hint))
            self.query_one("#problem", Static).update(Content("\n".join(map(show_safely, lines))))
        else:
            self.dismiss(name)


# Every key of the conditions


_KEYS = (
    ("a", "Add a condition below"),
    ("/", "Find a field: its condition, or a new one"),
    ("g", "Add a group in the group"),
    ("Enter, right", "Edit the value, or all/any/none of a group"),
    ("x, Delete", "Remove the condition or group"),
    ("u, U", "Undo, redo"),
    ("Shift+up, K", "Move it up, also into or out of groups"),
    ("Shift+down, J", "Move it down"),
    ("1, 2, 3", "Contacts, YAML, flags; Enter shows a contact"),
    ("s, o", "Save the criteria as YAML, load some"),
    ("y, f", "Copy the criteria as YAML, as flags"),
    ("D", "Make the plan, and show its impact"),
    ("Tab", "Next: field, operator, value, views"),
    ("Escape", "Back to the conditions, then leave"),
    ("q, Ctrl+Q", "Leave, Ctrl+Q at once; nobody is deactivated"),
    ("Ctrl+T", "Colours for a light or dark terminal"),
)


class KeysScreen(Dialog[None]):
    """Lists the keys, over the conditions."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss", "Back"),
        Binding("f1,q,question_mark", "dismiss", show=False),
    ]

    def compose(self) -> ComposeResult:
        box = VerticalScroll(id="all-keys", classes="dialog small")
        box.border_title = "Keys"
        with box:
            lines = [Content.assemble((f"{key:<15}", "bold"), does) for key, does in _KEYS]
            yield Static(Content("\n").join(lines), id="keys")
        yield Footer(compact=True)


# One contact, whole


class ContactScreen(Dialog[None]):
    """Everything that is stored about one contact, once it has been read."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,enter,q", "dismiss", "Back")]

    def __init__(self, title: str, read: Callable[[], ContactRecord]) -> None:
        super().__init__()
        self._title = title
        self._read = read

    def compose(self) -> ComposeResult:
        box = VerticalScroll(classes="dialog", id="contact")
        box.border_title = Content(self._title)
        with box:
            yield Blocks(id="contact-text")
        yield Footer(compact=True)

    def on_mount(self) -> None:
        self._look_up()

    @work(thread=True)
    def _look_up(self) -> None:
        try:
            shown = present_contact(self._read())
        except ContactctlError as error:
            shown = Presentation(blocks=[Text(error.message)])
        if self.is_attached:
            self.app.call_from_thread(self.query_one(Blocks).present, shown)
