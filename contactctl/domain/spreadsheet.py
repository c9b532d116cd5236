"""CSV text that a spreadsheet would run as a formula, made harmless, and back."""

# OWASP, CSV injection: these start a formula, the full-width forms in East Asian locales
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def defuse(text: str) -> str:
    """The text with an apostrophe before it, if a spreadsheet would take it for a formula.

    Blanks before it do not count, since some programs trim them first. Text that looks defused
    already gets one more, so that `undo_defuse` always gives back what there was.
    """
    return f"'{text}" if _needs_defusing(text) else text


def undo_defuse(text: str) -> str:
    """What `defuse` was given."""
    return text[1:] if text.startswith("'") and _needs_defusing(text[1:]) else text


def _needs_defusing(text: str) -> bool:
    inner = text.lstrip("'")
    return inner.startswith(_FORMULA_STARTS) or inner.lstrip().startswith(_FORMULA_STARTS)
