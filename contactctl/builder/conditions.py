"""The conditions as rows in nested groups, and the strip that edits the row under the cursor."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.style import Style
from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.message import Message
from textual.widgets import Button, Input, Static, Tree
from textual.widgets.tree import TreeNode

from contactctl.builder.dialogs import Choice, Picker, pick_one
from contactctl.builder.draft import Draft, Group, Mode, Part, Row, change_operator
from contactctl.builder.value_entry import PickButton, ValueEntry, ValuesHeld, value_entry
from contactctl.domain.criteria.fields import OPERATORS, USAGES, FieldType, Operator

_OF_TEXT: Mapping[Operator, str] = {
    Operator.EQUALS: "is this text (case is ignored)",
    Operator.IN: "is one of these texts",
    Operator.MISSING: "has no value",
}
_OF_SETS: Mapping[Operator, str] = {
    Operator.EQUALS: "has this one, maybe others too",
    Operator.NOT_EQUALS: "has some, but not this one",
    Operator.IN: "has at least one of these",
    Operator.NOT_IN: "has some, but none of these",
    Operator.MISSING: "has none at all",
    Operator.EXISTS: "has at least one",
}
_OF_TYPE: Mapping[FieldType, Mapping[Operator, str]] = {
    FieldType.TEXT: _OF_TEXT,
    FieldType.SET: _OF_SETS,
}


def meaning(kind: FieldType, operator: Operator) -> str:
    """What the operator means for a field of this type."""
    return _OF_TYPE.get(kind, {}).get(operator, USAGES[operator].meaning)


# The conditions as rows in nested groups, with what is wrong below each row


TITLES: Mapping[Mode, str] = {
    Mode.ALL: "all of these",
    Mode.ANY: "any of these",
    Mode.NONE: "none of these",
}
Problems = Mapping[Part, str]


class CriteriaTree(Tree[Part]):
    """Rows and groups; a problem is a separate line of the same part."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "screen.edit_row", "Edit"),
        Binding("right", "screen.edit_row", show=False),
    ]

    @dataclass
    class Highlighted(Message):
        """The cursor is on another part."""

        part: Part | None

    def __init__(self) -> None:
        super().__init__("criteria", id="tree")
        self.show_root = False
        self.auto_expand = False
        self.guide_depth = 2
        self._node_of: dict[Part, TreeNode[Part]] = {}
        self._shown: dict[Part, tuple[Text, str]] = {}

    @property
    def part(self) -> Part | None:
        """Where the cursor is."""
        return self.cursor_node.data if self.cursor_node is not None else None

    def show_draft(self, draft: Draft, problems: Problems, part: Part | None) -> None:
        """Rebuild the tree, with the cursor on that part."""
        self.clear()
        self._node_of.clear()
        self._shown.clear()
        for group in draft.groups:
            self._add(self.root, group, problems)
        if part is not None and part in self._node_of:
            self.go_to(part)

    def show_problems(self, draft: Draft, problems: Problems) -> None:
        """Show the same parts as they are now."""
        for row in draft.rows():
            if (node := self._node_of.get(row)) is not None:
                self._relabel(node, row, problems.get(row, ""))

    def go_to(self, part: Part) -> None:
        """At once, for the next key; reported also if another part has the same line now."""
        if self.last_line >= 0:  # asking for it gives the nodes their lines
            self.move_cursor(self._node_of[part])
        self.post_message(self.Highlighted(part))

    def _add(self, parent: TreeNode[Part], part: Part, problems: Problems) -> None:
        node = parent.add(_label(part), part, expand=True, allow_expand=False)
        self._node_of[part] = node
        if isinstance(part, Group):
            for inner in part.parts:
                self._add(node, inner, problems)
        self._relabel(node, part, problems.get(part, ""))

    def _relabel(self, node: TreeNode[Part], part: Part, problem: str) -> None:
        label = _label(part)
        if self._shown.get(part) == (label, problem):
            return  # each change lays the whole tree out again
        self._shown[part] = (label, problem)
        node.set_label(label)
        if isinstance(part, Group) and part.parts:
            return
        node.remove_children()
        if problem:
            node.add_leaf(Text(f"! {problem}"), part)

    def render_label(self, node: TreeNode[Part], base_style: Style, style: Style) -> Text:
        label = super().render_label(node, base_style, style)
        if (width := self.size.width - self._indent(node)) > 0:
            label.truncate(width, overflow="ellipsis")
        if label.plain.startswith("! "):
            label.stylize(self.get_component_rich_style("criteria-tree--problem", partial=True))
        return label

    def _indent(self, node: TreeNode[Part]) -> int:
        depth = 0
        while node.parent is not None and node.parent is not self.root:
            node, depth = node.parent, depth + 1
        return depth * self.guide_depth

    COMPONENT_CLASSES: ClassVar[set[str]] = {"criteria-tree--problem"}

    def on_tree_node_highlighted(self, event: Tree.NodeHighlighted[Part]) -> None:
        event.stop()
        self.post_message(self.Highlighted(event.node.data))


def _label(part: Part) -> Text:
    if isinstance(part, Row):
        return Text(part.text())
    title = Text(TITLES[part.mode], "bold")
    return title if part.parts else title + Text("  (nothing yet)", "dim")


# The strip that edits the row under the cursor: field, operator, value, and what is wrong


class ConditionEntry(Vertical):
    """Edits rows in place, and reports every change."""

    @dataclass
    class Edited(Message):
        """The row has changed."""

        row: Row

    def __init__(self, values_held: ValuesHeld) -> None:
        super().__init__(id="entry", classes="panel")
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
            pick_one(self.app, picker, self.choose_operator)

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
