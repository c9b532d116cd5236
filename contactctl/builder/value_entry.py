"""Entering the values of a condition, by the type of its field and what its operator takes."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.message import Message
from textual.widgets import Button, Input

from contactctl.builder.dialogs import Choice, Picker, pick_one
from contactctl.builder.draft import Row, has_choices, row_of, takes_free_list
from contactctl.domain.criteria.conditions import build_condition
from contactctl.domain.criteria.fields import USAGES, Field, FieldType, Operator, Takes
from contactctl.domain.criteria.values import Unit
from contactctl.domain.errors import CriteriaError
from contactctl.domain.text import counted, fold, show_safely
from contactctl.operations.criteria import has_values_to_choose
from contactctl.output.console import cut

ValuesHeld = Callable[[Field, str], Sequence[tuple[str, int]]]

_TURNED: Mapping[Operator, Operator] = {
    Operator.OLDER_THAN: Operator.LATER_THAN,
    Operator.LATER_THAN: Operator.OLDER_THAN,
    Operator.WITHIN_LAST: Operator.WITHIN_NEXT,
    Operator.WITHIN_NEXT: Operator.WITHIN_LAST,
}
_PAST = (Operator.OLDER_THAN, Operator.WITHIN_LAST)
_TENSES = {True: "in the past", False: "in the future"}
_FORMS: Mapping[FieldType, str] = {  # no value, which without colour looks as if it were typed
    FieldType.NUMBER: "number",
    FieldType.DATE: "YYYY-MM-DD",
    FieldType.INSTANT: "YYYY-MM-DD or YYYY-MM-DDThh:mm:ssZ",
}
_WIDEST = 34


class PickButton(Button):
    """What is chosen, to be changed in a list."""

    def __init__(self, text: str, *, id: str) -> None:
        super().__init__(_with_arrow(text), id=id, compact=True)

    def say(self, text: str) -> None:
        """Show this as chosen."""
        self.label = _with_arrow(text)
        self.refresh(layout=True)


def _with_arrow(text: str) -> Content:
    return Content(f"{cut(show_safely(text), _WIDEST)} ▾")


class ValueEntry(Horizontal):
    """Where one row's values are entered; it stays with that row, and reports what was typed."""

    @dataclass
    class Edited(Message):
        """Something was typed or chosen; the operator changes with past and future."""

        row: Row
        words: tuple[str, ...]
        operator: Operator

    def __init__(self, row: Row, values_held: ValuesHeld) -> None:
        super().__init__()
        self.row = row
        self.values_held = values_held

    @property
    def words(self) -> tuple[str, ...]:
        """The values as they stand in the widgets."""
        return tuple(entry.value for entry in self.query(Input))

    @property
    def operator(self) -> Operator:
        return self.row.operator

    def begin(self) -> None:
        """The row is new: what is chosen from a list is asked for at once."""

    @on(Input.Changed)
    def tell(self, event: Message | None = None) -> None:
        """Report what is entered now."""
        if event is not None:
            event.stop()
        self.post_message(self.Edited(self.row, self.words, self.operator))


class NothingEntry(ValueEntry):
    """The operator needs no value."""


class TextEntry(ValueEntry):
    """One text, number or date, or a list of them with commas; texts can be picked, too."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("down", "pick", "Pick", key_display="↓")]

    def compose(self) -> ComposeResult:
        value = self.row.words[0] if self.row.words else ""
        form = _form(self.row)
        if has_values_to_choose(self.row.field):
            form = f"{form}, or ↓ to pick"
        yield Input(value, placeholder=form, compact=True)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002
        """Numbers and dates have nothing to pick from."""
        return action != "pick" or has_values_to_choose(self.row.field)

    def begin(self) -> None:
        if self.row.field.type is FieldType.SET:
            self.action_pick()

    def action_pick(self) -> None:
        self.app.push_screen(_values_picker(self.row, (), self.values_held), self._take)

    def _take(self, values: Sequence[str] | None) -> None:
        if values is not None:
            self.query_one(Input).value = _as_word(self.row, values)


class RangeEntry(ValueEntry):
    """From one value to another."""

    def compose(self) -> ComposeResult:
        low, high = (*self.row.words, "", "")[:2]
        form = _FORMS[self.row.field.type]
        yield Input(low, placeholder=f"from {form}", compact=True)
        yield Input(high, placeholder=f"to {form}", compact=True)


class SpanEntry(ValueEntry):
    """A number, a calendar unit, and the direction: past or future."""

    def __init__(self, row: Row, values_held: ValuesHeld) -> None:
        super().__init__(row, values_held)
        self._number, _, unit = (row.words[0] if row.words else "").partition(" ")
        plural = unit if unit.endswith("s") else f"{unit}s"
        self._unit = Unit(plural) if plural in list(Unit) else Unit.MONTHS
        self._in_past = row.operator in _PAST

    def compose(self) -> ComposeResult:
        yield Input(self._number, placeholder="number", compact=True, classes="number")
        yield PickButton(self._unit, id="unit")
        yield PickButton(_TENSES[self._in_past], id="tense")

    @property
    def words(self) -> tuple[str, ...]:
        number = self.query_one(Input).value.strip()
        return (f"{number} {self._unit}",) if number else ()

    @property
    def operator(self) -> Operator:
        same = self._in_past == (self.row.operator in _PAST)
        return self.row.operator if same else _TURNED[self.row.operator]

    @on(Button.Pressed, "#unit")
    def _pick_unit(self, event: Button.Pressed) -> None:
        event.stop()
        units = [Choice(unit, unit.value) for unit in Unit]
        pick_one(self.app, Picker("Unit", units, chosen=[self._unit]), self._take_unit)

    @on(Button.Pressed, "#tense")
    def _pick_tense(self, event: Button.Pressed) -> None:
        event.stop()
        tenses = [Choice(past, text) for past, text in _TENSES.items()]
        pick_one(self.app, Picker("When", tenses, chosen=[self._in_past]), self._take_tense)

    def _take_unit(self, unit: Unit) -> None:
        self._unit = unit
        self.query_one("#unit", PickButton).say(unit)
        self.tell()

    def _take_tense(self, in_past: bool) -> None:
        self._in_past = in_past
        self.query_one("#tense", PickButton).say(_TENSES[in_past])
        self.tell()


class ChoiceEntry(ValueEntry):
    """One or several of a closed list: the field's own values, or the groups of the store."""

    def __init__(self, row: Row, values_held: ValuesHeld, choices: Sequence[str]) -> None:
        super().__init__(row, values_held)
        self._choices = choices
        self._words = row.words

    def compose(self) -> ComposeResult:
        yield PickButton(self._text, id="choice")

    @property
    def words(self) -> tuple[str, ...]:
        return self._words

    def begin(self) -> None:
        self._pick()

    @on(Button.Pressed)
    def _pick(self, event: Button.Pressed | None = None) -> None:
        if event is not None:
            event.stop()
        choices = _with(self._choices, *self._words)
        picker = _values_picker(self.row, choices, self.values_held, chosen=self._words)
        self.app.push_screen(picker, self._take)

    def _take(self, values: Sequence[str] | None) -> None:
        if values is not None:
            order = _with(self._choices, *values)
            self._words = tuple(sorted(values, key=order.index))
            self.query_one(PickButton).say(self._text)
            self.tell()

    @property
    def _text(self) -> str:
        return ", ".join(self._words) or "choose"


def value_entry(row: Row, group_names: Sequence[str], values_held: ValuesHeld) -> ValueEntry:
    """The entry that fits the row as it is now."""
    match USAGES[row.operator].takes:
        case Takes.NOTHING:
            return NothingEntry(row, values_held)
        case Takes.SPAN:
            return SpanEntry(row, values_held)
        case Takes.RANGE:
            return RangeEntry(row, values_held)
    if not has_choices(row.field):
        return TextEntry(row, values_held)
    return ChoiceEntry(row, values_held, _choices(row, group_names))


def _values_picker(
    row: Row, choices: Sequence[str], values_held: ValuesHeld, chosen: Sequence[str] = ()
) -> Picker[str]:
    """The values of the row's field with how many contacts have them, where that can be counted."""
    tested = row.field
    spelled = {fold(name): name for name in choices}

    def look_up(searched: str) -> list[Choice[str]]:
        return [
            Choice(spelled.get(fold(value), value), value, counted(number, "active contact"))
            for value, number in values_held(tested, searched)
        ]

    folded = {fold(word) for word in chosen}
    return Picker(
        f"{tested.name} {row.operator}",
        [Choice(name, name) for name in choices],
        chosen=[name for name in choices if fold(name) in folded],
        several=USAGES[row.operator].takes is Takes.SEVERAL,
        searched="search the values",
        look_up=look_up if has_values_to_choose(tested) else None,
        takes_typed=None if has_choices(tested) else str,
    )


def _as_word(row: Row, values: Sequence[str]) -> str:
    """Picked values as they are typed: a list with its commas where the operator takes several."""
    if not takes_free_list(row.field, row.operator):
        return values[0] if values else ""
    try:
        return row_of(build_condition(row.field, row.operator, values)).words[0]
    except CriteriaError:  # the row says why
        return ",".join(values)


def _choices(row: Row, group_names: Sequence[str]) -> Sequence[str]:
    if row.field.type is FieldType.BOOLEAN:
        return ("true", "false")
    return row.field.choices or group_names


def _with(choices: Sequence[str], *words: str) -> list[str]:
    """The choices, and a file's value even if it is not one of them."""
    known = {fold(name) for name in choices}
    return [*choices, *(word for word in words if fold(word) not in known)]


def _form(row: Row) -> str:
    form = _FORMS.get(row.field.type, "text")
    return f"{form}, {form}, ..." if USAGES[row.operator].takes is Takes.SEVERAL else form
