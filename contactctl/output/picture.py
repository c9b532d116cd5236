"""Pictures: rows of bars as SVG, which any browser shows."""

from collections.abc import Sequence
from html import escape
from pathlib import Path

from contactctl.config.drafts import replace_own
from contactctl.domain.text import show_safely

_BEGINNING = '<svg xmlns="http://www.w3.org/2000/svg" class="contactctl-report"'
_ROW, _TEXT, _BARS, _RIGHT = 24, 260, 420, 180  # pixels
_WIDEST_LABEL = 34

# label; lengths in any one unit, each with its colour; what is said of them
Bar = tuple[str, Sequence[tuple[float, str]], str]


def write_picture(svg: str, path: Path) -> None:
    """Write it as a file; an earlier picture of ours is replaced. Raises InputError."""
    replace_own(path, svg, _BEGINNING, "a picture that contactctl has drawn")


def bars_svg(title: str, bars: Sequence[Bar], note: str) -> str:
    """A bar for each row, the longest over the whole width, its parts one behind the other."""
    most = max((_length(parts) for _, parts, _ in bars), default=0) or 1
    width, height = _TEXT + _BARS + _RIGHT, _ROW * (len(bars) + 3)
    lines = [
        f'{_BEGINNING} viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
        ' font-family="sans-serif" font-size="13">',
        f"<title>{escape(title)}</title>",
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
        f'<text x="12" y="{_ROW}" font-weight="bold">{escape(title)}</text>',
        *(_drawn(bar, _ROW * (at + 2), _BARS / most) for at, bar in enumerate(bars)),
        f'<text x="12" y="{height - 10}" fill="#555555">{escape(note)}</text>',
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def _drawn(bar: Bar, top: int, scale: float) -> str:
    label, parts, told = bar
    name = show_safely(label)
    cut = name if len(name) <= _WIDEST_LABEL else f"{name[: _WIDEST_LABEL - 1]}…"
    base, left = top + _ROW // 2 + 5, float(_TEXT)
    drawn = f'<text x="12" y="{base}">{escape(cut)}</text>'
    for length, colour in parts:
        size = f'width="{length * scale:.1f}" height="16"'
        drawn += f'<rect x="{left:.1f}" y="{top + 4}" {size} fill="{colour}"/>'
        left += length * scale
    return f'{drawn}<text x="{left + 6:.1f}" y="{base}" fill="#555555">{escape(told)}</text>'


def _length(parts: Sequence[tuple[float, str]]) -> float:
    return sum(length for length, _ in parts)
