"""The conditions as rows in nested groups, with what is wrong below each row."""

from collections.abc import Mapping
from typing import ClassVar

from rich.style import Style
from rich.text import Text
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widgets import Tree
from textual.widgets.tree import TreeNode

from contactctl.builder.draft import Draft, Group, Mode, Part, Row

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

    class Highlighted(Message):
        """The cursor is on another part."""

        def __init__(self, part: Part | None) -> None:
            super().__init__()
            self.part = part

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__("criteria", id=id)
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
