"""Trends as a picture: an SVG file of bars, which any browser shows."""

from collections.abc import Sequence
from html import escape

_WIDTH, _HEIGHT, _MARGIN = 720, 320, 48
_FONT = "font-family='sans-serif' font-size='12'"


def bars_svg(title: str, numbers: Sequence[tuple[str, int]], note: str) -> str:
    """One bar per label, as high as its number; the numbers are written above them."""
    most = max((number for _, number in numbers), default=0) or 1
    room = _HEIGHT - 2 * _MARGIN
    step = (_WIDTH - 2 * _MARGIN) / max(len(numbers), 1)
    parts = [
        _bar(_MARGIN + at * step, step, number / most * room, label, number)
        for at, (label, number) in enumerate(numbers)
    ]
    return "\n".join(
        [
            f"<svg xmlns='http://www.w3.org/2000/svg' width='{_WIDTH}' height='{_HEIGHT}'"
            f" viewBox='0 0 {_WIDTH} {_HEIGHT}' role='img'>",
            f"<title>{escape(title)}</title>",
            f"<desc>{escape(note)}</desc>",
            f"<rect width='{_WIDTH}' height='{_HEIGHT}' fill='white'/>",
            f"<text x='{_MARGIN}' y='24' {_FONT} font-weight='bold'>{escape(title)}</text>",
            f"<text x='{_WIDTH - _MARGIN}' y='24' {_FONT} text-anchor='end' fill='#555'>"
            f"{escape(note)}</text>",
            *parts,
            "</svg>\n",
        ]
    )


def _bar(left: float, step: float, height: float, label: str, number: int) -> str:
    bottom, middle = _HEIGHT - _MARGIN, left + step / 2
    return (
        f"<rect x='{left + step * 0.15:.1f}' y='{bottom - height:.1f}' width='{step * 0.7:.1f}'"
        f" height='{height:.1f}' fill='#2563a8'/>"
        f"<text x='{middle:.1f}' y='{bottom - height - 6:.1f}' {_FONT} text-anchor='middle'>"
        f"{number:,}</text>"
        f"<text x='{middle:.1f}' y='{bottom + 18}' {_FONT} text-anchor='middle' fill='#555'>"
        f"{escape(label)}</text>"
    )
