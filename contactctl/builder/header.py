"""The first line of every screen: which store, which criteria, and whether edits are unsaved."""

from typing import TypeVar

from textual.content import Content
from textual.widget import Widget

from contactctl.builder.messages import Changed
from contactctl.builder.work import Standing
from contactctl.domain.text import show_safely

_OPENING = "opening the store ..."
_EDITED = "● not saved"
_GAP = 2
Box = TypeVar("Box", bound=Widget)


def titled(title: str | Content, box: Box) -> Box:
    """The box, with this title in its border."""
    box.border_title = title
    return box


class HeaderLine(Widget):
    """Database on the left, criteria on the right; what is too long loses its beginning."""

    def __init__(self) -> None:
        super().__init__(id="header")
        self._standing = Standing()

    def on_mount(self) -> None:
        self.post_message(Changed())  # whoever knows says it

    def show(self, standing: Standing) -> None:
        """Say this from now on."""
        if standing != self._standing:
            self._standing = standing
            self.refresh()

    def render(self) -> Content:
        width = self.size.width
        standing = self._standing
        mark = f"  {_EDITED}" if standing.edited else ""
        criteria = show_safely(standing.criteria)
        room = max(width - Content(mark).cell_length - _GAP, 0)
        right = _end_of(criteria, room // 2)
        database = show_safely(standing.database) or _OPENING
        left = _end_of(database, room - right.cell_length)
        blanks = " " * max(width - left.cell_length - right.cell_length - len(mark), 1)
        return Content.assemble(
            (left.plain, "bold"), blanks, right.plain, (mark, "bold $text-warning")
        )


def _end_of(text: str, width: int) -> Content:
    """The text, or as much of its end as fits after an ellipsis: a path's end tells it apart."""
    content = Content(text)
    if content.cell_length <= width:
        return content
    while text and Content(text).cell_length >= max(width, 1):
        text = text[1:]
    return Content(f"…{text}")
