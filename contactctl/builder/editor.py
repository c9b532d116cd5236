"""Conditions on the left, the contacts they select on the right; each edit is counted at once."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import Screen
from textual.widgets import Footer

from contactctl.builder.conditions import TITLES, ConditionEntry, CriteriaTree
from contactctl.builder.dialogs import (
    Choice,
    ContactScreen,
    FileDialog,
    KeysScreen,
    Picker,
    pick_one,
)
from contactctl.builder.draft import (
    Group,
    History,
    Mode,
    Part,
    Row,
    State,
    criteria_as_flags,
    draft_of,
    first_row,
)
from contactctl.builder.files import CriteriaFiles
from contactctl.builder.header import HeaderLine, titled
from contactctl.builder.live_count import Answer
from contactctl.builder.live_panel import VIEWS, LivePanel
from contactctl.builder.messages import Changed, Chosen
from contactctl.config.criteria import criteria_as_yaml
from contactctl.domain.criteria.fields import Field, FieldCatalogue
from contactctl.domain.criteria.tree import Criteria
from contactctl.domain.errors import CriteriaError
from contactctl.domain.text import show_safely

if TYPE_CHECKING:
    from contactctl.builder.opened import Opened


class EditorScreen(Screen[None]):
    """Edits a draft; `criteria` is its meaning while it is complete."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("a", "add_condition", "Add"),
        Binding("slash", "find", "Find", key_display="/"),
        Binding("g", "add_group", "Group"),
        Binding("x,delete", "remove", "Remove"),
        Binding("u,ctrl+z", "undo", "Undo"),
        Binding("U,ctrl+y", "redo", show=False),
        Binding("shift+up,K", "move(-1)", show=False),
        Binding("shift+down,J", "move(1)", show=False),
        Binding("s,ctrl+s", "save", "Save"),
        Binding("o,ctrl+o", "load", show=False),
        Binding("y", "copy_yaml", show=False),
        Binding("f", "copy_flags", show=False),
        Binding("D", "deactivate", show=False),
        *(
            Binding(str(number), f"show_view('{name}')", show=False)
            for number, name in enumerate(VIEWS, 1)
        ),
        Binding("f1,question_mark", "keys", "Keys", key_display="F1"),
        Binding("escape", "back", "Leave", key_display="esc"),
        Binding("q", "leave", show=False),
    ]

    def __init__(
        self,
        criteria: Criteria,
        catalogue: FieldCatalogue,
        group_names: Sequence[str],
        files: CriteriaFiles,
        store: "Opened",
    ) -> None:
        super().__init__()
        self.draft = draft_of(criteria)
        self.criteria: Criteria | None = None
        self._catalogue = catalogue
        self._group_names = group_names
        self._files = files
        self._store = store
        self._history = History(self.draft.state())
        self._saved: State = self.draft.state()
        self._shown_part: Part | None = None  # in the entry; the tree's cursor may be ahead of it
        self._enter_value_when_shown = False

    def compose(self) -> ComposeResult:
        yield HeaderLine()
        with Horizontal(id="editor"):
            with Vertical(id="left"):
                conditions = Vertical(classes="panel", id="conditions")
                with titled("Active contacts matching", conditions):
                    yield CriteriaTree()
                yield ConditionEntry(self._store.values)
            yield LivePanel()
        yield Footer(compact=True)

    def on_mount(self) -> None:
        self._show_draft(self._first_part)
        self.query_one(CriteriaTree).focus()

    @property
    def is_edited(self) -> bool:
        """Whether the conditions differ from what was begun with, loaded or saved last."""
        return self.draft.state() != self._saved

    @property
    def criteria_name(self) -> str:
        """The file in use, or that there is none."""
        return self._files.own or "prebuilt criteria"

    # editing

    def action_add_condition(self) -> None:
        self._pick_field("Add a condition", self._add_row)

    def action_find(self) -> None:
        """To the condition on a field, or to a new one where there is none."""
        self._pick_field("Find a field", self._go_to_field)

    def action_change_field(self) -> None:
        if isinstance(self._part, Row):
            self._pick_field("Change the field", self._change_field)

    def action_add_group(self) -> None:
        self._pick_mode(Mode.ANY, lambda mode: self._add(Group(mode)))

    def action_edit_row(self) -> None:
        """Enter the row's value; of a nested group, choose all, any or none."""
        part = self._part
        if isinstance(part, Row):
            self.query_one(ConditionEntry).enter_value()
        elif part is not None and not self.draft.is_outermost(part):
            self._pick_mode(part.mode, lambda mode: self._change_mode(part, mode))

    def action_remove(self) -> None:
        if self._part is not None:
            self._show_draft(self.draft.remove(self._part))

    def action_move(self, step: int) -> None:
        part = self._part
        if part is not None and self.draft.move(part, step):
            self._show_draft(part)

    def action_undo(self) -> None:
        self._restore(self._history.undo(), "Nothing to undo.")

    def action_redo(self) -> None:
        self._restore(self._history.redo(), "Nothing to redo.")

    def action_show_view(self, name: str) -> None:
        self.query_one(LivePanel).show_view(name)

    def action_keys(self) -> None:
        self.app.push_screen(KeysScreen())

    async def action_back(self) -> None:
        """From an entry or a view to the rows; from there out of the builder."""
        tree = self.query_one(CriteriaTree)
        if self.focused in (tree, None):
            await self.action_leave()
        else:
            tree.focus()

    async def action_leave(self) -> None:
        """Leave the builder; where edits would be lost, ask first."""
        if not self.is_edited:
            await self.run_action("app.leave")
            return
        choices = [
            Choice("save", "Save", f"to {self._files.suggestion} or another file, then leave"),
            Choice("leave", "Leave", "the terminal then shows them as flags"),
            Choice("stay", "Stay", "and go on editing"),
        ]
        pick_one(self.app, Picker("The edits are not saved", choices), self._leave_by)

    async def _leave_by(self, chosen: str) -> None:
        if chosen == "leave":
            await self.run_action("app.leave")
        elif chosen == "save":
            self._save(then_leave=True)

    # files and the clipboard

    def action_save(self) -> None:
        self._save()

    def action_load(self) -> None:
        self.app.push_screen(FileDialog("Load criteria from", self._files.suggestion, self._load))

    def action_copy_yaml(self) -> None:
        self._copy("YAML", criteria_as_yaml)

    def action_copy_flags(self) -> None:
        self._copy("flags", criteria_as_flags)

    def action_deactivate(self) -> None:
        """Only what has been counted."""
        criteria = self._require_whole()
        if criteria is None:
            return
        if self.query_one(LivePanel).is_current:
            self.post_message(Chosen(criteria))
        else:
            self.notify("Wait for the count first.", severity="warning", markup=False)

    def _save(self, *, then_leave: bool = False) -> None:
        criteria = self._require_whole()
        if criteria is None:
            return

        async def saved(name: str | None) -> None:
            if name is None:
                return
            self._saved = self.draft.state()
            self.notify(f"Saved as {show_safely(name)}.", markup=False)
            self.post_message(Changed())
            if then_leave:
                await self.run_action("app.leave")

        self.app.push_screen(
            FileDialog(
                "Save the criteria as",
                self._files.suggestion,
                lambda name: self._files.save(name, criteria),
            ),
            saved,
        )

    # after an edit

    @on(CriteriaTree.Highlighted)
    async def _show_part(self) -> None:
        part = self._part  # where the cursor is now
        if part is not None and part is not self._shown_part:
            await self._show_in_entry(part)

    @on(ConditionEntry.Edited)
    def _row_edited(self, event: ConditionEntry.Edited) -> None:
        self._history.remember(self.draft, id(event.row))
        self._show_problems()
        self.count_anew()

    @on(LivePanel.ContactChosen)
    def _show_contact(self, chosen: LivePanel.ContactChosen) -> None:
        number = chosen.contact_id
        title = show_safely(chosen.email)
        self.app.push_screen(ContactScreen(title, lambda: self._store.contact(number)))

    def show_answer(self, answer: Answer) -> None:
        """What the store says of the criteria, if they have not changed since."""
        if not self._store.count.is_current(answer):
            return
        panel = self.query_one(LivePanel)
        if answer.preview is not None:
            panel.show_preview(answer.preview)
        elif answer.problem is not None:
            panel.show_problem(answer.problem)

    def count_anew(self) -> None:
        """From now on, every earlier count belongs to older criteria."""
        panel = self.query_one(LivePanel)
        self.criteria = None
        if self.draft.problems(self._group_names):
            panel.show_unfinished()
        else:
            try:
                self.criteria = self.draft.criteria()
                panel.show_criteria(self.criteria)
            except CriteriaError as error:
                panel.show_unfinished(f"{error.message}; {error.hint}")
        self._store.count.request(self.criteria)
        self.post_message(Changed())

    @property
    def _part(self) -> Part | None:
        return self.query_one(CriteriaTree).part

    @property
    def _first_part(self) -> Part:
        return next(self.draft.rows(), self.draft.groups[0])

    def _pick_field(self, title: str, then: Callable[[Field], None]) -> None:
        fields = self._catalogue.fields()
        choices = [Choice(each, each.name, f"{each.type:<8}{each.help}") for each in fields]
        pick_one(self.app, Picker(title, choices, searched="search by name or meaning"), then)

    def _pick_mode(self, mode: Mode, then: Callable[[Mode], None]) -> None:
        choices = [Choice(each, title) for each, title in TITLES.items()]
        pick_one(self.app, Picker("A contact must match", choices, chosen=[mode]), then)

    def _add_row(self, chosen: Field) -> None:
        self._add(first_row(chosen))
        self._enter_value_when_shown = True

    def _go_to_field(self, chosen: Field) -> None:
        row = self.draft.row_on(chosen)
        if row is None:
            self._add_row(chosen)
        else:
            self.query_one(CriteriaTree).go_to(row)

    def _change_field(self, chosen: Field) -> None:
        row = self._part
        if isinstance(row, Row) and chosen != row.field:
            begun = first_row(chosen)
            row.field, row.operator, row.words = begun.field, begun.operator, begun.words
            self._enter_value_when_shown = True
            self._show_draft(row)

    def _change_mode(self, part: Group, mode: Mode) -> None:
        part.mode = mode
        self._show_draft(part)

    def _add(self, part: Part) -> None:
        self.draft.add(part, self._part)
        self._show_draft(part)

    def _load(self, name: str) -> None:
        self.draft = draft_of(self._files.load(name, self._catalogue))
        self._saved = self.draft.state()
        self._show_draft(self._first_part)

    def _restore(self, state: State | None, nothing: str) -> None:
        if state is None:
            self.notify(nothing, markup=False)
            return
        at = self._place_of(self._part)
        self.draft.restore(state)
        self._show_draft(self.draft.part_at(at), remember=False)

    def _show_draft(self, part: Part, *, remember: bool = True) -> None:
        """After parts were added, removed, moved or brought back."""
        if remember:
            self._history.remember(self.draft)
        problems = self.draft.problems(self._group_names)
        self._shown_part = None
        self.query_one(CriteriaTree).show_draft(self.draft, problems, part)
        self.count_anew()

    def _place_of(self, part: Part | None) -> int:
        parts = list(self.draft.parts())
        return parts.index(part) if part in parts else 0

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
            entry.enter_value(begin=True)

    def _require_whole(self) -> Criteria | None:
        if self.criteria is None:
            self.notify("Finish the conditions first.", severity="warning", markup=False)
        return self.criteria

    def _copy(self, what: str, as_text: Callable[[Criteria], str]) -> None:
        criteria = self._require_whole()
        if criteria is not None:
            self.app.copy_to_clipboard(as_text(criteria))
            self.notify(f"The {what} were copied to the terminal's clipboard.", markup=False)
