"""CSV text that a spreadsheet would run as a formula: make it harmless, and undo that."""

# OWASP, CSV injection: these start a formula, the full-width forms in East Asian locales
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def defuse(text: str) -> str:
    """The text with an apostrophe before it, if a spreadsheet would take it for a formula.

    Blanks before it are ignored, as some programs trim them first. Text that already looks defused
    gets one more, so that `undo_defuse` always returns the original text.
    """
    return f"'{text}" if _needs_defusing(text) else text


def undo_defuse(text: str) -> str:
    """What `defuse` was given."""
    return text[1:] if text.startswith("'") and _needs_defusing(text[1:]) else text


def _needs_defusing(text: str) -> bool:
    inner = text.lstrip("'")
    return inner.startswith(_FORMULA_STARTS) or inner.lstrip().startswith(_FORMULA_STARTS)
