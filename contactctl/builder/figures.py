"""What is at stake, one line each, and what the other commands print, as widgets."""

from collections.abc import Mapping, Sequence

from rich.text import Text
from textual import events
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from contactctl.domain.runs import Stakes
from contactctl.domain.text import show_safely
from contactctl.operations.criteria import Impact
from contactctl.output.console import BOLD, DIM, chop, cut, pad, width_of
from contactctl.output.criteria import percent, price_change
from contactctl.output.table import block_lines
from contactctl.output.view import Presentation

_LABEL = 10
_WIDEST_NAME = 40
_HANG = " " * _LABEL


class Figures(Widget):
    """Lines that are cut to the width; dimmed while they belong to older criteria."""

    def __init__(self) -> None:
        super().__init__(id="figures")
        self._facts: Sequence[tuple[str, str, str]] = ()
        self._head: tuple[str, str] = ("", "")

    @property
    def text(self) -> str:
        """All lines as they would stand with enough room."""
        head = "  ".join(filter(None, self._head))
        return "\n".join([head, *(f"{label}: {text}" for label, text, _ in self._facts)])

    def show(self, head: tuple[str, str], facts: Sequence[tuple[str, str, str]] = ()) -> None:
        """The count with its share, and the facts as (label, text, style)."""
        self._head, self._facts = head, facts
        self.refresh(layout=True)

    def render(self) -> Content:
        width = self.size.width
        count, part = self._head
        lines = [Content.assemble((cut(count, width), "bold"), f"  {part}" if part else "")]
        for label, text, style in self._facts:
            pieces = chop(show_safely(text), max(width - _LABEL, 12))
            lines.append(Content.assemble((pad(label, _LABEL), "dim"), (pieces[0], style)))
            lines += [Content.assemble(_HANG, (piece, style)) for piece in pieces[1:]]
        return Content("\n").join(lines)


def stakes_facts(stakes: Stakes, impact: Impact) -> list[tuple[str, str, str]]:
    """Active before and after, billing, and the limits."""
    facts = [("Active", f"{impact.active_before:,} → {impact.active_after:,}", "bold")]
    if billing := price_change(impact):
        facts.append(("Billing", billing, ""))
    over = [("! Limits", reason, "$text-error") for reason in stakes.limits_exceeded]
    return [*facts, *(over or [("Limits", "within", "")])]


def stakes_head(stakes: Stakes) -> tuple[str, str]:
    """`513 of 5,000 active` and its share."""
    head = f"{stakes.count:,} of {stakes.total:,} active"
    return head, percent(stakes.count, stakes.total)


def left_out_facts(left_out: Mapping[str, int]) -> list[tuple[str, str, str]]:
    """Who was left out because a value is missing, in one line each."""
    missing = [(name, number) for name, number in left_out.items() if number]
    return [
        ("Left out" if at == 0 else "", f"{number:,} no {name}", "$text-warning")
        for at, (name, number) in enumerate(missing)
    ]


def lost_facts(members_lost: Mapping[str, int], most: int) -> list[tuple[str, str, str]]:
    """The groups that lose members: those that lose most, and how many more there are."""
    if not members_lost:
        return [("Groups", "lose nobody", "")]
    losses = list(members_lost.items())
    if len(losses) > most:
        others = sum(lost for _, lost in losses[most - 1 :])
        losses = [*losses[: most - 1], (f"{len(losses) - most + 1:,} more groups", others)]
    names = [cut(show_safely(name), _WIDEST_NAME) for name, _ in losses]
    widest = max(map(width_of, names))
    lines = [
        f"{pad(name, widest)}  −{lost:,}" for name, (_, lost) in zip(names, losses, strict=True)
    ]
    return [("Groups" if at == 0 else "", line, "") for at, line in enumerate(lines)]


# What the other commands print, as a widget


_STYLES = {BOLD: "bold", DIM: "dim"}


class Blocks(Static):
    """A presentation's blocks, tables cut to the widget's width. No markup is ever interpreted."""

    def __init__(self, *, id: str) -> None:
        super().__init__(markup=False, id=id)
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
