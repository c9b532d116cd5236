"""Entering the values of a condition, by the type of its field and what its operator takes."""

from collections.abc import Mapping, Sequence

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Input, Select, SelectionList
from textual.widgets.selection_list import Selection

from contactctl.builder.draft import Row, has_choices
from contactctl.domain.fields import FieldType
from contactctl.domain.operators import USAGES, Operator, Takes
from contactctl.domain.relative_time import Unit
from contactctl.domain.text import fold, show_safely

_TURNED: Mapping[Operator, Operator] = {
    Operator.OLDER_THAN: Operator.LATER_THAN,
    Operator.LATER_THAN: Operator.OLDER_THAN,
    Operator.WITHIN_LAST: Operator.WITHIN_NEXT,
    Operator.WITHIN_NEXT: Operator.WITHIN_LAST,
}
_PAST = (Operator.OLDER_THAN, Operator.WITHIN_LAST)
_FORMS: Mapping[FieldType, str] = {  # no value, which without colour looks as if it were typed
    FieldType.NUMBER: "number",
    FieldType.DATE: "YYYY-MM-DD",
    FieldType.INSTANT: "YYYY-MM-DD or YYYY-MM-DDThh:mm:ssZ",
}


class ValueEntry(Horizontal):
    """Where one row's values are entered; it stays with that row, and reports what was typed."""

    class Edited(Message):
        """Something was typed or chosen; the operator changes with past and future."""

        def __init__(self, row: Row, words: tuple[str, ...], operator: Operator) -> None:
            super().__init__()
            self.row = row
            self.words = words
            self.operator = operator

    def __init__(self, row: Row) -> None:
        super().__init__()
        self.row = row

    @property
    def words(self) -> tuple[str, ...]:
        """The values as they stand in the widgets."""
        return tuple(entry.value for entry in self.query(Input))

    @property
    def operator(self) -> Operator:
        return self.row.operator

    @on(Input.Changed)
    @on(Select.Changed)
    @on(SelectionList.SelectedChanged)
    def _tell(self, event: Message) -> None:
        event.stop()
        self.post_message(self.Edited(self.row, self.words, self.operator))


class NothingEntry(ValueEntry):
    """The operator needs no value."""


class TextEntry(ValueEntry):
    """One text, number or date; or a list of them, separated by commas."""

    def compose(self) -> ComposeResult:
        value = self.row.words[0] if self.row.words else ""
        yield Input(value, placeholder=_form(self.row), compact=True)


class RangeEntry(ValueEntry):
    """From one value to another."""

    def compose(self) -> ComposeResult:
        low, high = (*self.row.words, "", "")[:2]
        form = _FORMS[self.row.field.type]
        yield Input(low, placeholder=f"from {form}", compact=True)
        yield Input(high, placeholder=f"to {form}", compact=True)


class SpanEntry(ValueEntry):
    """A number, a calendar unit, and the direction: past or future."""

    def compose(self) -> ComposeResult:
        number, _, unit = (self.row.words[0] if self.row.words else "").partition(" ")
        plural = unit if unit.endswith("s") else f"{unit}s"
        chosen = Unit(plural) if plural in list(Unit) else Unit.MONTHS
        yield Input(number, placeholder="number", compact=True, classes="number")
        yield _select([(unit.value, unit) for unit in Unit], chosen, "unit")
        tenses = [("in the past", True), ("in the future", False)]
        yield _select(tenses, self.row.operator in _PAST, "tense")

    @property
    def words(self) -> tuple[str, ...]:
        number = self.query_one(Input).value.strip()
        return (f"{number} {self.query_one('.unit', Select).value}",) if number else ()

    @property
    def operator(self) -> Operator:
        in_past = self.query_one(".tense", Select).value is True
        same = in_past == (self.row.operator in _PAST)
        return self.row.operator if same else _TURNED[self.row.operator]


class ChoiceEntry(ValueEntry):
    """One of a closed list."""

    def __init__(self, row: Row, choices: Sequence[str]) -> None:
        super().__init__(row)
        self._choices = choices

    def compose(self) -> ComposeResult:
        chosen = self.row.words[0] if self.row.words else None
        yield _select([(name, name) for name in _with(self._choices, chosen)], chosen, "choice")

    @property
    def words(self) -> tuple[str, ...]:
        value = self.query_one(Select).value
        return (str(value),) if value is not Select.NULL else ()


class ChoicesEntry(ValueEntry):
    """Several of a closed list."""

    def __init__(self, row: Row, choices: Sequence[str]) -> None:
        super().__init__(row)
        self._choices = choices

    def compose(self) -> ComposeResult:
        chosen = {fold(word) for word in self.row.words}
        yield SelectionList[str](
            *(
                Selection(Content(show_safely(name)), name, fold(name) in chosen)
                for name in _with(self._choices, *self.row.words)
            ),
            compact=True,
        )

    @property
    def words(self) -> tuple[str, ...]:
        chosen = set(self.query_one(SelectionList).selected)
        return tuple(name for name in _with(self._choices, *chosen) if name in chosen)


def value_entry(row: Row, group_names: Sequence[str]) -> ValueEntry:
    """The entry that fits the row as it is now."""
    takes = USAGES[row.operator].takes
    match takes:
        case Takes.NOTHING:
            return NothingEntry(row)
        case Takes.SPAN:
            return SpanEntry(row)
        case Takes.RANGE:
            return RangeEntry(row)
    if not has_choices(row.field):
        return TextEntry(row)
    several = takes is Takes.SEVERAL
    return (ChoicesEntry if several else ChoiceEntry)(row, _choices(row, group_names))


def _choices(row: Row, group_names: Sequence[str]) -> Sequence[str]:
    if row.field.type is FieldType.BOOLEAN:
        return ("true", "false")
    return row.field.choices or group_names


def _with(choices: Sequence[str], *words: str | None) -> list[str]:
    """The choices, and a file's value even if it is not one of them."""
    known = {fold(name) for name in choices}
    return [*choices, *(word for word in words if word is not None and fold(word) not in known)]


def _select(options: Sequence[tuple[str, object]], chosen: object, kind: str) -> Widget:
    texts = [(Content(show_safely(text)), value) for text, value in options]
    values = [value for _, value in options]
    if isinstance(chosen, str) and chosen not in values:
        chosen = next((v for v in values if fold(str(v)) == fold(chosen)), None)
    return Select(
        texts,
        value=Select.NULL if chosen is None else chosen,
        allow_blank=kind == "choice",
        prompt="choose",
        compact=True,
        classes=kind,
    )


def _form(row: Row) -> str:
    form = _FORMS.get(row.field.type, "text")
    return f"{form}, {form}, ..." if USAGES[row.operator].takes is Takes.SEVERAL else form
