"""The few terminal styles in use (ECMA-48 SGR)."""

BOLD = "1"
DIM = "2"
RED = "31"
YELLOW = "33"


def paint(text: str, style: str, wanted: bool) -> str:
    """`text` in that style, or unchanged without colour."""
    return f"\x1b[{style}m{text}\x1b[0m" if style and wanted else text
