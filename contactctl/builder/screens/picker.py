"""Choosing from a list: fields, operators, values with their counts, all or any or none."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import ClassVar, Generic, TypeVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Footer, Input, OptionList
from textual.widgets.option_list import Option

from contactctl.builder.screens.dialog import Dialog
from contactctl.domain.errors import ContactctlError
from contactctl.domain.text import fold, show_safely
from contactctl.output.console import cut, pad, width_of

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
        box = Vertical(classes="dialog" if self._searched is not None else "dialog small")
        box.border_title = self._title
        with box:
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

    def action_mark_by_blank(self) -> None:
        self.action_mark()

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


def matching(choices: Choices[Value], searched: str) -> Choices[Value]:
    """Those with every searched word in their line; those whose name begins so first."""
    words = fold(searched).split()
    if not words:
        return choices
    found = [c for c in choices if all(word in fold(f"{c.label} {c.about}") for word in words)]
    return sorted(found, key=lambda c: not fold(c.label).startswith(words[0]))
