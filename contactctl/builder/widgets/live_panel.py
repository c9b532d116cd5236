"""The right half: the count, who is left out, the first contacts, and the criteria as text."""

import time
from collections.abc import Mapping

from textual.app import ComposeResult
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Static, TabbedContent, TabPane

from contactctl.builder.draft import criteria_as_flags
from contactctl.builder.widgets.criteria_tree import Blocks
from contactctl.config.criteria import criteria_as_yaml
from contactctl.domain.criteria.tree import Criteria
from contactctl.domain.errors import ContactctlError
from contactctl.domain.text import show_safely
from contactctl.operations.criteria import Preview
from contactctl.output.criteria import asked_about, preview_rows, rows_blocks, share
from contactctl.output.presentation import Presentation
from contactctl.output.presentation import Text as Lines

_SLOW_AFTER_S = 1
_NARROW = 60
_NARROW_COLUMNS = ("email", "last_opportunity")


class LivePanel(Vertical):
    """Shows one answer, or that there is none yet; never an older one with newer criteria."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._waiting_since: float | None = None
        self._texts: dict[str, str] = {}

    def compose(self) -> ComposeResult:
        yield Static(id="count", markup=False)
        yield Blocks(id="left-out")
        with TabbedContent(id="views"):
            with TabPane("Contacts", id="contacts"), VerticalScroll():
                yield Blocks(id="rows")
            with TabPane("YAML", id="yaml"), VerticalScroll():
                yield Static(id="yaml-text", markup=False)
            with TabPane("Flags", id="flags"), VerticalScroll():
                yield Static(id="flags-text", markup=False)

    def on_mount(self) -> None:
        self.set_interval(1, self._tell_how_long)

    def show_criteria(self, criteria: Criteria | None) -> None:
        """The criteria as text, while they are counted; None: they are not finished."""
        unfinished = "The conditions marked with ! are not finished."
        yaml = unfinished if criteria is None else criteria_as_yaml(criteria)
        flags = unfinished if criteria is None else criteria_as_flags(criteria)
        self._text("#yaml-text", yaml)
        self._text("#flags-text", flags)
        self._show_rows(Presentation())
        self._waiting_since = None if criteria is None else time.monotonic()
        self._text("#count", "counting ..." if criteria is not None else "no count: " + unfinished)

    def show_unfinished(self, why: str) -> None:
        """No count, and why."""
        self.show_criteria(None)
        self._text("#count", f"no count: {why}")

    def show_preview(self, preview: Preview) -> None:
        """The answer to the criteria shown."""
        self._waiting_since = None
        self._text("#count", f"{share(preview.count, preview.active_total)} active contacts")
        self._left_out(Presentation(blocks=[Lines(_left_out_text(preview.left_out))]))
        rows = preview_rows(preview.rows, asked_about(preview.selection.kept()))
        if self.size.width < _NARROW:
            rows = rows.pick(_NARROW_COLUMNS)
        blocks = rows_blocks(len(preview.rows), preview.count)
        self._show_rows(Presentation(rows=rows, blocks=blocks))

    def show_problem(self, problem: ContactctlError) -> None:
        """Why there is no answer."""
        self._waiting_since = None
        hint = f" ({problem.hint})" if problem.hint else ""
        self._text("#count", f"no count: {problem.message}{hint}")

    def _show_rows(self, presentation: Presentation) -> None:
        self.query_one("#rows", Blocks).present(presentation)
        if not presentation.blocks:
            self._left_out(presentation)

    def _left_out(self, presentation: Presentation) -> None:
        self.query_one("#left-out", Blocks).present(presentation)

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
            self._text("#count", f"counting ... {seconds} s")


def _left_out_text(left_out: Mapping[str, int]) -> str:
    """A line for each field whose missing values leave contacts out."""
    lines = [f"left out: {number:,} without {name}" for name, number in left_out.items() if number]
    return "\n".join(lines)
