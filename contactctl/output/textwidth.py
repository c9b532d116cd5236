"""How many terminal cells a text takes, and text cut or padded to a number of them."""

ELLIPSIS = "…"


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


def pad(text: str, width: int, *, right: bool = False) -> str:
    """The text with blanks up to `width` cells, to the left of it when `right`."""
    blanks = " " * (width - width_of(text))
    return blanks + text if right else text + blanks
