"""The strip that edits the row under the cursor: field, operator, value, and what is wrong."""

from collections.abc import Sequence

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.message import Message
from textual.widgets import Button, Input, Static

from contactctl.builder.draft import Part, Row, change_operator
from contactctl.builder.meanings import meaning
from contactctl.builder.screens.picker import Choice, Picker
from contactctl.builder.widgets.criteria_tree import TITLES
from contactctl.builder.widgets.value_entry import PickButton, ValueEntry, ValuesHeld, value_entry
from contactctl.domain.criteria.fields import OPERATORS, Operator


class ConditionEntry(Vertical):
    """Edits rows in place, and reports every change."""

    class Edited(Message):
        """The row has changed."""

        def __init__(self, row: Row) -> None:
            super().__init__()
            self.row = row

    def __init__(self, values_held: ValuesHeld, *, id: str | None = None) -> None:
        super().__init__(id=id, classes="panel")
        self.border_title = "Condition"
        self._values_held = values_held
        self._part: Part | None = None
        self._group_names: Sequence[str] = ()

    def compose(self) -> ComposeResult:
        with Horizontal(id="tested"):
            yield PickButton("field", id="change-field")
            yield PickButton("=", id="operator")
        yield Vertical(id="value")
        yield Static(id="problem", markup=False)
        yield Static(id="about-part", markup=False)
        yield Static(id="meaning", markup=False)

    async def show(self, part: Part | None, group_names: Sequence[str], problem: str) -> None:
        """Edit this part from now on; a group has no values to enter."""
        self._part, self._group_names = part, group_names
        self.set_class(not isinstance(part, Row), "-no-row")
        self.show_problem(problem)
        if isinstance(part, Row):
            await self._show_row(part)
        elif part is not None:
            self.border_title = "Group"
            self.query_one("#about-part", Static).update(
                Content(f"{TITLES[part.mode]}: a adds a condition, g a group in it")
            )

    def show_problem(self, problem: str) -> None:
        """Show what is wrong with the part, if anything."""
        shown = self.query_one("#problem", Static)
        shown.update(Content(f"! {problem}" if problem else ""))
        shown.display = bool(problem)

    def enter_value(self, *, begin: bool = False) -> None:
        """Go to the first entry; `begin` where the row is new."""
        focusable = [widget for widget in self.query("#value *") if widget.focusable]
        target = focusable[0] if focusable else self.query_one("#operator", Button)
        target.focus()
        if begin:
            for entry in self.query(ValueEntry):
                entry.begin()

    async def choose_operator(self, operator: Operator) -> None:
        """Change the row's operator, and with it what is entered."""
        row = self._part
        if not isinstance(row, Row) or operator is row.operator:
            return
        change_operator(row, operator)
        self._explain(row)
        await self._show_value(row)
        self.enter_value()
        self.post_message(self.Edited(row))

    async def _show_row(self, row: Row) -> None:
        self.border_title = "Condition"
        self.query_one("#change-field", PickButton).say(row.field.name)
        self._explain(row)
        await self._show_value(row)

    async def _show_value(self, row: Row) -> None:
        holder = self.query_one("#value", Vertical)
        async with self.batch():
            await holder.remove_children()
            await holder.mount(value_entry(row, self._group_names, self._values_held))

    def _explain(self, row: Row) -> None:
        self.query_one("#operator", PickButton).say(row.operator)
        self.query_one("#about-part", Static).update(Content(row.field.help))
        means = Content(f"{row.operator}: {meaning(row.field.type, row.operator)}")
        self.query_one("#meaning", Static).update(means)

    @on(Button.Pressed, "#change-field")
    async def _change_field(self, event: Button.Pressed) -> None:
        event.stop()
        await self.run_action("screen.change_field")

    @on(Button.Pressed, "#operator")
    def _pick_operator(self, event: Button.Pressed) -> None:
        event.stop()
        row = self._part
        if isinstance(row, Row):
            kind = row.field.type
            choices = [Choice(each, each.value, meaning(kind, each)) for each in OPERATORS[kind]]
            picker = Picker(row.field.name, choices, chosen=[row.operator])
            self.app.push_screen(picker, self._take_operator)

    async def _take_operator(self, chosen: Sequence[Operator] | None) -> None:
        if chosen:
            await self.choose_operator(chosen[0])

    @on(Input.Submitted)
    async def _done(self, event: Input.Submitted) -> None:
        event.stop()
        await self.run_action("screen.back")

    @on(ValueEntry.Edited)
    def _change_value(self, event: ValueEntry.Edited) -> None:
        event.stop()
        row = event.row
        if (event.words, event.operator) == (row.words, row.operator):
            return
        row.words = event.words
        if event.operator is not row.operator:
            row.operator = event.operator
            self._explain(row)
        self.post_message(self.Edited(row))
