"""Entering the values of a condition, by the type of its field and what its operator takes."""

from collections.abc import Mapping, Sequence

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Button, Input, Select, SelectionList, Static
from textual.widgets.selection_list import Selection

from contactctl.builder.draft import Part, Row, change_operator, has_choices
from contactctl.builder.meanings import meaning
from contactctl.builder.widgets.criteria_tree import TITLES
from contactctl.domain.criteria.fields import OPERATORS, USAGES, FieldType, Operator, Takes
from contactctl.domain.criteria.values import Unit
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


# The strip that edits the row under the cursor: field, operator, value, and what is wrong


class ConditionEntry(Vertical):
    """Edits rows in place, and reports every change."""

    class Edited(Message):
        """The row has changed."""

        def __init__(self, row: Row) -> None:
            super().__init__()
            self.row = row

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._part: Part | None = None
        self._group_names: Sequence[str] = ()

    def compose(self) -> ComposeResult:
        yield Button("field", id="change-field", compact=True, action="screen.change_field")
        yield Static(id="about-part", markup=False)
        yield Select[Operator]([], id="operator", compact=True)
        yield Static(id="meaning", markup=False)
        yield Vertical(id="value")
        yield Static(id="problem", markup=False)

    async def show(self, part: Part | None, group_names: Sequence[str], problem: str) -> None:
        """Edit this part from now on; a group has no values to enter."""
        self._part, self._group_names = part, group_names
        self.set_class(not isinstance(part, Row), "-no-row")
        self.show_problem(problem)
        if isinstance(part, Row):
            await self._show_row(part)
        elif part is not None:
            self.query_one("#about-part", Static).update(
                Content(f"A group: {TITLES[part.mode]}. a adds a condition, g a group in it.")
            )

    def show_problem(self, problem: str) -> None:
        """Show what is wrong with the part, if anything."""
        self.query_one("#problem", Static).update(Content(f"! {problem}" if problem else ""))

    def enter_value(self) -> None:
        """Go to the first entry."""
        focusable = [widget for widget in self.query("#value *") if widget.focusable]
        target = focusable[0] if focusable else self.query_one("#operator", Select)
        target.focus()

    async def _show_row(self, row: Row) -> None:
        self.query_one("#change-field", Button).label = Content(row.field.name)
        operators = self.query_one("#operator", Select)
        with self.prevent(Select.Changed):
            operators.set_options(
                [(operator.value, operator) for operator in OPERATORS[row.field.type]]
            )
            operators.value = row.operator
        self._explain(row)
        await self._show_value(row)

    async def _show_value(self, row: Row) -> None:
        holder = self.query_one("#value", Vertical)
        async with self.batch():
            await holder.remove_children()
            await holder.mount(value_entry(row, self._group_names))

    def _explain(self, row: Row) -> None:
        self.query_one("#about-part", Static).update(Content(row.field.help))
        self.query_one("#meaning", Static).update(Content(meaning(row.field.type, row.operator)))

    @on(Select.Changed, "#operator")
    async def _change_operator(self, event: Select.Changed) -> None:
        event.stop()
        row, chosen = self._part, event.value
        if not isinstance(row, Row) or not isinstance(chosen, Operator) or chosen is row.operator:
            return
        change_operator(row, chosen)
        self._explain(row)
        await self._show_value(row)
        self.post_message(self.Edited(row))

    @on(ValueEntry.Edited)
    def _change_value(self, event: ValueEntry.Edited) -> None:
        event.stop()
        row = event.row
        if (event.words, event.operator) == (row.words, row.operator):
            return
        row.words = event.words
        if event.operator is not row.operator:
            row.operator = event.operator
            with self.prevent(Select.Changed):
                self.query_one("#operator", Select).value = event.operator
            self._explain(row)
        self.post_message(self.Edited(row))
