"""Small screens over another one: choosing from a list, a file's name, every key, one contact."""

from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, TypeVar

from textual import on, work
from textual.app import App, ComposeResult
from textual.await_complete import AwaitComplete
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen, ScreenResultType
from textual.widgets import Footer, Input, OptionList, Static
from textual.widgets.option_list import Option

from contactctl.builder.figures import Blocks
from contactctl.builder.header import titled
from contactctl.domain.contacts import ContactRecord
from contactctl.domain.errors import ContactctlError
from contactctl.domain.text import fold, show_safely
from contactctl.output.console import cut, pad, width_of
from contactctl.output.contacts import present_contact
from contactctl.output.view import Presentation, Text


class Dialog(ModalScreen[ScreenResultType]):
    """A screen over another one; closed once, even if more keys are already queued."""

    def dismiss(self, result: ScreenResultType | None = None) -> AwaitComplete:
        """Back to the screen below, which always stays."""
        return super().dismiss(result) if self.is_active else AwaitComplete()


# Choosing from a list: fields, operators, values with their counts, all or any or none


Value = TypeVar("Value")

_WIDEST_LABEL = 40
_CHOSEN, _NOT_CHOSEN = "[x] ", "[ ] "  # told apart without colour


@dataclass(frozen=True, slots=True)
class Choice(Generic[Value]):
    """One line: what it stands for, how it is called, and what is said about it."""

    value: Value
    label: str
    about: str = ""


Choices = Sequence[Choice[Value]]
LookUp = Callable[[str], Choices[Value]]


class Picker(Dialog[Sequence[Value] | None]):
    """Gives the chosen values; None when it is left.

    With `searched` there is a line to type in, which filters the list, or with `look_up` asks the
    store for it; `takes_typed`: the typed text itself may be chosen. With `several` any number
    can be chosen, beginning with `chosen`.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "take", "Choose", priority=True),
        Binding("tab", "mark", "Mark", priority=True),
        Binding("space", "mark_by_blank", show=False, priority=True),
        Binding("escape", "dismiss", "Back"),
        Binding("down", "highlight(1)", show=False, priority=True),
        Binding("up", "highlight(-1)", show=False, priority=True),
        Binding("pagedown", "highlight(10)", show=False, priority=True),
        Binding("pageup", "highlight(-10)", show=False, priority=True),
    ]

    def __init__(
        self,
        title: str,
        choices: Choices[Value],
        *,
        chosen: Collection[Value] = (),
        several: bool = False,
        searched: str | None = None,
        look_up: LookUp[Value] | None = None,
        takes_typed: Callable[[str], Value] | None = None,
    ) -> None:
        super().__init__()
        self._title = title
        self._choices = choices
        self._marked = list(chosen)
        self._several = several
        self._searched = searched
        self._look_up = look_up
        self._takes_typed = takes_typed
        self.shown: Choices[Value] = ()

    def compose(self) -> ComposeResult:
        size = "dialog" if self._searched is not None else "dialog small"
        with titled(self._title, Vertical(classes=size)):
            if self._searched is not None:
                yield Input(placeholder=self._searched, id="search", compact=True)
            yield OptionList(id="choices", markup=False, compact=True)
        yield Footer(compact=True)

    def on_mount(self) -> None:
        if self._searched is not None:
            self.query_one(OptionList).can_focus = False
        self._show(self._choices)
        if not self._several and self._marked:
            values = [choice.value for choice in self.shown]
            if self._marked[0] in values:
                self.query_one(OptionList).highlighted = values.index(self._marked[0])
        self._ask("")

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002
        """Only several can be marked; a blank marks where it is not part of what is searched."""
        if action == "mark_by_blank":
            return self._several and not (self.query("#search") and self.query_one(Input).value)
        return action != "mark" or self._several

    @on(Input.Changed)
    def _search(self, event: Input.Changed) -> None:
        self._show(matching(self._choices, event.value))
        self._ask(event.value)

    @on(OptionList.OptionSelected)
    def _click(self, event: OptionList.OptionSelected) -> None:
        if self._several:
            self._toggle(event.option_index)
        else:
            self.dismiss([self.shown[event.option_index].value])

    def action_take(self) -> None:
        at = self.query_one(OptionList).highlighted
        if self._several and self._marked:
            self.dismiss(list(self._marked))
        elif at is not None and self.shown:
            self.dismiss([self.shown[at].value])

    def action_mark(self) -> None:
        at = self.query_one(OptionList).highlighted
        if at is not None and self.shown:
            self._toggle(at)

    action_mark_by_blank = action_mark

    def action_highlight(self, step: int) -> None:
        options = self.query_one(OptionList)
        if self.shown:
            at = (options.highlighted or 0) + step
            wraps = abs(step) == 1
            last = len(self.shown) - 1
            options.highlighted = at % (last + 1) if wraps else min(max(at, 0), last)

    def _toggle(self, at: int) -> None:
        value = self.shown[at].value
        if value in self._marked:
            self._marked.remove(value)
        else:
            self._marked.append(value)
        self.query_one(OptionList).replace_option_prompt_at_index(at, self._line(self.shown[at]))

    def _ask(self, searched: str) -> None:
        if self._look_up is not None:
            self.query_one(".dialog").border_subtitle = "looking ..."
            self._ask_store(self._look_up, searched)

    @work(thread=True, exclusive=True, group="look up")
    def _ask_store(self, look_up: LookUp[Value], searched: str) -> None:
        try:
            found: Choices[Value] = look_up(searched)
            problem = ""
        except ContactctlError as error:
            found, problem = (), show_safely(error.message)
        if self.is_attached:
            self.app.call_from_thread(self._show_found, searched, found, problem)

    def _show_found(self, searched: str, found: Choices[Value], problem: str) -> None:
        if not self.is_attached or self.query_one(Input).value != searched:
            return
        self.query_one(".dialog").border_subtitle = problem
        if not (problem or found or self._choices or searched):
            self.query_one(".dialog").border_subtitle = "there is nothing to choose from"
        if not problem:
            known = {choice.value for choice in found}
            others = [c for c in matching(self._choices, searched) if c.value not in known]
            self._show([*others, *found])

    def _show(self, choices: Choices[Value]) -> None:
        searched = self.query_one(Input).value.strip() if self._searched is not None else ""
        if searched and self._takes_typed is not None:
            typed = self._takes_typed(searched)
            if typed not in [choice.value for choice in choices]:
                choices = [*choices, Choice(typed, searched, "as typed")]
        self.shown = choices
        options = self.query_one(OptionList)
        options.clear_options()
        options.add_options([Option(self._line(choice)) for choice in choices])
        options.highlighted = 0 if choices else None

    def _line(self, choice: Choice[Value]) -> Content:
        mark = ""
        if self._several:
            mark = _CHOSEN if choice.value in self._marked else _NOT_CHOSEN
        label = cut(show_safely(choice.label), _WIDEST_LABEL)
        widest = max(width_of(cut(show_safely(c.label), _WIDEST_LABEL)) for c in self.shown)
        about = show_safely(choice.about)
        return Content.assemble(mark, pad(label, widest), "  ", (about, "dim"))


def pick_one(
    app: App[Any], picker: Picker[Value], then: Callable[[Value], Awaitable[None] | None]
) -> None:
    """Show the picker, and go on with what was chosen, if anything was."""

    def take(chosen: Sequence[Value] | None) -> Any:
        return then(chosen[0]) if chosen else None

    app.push_screen(picker, take)


def matching(choices: Choices[Value], searched: str) -> Choices[Value]:
    """Those with every searched word in their line; those whose name begins so first."""
    words = fold(searched).split()
    if not words:
        return choices
    found = [c for c in choices if all(word in fold(f"{c.label} {c.about}") for word in words)]
    return sorted(found, key=lambda c: not fold(c.label).startswith(words[0]))


# The small screens: a file's name, every key, one contact


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
        with titled(self._question, Vertical(classes="dialog small")):
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
        lines = [Content.assemble((f"{key:<15}", "bold"), does) for key, does in _KEYS]
        with titled("Keys", VerticalScroll(id="all-keys", classes="dialog small")):
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
        with titled(Content(self._title), VerticalScroll(classes="dialog", id="contact")):
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
