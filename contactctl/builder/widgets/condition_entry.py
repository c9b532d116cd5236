"""The strip that edits the row under the cursor: field, operator, value, and what is wrong."""

from collections.abc import Sequence

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.widgets import Button, Select, Static

from contactctl.builder.draft import Part, Row, change_operator
from contactctl.builder.meanings import meaning
from contactctl.builder.widgets.criteria_tree import TITLES
from contactctl.builder.widgets.value_entry import ValueEntry, value_entry
from contactctl.domain.operators import OPERATORS, Operator


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
