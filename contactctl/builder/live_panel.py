"""The right half: what the conditions select and what that means, and three views of it."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.message import Message
from textual.widgets import Button, ContentSwitcher, DataTable, Static

from contactctl.builder.draft import criteria_as_flags
from contactctl.builder.figures import Figures, left_out_facts, stakes_facts, stakes_head
from contactctl.builder.header import titled
from contactctl.config.criteria import criteria_as_yaml
from contactctl.domain.criteria.tree import Criteria
from contactctl.domain.errors import ContactctlError
from contactctl.domain.text import counted, show_safely
from contactctl.operations.criteria import Preview
from contactctl.output.console import cut, width_of
from contactctl.output.criteria import asked_about, preview_rows
from contactctl.output.values import to_people
from contactctl.output.view import Column

_SLOW_AFTER_S = 1
VIEWS: Mapping[str, str] = {"contacts": "Contacts", "yaml": "YAML", "flags": "Flags"}


class LivePanel(Vertical):
    """Shows one answer; dimmed as soon as it belongs to older criteria."""

    @dataclass
    class ContactChosen(Message):
        """Show this contact whole."""

        contact_id: int
        email: str

    def __init__(self) -> None:
        super().__init__(id="right")
        self._waiting_since: float | None = None
        self._texts: dict[str, str] = {}
        self._rows: Sequence[Mapping[str, object]] = ()
        self.preview: Preview | None = None  # the newest answer, also while it is outdated
        self.is_current = False

    def compose(self) -> ComposeResult:
        with titled("Selected", Vertical(classes="panel", id="selected")):
            yield Figures()
            yield Static(id="count-problem", markup=False)
            yield Button(
                "D  Deactivate ...",
                variant="error",
                action="screen.deactivate",
                compact=True,
                id="deactivate",
                disabled=True,
            )
        with ContentSwitcher(initial="contacts", id="views", classes="panel"):
            yield DataTable[Text](id="contacts", cursor_type="row", cell_padding=0)
            with VerticalScroll(id="yaml"):
                yield Static(id="yaml-text", markup=False)
            with VerticalScroll(id="flags"):
                yield Static(id="flags-text", markup=False)

    def on_mount(self) -> None:
        self.set_interval(1, self._tell_how_long)
        self._say_views()

    def show_view(self, name: str) -> None:
        """Switch to a view, and go there."""
        self.query_one(ContentSwitcher).current = name
        self._say_views()
        self.query_one(f"#{name}").focus()

    def show_criteria(self, criteria: Criteria) -> None:
        """The criteria as text, while they are counted."""
        self._text("#yaml-text", criteria_as_yaml(criteria))
        self._text("#flags-text", criteria_as_flags(criteria))
        self._waiting_since = time.monotonic()
        self._outdate("counting ...")

    def show_unfinished(self, why: str = "") -> None:
        """No count, and why, where no row says it."""
        for view in ("#yaml-text", "#flags-text"):
            self._text(view, "The conditions marked with ! are not finished.")
        self._waiting_since = None
        self._outdate("! not finished", why)

    def show_problem(self, problem: ContactctlError) -> None:
        """Why there is no answer."""
        self._waiting_since = None
        hint = f" ({problem.hint})" if problem.hint else ""
        self._outdate("no count", problem.message + hint)

    def show_preview(self, preview: Preview) -> None:
        """The answer to the criteria shown."""
        self._waiting_since = None
        self.preview = preview
        self.is_current = True
        facts = stakes_facts(preview.stakes, preview.impact)
        self.query_one(Figures).show(
            stakes_head(preview.stakes), [*facts, *left_out_facts(preview.left_out)[:3]]
        )
        self._say("", "")
        button = self.query_one("#deactivate", Button)
        button.label = Content(f"D  Deactivate {counted(preview.count, 'contact')} ...")
        button.disabled = preview.count == 0
        self.set_class(False, "-outdated")
        self._show_rows(preview)

    @on(DataTable.RowSelected)
    def _choose_contact(self, event: DataTable.RowSelected) -> None:
        event.stop()
        if event.cursor_row < len(self._rows):
            row = self._rows[event.cursor_row]
            self.post_message(self.ContactChosen(int(str(row["id"])), str(row["email"])))

    def _outdate(self, state: str, why: str = "") -> None:
        """The last figures stay, dimmed; what needs a count waits for the next."""
        self.is_current = False
        self.set_class(self.preview is not None, "-outdated")
        self.query_one("#deactivate", Button).disabled = True
        self._say(state, why)

    def _say(self, state: str, why: str) -> None:
        self.query_one("#selected").border_subtitle = state
        problem = self.query_one("#count-problem", Static)
        problem.display = bool(why)
        problem.update(Content(show_safely(why)))

    def _show_rows(self, preview: Preview) -> None:
        table = self.query_one("#contacts", DataTable)
        table.clear(columns=True)
        room = self.query_one("#views").content_size.width - 1
        shown = preview_rows(preview.rows, asked_about(preview.selection.kept()))
        columns = [column for column in shown.columns if column.for_people and column.key != "id"]
        self._rows = preview.rows
        cells = [[to_people(row.get(column.key)) for row in preview.rows] for column in columns]
        widths = _widths(columns, cells, room)
        table.header_height = max(map(_heading_lines, columns), default=1)
        for column, width in zip(columns, widths, strict=True):
            table.add_column(Text(_heading(column)), key=column.key, width=width + len(_GAP))
        for texts in zip(*cells, strict=True):
            table.add_row(*(_cell(text, w) for text, w in zip(texts, widths, strict=True)))
        self._say_views()

    def _say_views(self) -> None:
        views = self.query_one(ContentSwitcher)
        views.border_title = Content("  ").join(
            Content.from_markup(f"[@click=screen.show_view('{name}')]{number} {title}[/]").stylize(
                "bold $text-primary" if name == views.current else "not bold $text-muted"
            )
            for number, (name, title) in enumerate(VIEWS.items(), 1)
        )
        shown, count = len(self._rows), 0 if self.preview is None else self.preview.count
        is_part = views.current == "contacts" and count > shown
        views.border_subtitle = f"{shown} of {count:,}" if is_part else ""

    def _text(self, selector: str, text: str) -> None:
        if self._texts.get(selector) == text:
            return  # each change lays the whole screen out again
        self._texts[selector] = text
        safe = "\n".join(map(show_safely, text.split("\n")))
        self.query_one(selector, Static).update(Content(safe))

    def _tell_how_long(self) -> None:
        if self._waiting_since is None:
            return
        seconds = round(time.monotonic() - self._waiting_since)
        if seconds >= _SLOW_AFTER_S:
            self.query_one("#selected").border_subtitle = f"counting ... {seconds} s"


# A heading stands in lines of a word each, where it is wider than its column's values


_GAP = "  "
_WIDEST_CELL, _LEAST_EMAIL = 48, 20


def _heading(column: Column) -> str:
    return "\n".join(column.heading.split())


def _heading_lines(column: Column) -> int:
    return len(column.heading.split())


def _widths(columns: Sequence[Column], cells: Sequence[Sequence[str]], room: int) -> list[int]:
    """Each as wide as what it holds; the address gives way for the next column to be seen."""
    widths = []
    for column, texts in zip(columns, cells, strict=True):
        words = [width_of(word) for word in column.heading.split()]
        widest = max(map(width_of, texts), default=0)
        widths.append(max(*words, min(widest, _WIDEST_CELL)))
    if len(widths) > 1:
        left = room - widths[1] - len(_GAP)
        widths[0] = min(widths[0], max(left, _LEAST_EMAIL))
    return widths


def _cell(text: str, width: int) -> Text:
    return Text(cut(text, width), no_wrap=True)
