"""What the other commands print, as a widget."""

from rich.text import Text
from textual import events
from textual.widgets import Static

from contactctl.output.console import BOLD, DIM
from contactctl.output.formats.table import block_lines
from contactctl.output.presentation import Presentation

_STYLES = {BOLD: "bold", DIM: "dim"}


class Blocks(Static):
    """A presentation's blocks, tables cut to the widget's width. No markup is ever interpreted."""

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(markup=False, id=id, classes=classes)
        self._presentation = Presentation()

    def present(self, presentation: Presentation) -> None:
        """Show this instead."""
        if not presentation.blocks and not self._presentation.blocks:
            return
        self._presentation = presentation
        self._lay_out()

    def on_resize(self, _event: events.Resize) -> None:
        self._lay_out()

    def _lay_out(self) -> None:
        lines = block_lines(self._presentation, max(self.size.width, 20), cuts=True)
        texts = [Text(_kept_indent(line), _STYLES.get(style, "")) for style, line in lines]
        self.update(Text("\n").join(texts))


def _kept_indent(line: str) -> str:
    """Textual strips blanks at the start of a line; those of nested criteria have a meaning."""
    unindented = line.lstrip(" ")
    return "\u00a0" * (len(line) - len(unindented)) + unindented
