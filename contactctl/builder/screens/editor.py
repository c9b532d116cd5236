"""Conditions on the left, the contacts they select on the right; each edit is counted at once."""

from collections.abc import Callable, Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.screen import Screen
from textual.widgets import Button, Footer, Static

from contactctl.builder.draft import Group, Mode, Part, Row, criteria_as_flags, draft_of, first_row
from contactctl.builder.files import CriteriaFiles
from contactctl.builder.live_count import LiveCount
from contactctl.builder.messages import Answered
from contactctl.builder.screens.dialogs import FieldPicker, FileDialog, KeysScreen, ModePicker
from contactctl.builder.widgets.condition_form import ConditionEntry
from contactctl.builder.widgets.criteria_tree import CriteriaTree
from contactctl.builder.widgets.live_panel import LivePanel
from contactctl.config.criteria import criteria_as_yaml
from contactctl.domain.criteria.fields import Field, FieldCatalogue
from contactctl.domain.criteria.tree import Criteria
from contactctl.domain.errors import CriteriaError

_ROW_BUTTONS = (
    ("Add", "screen.add_condition"),
    ("Group", "screen.add_group"),
    ("Remove", "screen.remove"),
    ("Up", "screen.move(-1)"),
    ("Down", "screen.move(1)"),
)


class _MouseButton(Button, can_focus=False):
    """A button for what a key does, too; the focus stays on the rows."""


class EditorScreen(Screen[None]):
    """Edits a draft; `criteria` is its meaning while it is complete."""

    class Chosen(Message):
        """Deactivate the contacts of these criteria."""

        def __init__(self, criteria: Criteria) -> None:
            super().__init__()
            self.criteria = criteria

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("a", "add_condition", "Add"),
        Binding("g", "add_group", "Group"),
        Binding("x,delete", "remove", "Remove"),
        Binding("shift+up,K", "move(-1)", show=False),
        Binding("shift+down,J", "move(1)", show=False),
        Binding("s,ctrl+s", "save", "Save"),
        Binding("o,ctrl+o", "load", show=False),
        Binding("y", "copy_yaml", show=False),
        Binding("f", "copy_flags", show=False),
        Binding("D", "deactivate", "Deactivate", key_display="D"),
        Binding("escape", "back", "Back"),
        Binding("q", "app.leave", show=False),
        Binding("f1", "keys", "Keys", key_display="F1"),
    ]

    def __init__(
        self,
        criteria: Criteria,
        catalogue: FieldCatalogue,
        group_names: Sequence[str],
        files: CriteriaFiles,
        count: LiveCount,
    ) -> None:
        super().__init__()
        self.draft = draft_of(criteria)
        self.criteria: Criteria | None = None
        self._catalogue = catalogue
        self._group_names = group_names
        self._files = files
        self._count = count
        self._shown_part: Part | None = None  # in the entry; the tree's cursor may be ahead of it
        self._enter_value_when_shown = False

    def compose(self) -> ComposeResult:
        with Horizontal(id="editor"):
            with Vertical(id="left"):
                yield Static("Active contacts matching", classes="title")
                yield CriteriaTree(id="tree")
                with Horizontal(id="buttons"):
                    for label, action in _ROW_BUTTONS:
                        yield _MouseButton(label, action=action, compact=True)
                yield ConditionEntry(id="entry")
            with Vertical(id="right"):
                yield LivePanel(id="live")
                with Horizontal(id="go"):
                    yield Button("Back", action="app.leave", compact=True)
                    yield Button(
                        "Deactivate contacts ...",
                        variant="error",
                        action="screen.deactivate",
                        compact=True,
                        id="deactivate",
                    )
        yield Footer(compact=True)

    def on_mount(self) -> None:
        first = next(self.draft.rows(), self.draft.groups[0])
        self._show_draft(first)
        self.query_one(CriteriaTree).focus()

    # editing

    def action_add_condition(self) -> None:
        self._pick_field(self._add_row)

    def action_change_field(self) -> None:
        if isinstance(self._part, Row):
            self._pick_field(self._change_field)

    def action_add_group(self) -> None:
        def add(mode: Mode | None) -> None:
            if mode is not None:
                self._add(Group(mode))

        self.app.push_screen(ModePicker(), add)

    def action_edit_row(self) -> None:
        """Enter the row's value; of a nested group, choose all, any or none."""
        part = self._part
        if isinstance(part, Row):
            self.query_one(ConditionEntry).enter_value()
        elif part is not None and not self.draft.is_outermost(part):
            self.app.push_screen(ModePicker(part.mode), lambda mode: self._change_mode(part, mode))

    def action_remove(self) -> None:
        if self._part is not None:
            self._show_draft(self.draft.remove(self._part))

    def action_move(self, step: int) -> None:
        part = self._part
        if part is not None and self.draft.move(part, step):
            self._show_draft(part)

    def action_keys(self) -> None:
        self.app.push_screen(KeysScreen())

    async def action_back(self) -> None:
        """From an entry to the rows; from there out of the builder."""
        tree = self.query_one(CriteriaTree)
        if self.focused in (tree, None):
            await self.run_action("app.leave")
        else:
            tree.focus()

    # files and the clipboard

    def action_save(self) -> None:
        criteria = self._require_whole()
        if criteria is not None:
            self.app.push_screen(
                FileDialog(
                    "Save the criteria as",
                    self._files.suggestion,
                    lambda name: self._files.save(name, criteria),
                )
            )

    def action_load(self) -> None:
        self.app.push_screen(FileDialog("Load criteria from", self._files.suggestion, self._load))

    def action_copy_yaml(self) -> None:
        self._copy("YAML", criteria_as_yaml)

    def action_copy_flags(self) -> None:
        self._copy("flags", criteria_as_flags)

    def action_deactivate(self) -> None:
        criteria = self._require_whole()
        if criteria is not None:
            self.post_message(self.Chosen(criteria))

    # after an edit

    @on(CriteriaTree.Highlighted)
    async def _show_part(self) -> None:
        part = self._part  # where the cursor is now
        if part is not None and part is not self._shown_part:
            await self._show_in_entry(part)

    @on(ConditionEntry.Edited)
    def _row_edited(self) -> None:
        self._show_problems()
        self._count_anew()

    def on_answered(self, message: Answered) -> None:
        if not self._count.is_current(message.answer):
            return
        panel = self.query_one(LivePanel)
        if message.answer.preview is not None:
            panel.show_preview(message.answer.preview)
        elif message.answer.problem is not None:
            panel.show_problem(message.answer.problem)

    @property
    def _part(self) -> Part | None:
        return self.query_one(CriteriaTree).part

    def _pick_field(self, then: Callable[[Field | None], None]) -> None:
        self.app.push_screen(FieldPicker(self._catalogue.fields()), then)

    def _add_row(self, chosen: Field | None) -> None:
        if chosen is not None:
            self._add(first_row(chosen))
            self._enter_value_when_shown = True

    def _change_field(self, chosen: Field | None) -> None:
        row = self._part
        if chosen is not None and isinstance(row, Row) and chosen != row.field:
            begun = first_row(chosen)
            row.field, row.operator, row.words = begun.field, begun.operator, begun.words
            self._enter_value_when_shown = True
            self._show_draft(row)

    def _change_mode(self, part: Part, mode: Mode | None) -> None:
        if isinstance(part, Group) and mode is not None:
            part.mode = mode
            self._show_draft(part)

    def _add(self, part: Part) -> None:
        self.draft.add(part, self._part)
        self._show_draft(part)

    def _load(self, name: str) -> None:
        self.draft = draft_of(self._files.load(name, self._catalogue))
        self._show_draft(next(self.draft.rows(), self.draft.groups[0]))

    def _show_draft(self, part: Part) -> None:
        """After parts were added, removed or moved."""
        problems = self.draft.problems(self._group_names)
        self._shown_part = None
        self.query_one(CriteriaTree).show_draft(self.draft, problems, part)
        self._count_anew()

    def _show_problems(self) -> None:
        problems = self.draft.problems(self._group_names)
        self.query_one(CriteriaTree).show_problems(self.draft, problems)
        if self._shown_part is not None:
            self.query_one(ConditionEntry).show_problem(problems.get(self._shown_part, ""))

    async def _show_in_entry(self, part: Part) -> None:
        self._shown_part = part
        problem = self.draft.problems(self._group_names).get(part, "")
        entry = self.query_one(ConditionEntry)
        await entry.show(part, self._group_names, problem)
        if self._enter_value_when_shown:
            self._enter_value_when_shown = False
            entry.enter_value()

    def _count_anew(self) -> None:
        """From now on, every earlier count belongs to older criteria."""
        panel = self.query_one(LivePanel)
        self.criteria = None
        if self.draft.problems(self._group_names):
            panel.show_unfinished("the conditions marked with ! are not finished")
        else:
            try:
                self.criteria = self.draft.criteria()
                panel.show_criteria(self.criteria)
            except CriteriaError as error:
                panel.show_unfinished(f"{error.message}; {error.hint}")
        self._count.request(self.criteria)

    def _require_whole(self) -> Criteria | None:
        if self.criteria is None:
            self.notify("Finish the conditions first.", severity="warning", markup=False)
        return self.criteria

    def _copy(self, what: str, as_text: Callable[[Criteria], str]) -> None:
        criteria = self._require_whole()
        if criteria is not None:
            self.app.copy_to_clipboard(as_text(criteria))
            self.notify(f"The {what} were copied to the terminal's clipboard.", markup=False)
