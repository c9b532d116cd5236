"""How many terminal cells a text takes, and text cut or padded to a number of them."""

from collections.abc import Sequence

ELLIPSIS = "…"
_PART = "   "


def width_of(text: str) -> int:
    """Terminal cells; East Asian wide characters take two, combining ones none (UAX #11)."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len  # noqa: PLC0415

    return cell_len(text)


def cut(text: str, width: int) -> str:
    """The text, or as much of it as fits before an ellipsis."""
    if width_of(text) <= width:
        return text
    from rich.cells import set_cell_size  # noqa: PLC0415

    return set_cell_size(text, width - 1).rstrip() + ELLIPSIS


def chop(text: str, width: int) -> list[str]:
    """The whole text in lines of at most `width` cells, broken at blanks where there are some."""
    return [piece for line in wrap(text, width, hang=0) for piece in _pieces(line, width)]


def _pieces(line: str, width: int) -> list[str]:
    if width_of(line) <= width:
        return [line]
    from rich.cells import chop_cells  # noqa: PLC0415

    return chop_cells(line, width)


def pad(text: str, width: int, *, right: bool = False) -> str:
    """The text with blanks up to `width` cells, to the left of it when `right`."""
    blanks = " " * (width - width_of(text))
    return blanks + text if right else text + blanks


def wrap(text: str, width: int, hang: int = 2) -> list[str]:
    """The text in lines of at most `width` cells, broken at blanks; a longer word stays whole.

    Lines after the first are indented by `hang` blanks. Parts separated by three blanks are broken
    there first.
    """
    if width_of(text) <= width or not text.strip():
        return [text]
    indent = " " * (len(text) - len(text.lstrip(" ")))
    first, *others = [part.split() for part in text.split(_PART) if part.strip()]
    lines = _filled(indent, first, width, hang)
    for words in others:
        lines += _filled(indent + " " * hang, words, width, hang)
    return lines


def _filled(indent: str, words: Sequence[str], width: int, hang: int) -> list[str]:
    lines = [indent + words[0]]
    for word in words[1:]:
        if width_of(lines[-1]) + 1 + width_of(word) <= width:
            lines[-1] += f" {word}"
        else:
            lines.append(indent + " " * hang + word)
    return lines
