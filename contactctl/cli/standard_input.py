"""Standard input as bytes, for files given as `-`."""

from io import BytesIO
from typing import BinaryIO

from contactctl.output.console import Console


def bytes_of_stdin(console: Console) -> BinaryIO:
    """The bytes below the console's standard input; a text console gives them in UTF-8."""
    below: BinaryIO | None = getattr(console.stdin, "buffer", None)
    return BytesIO(console.stdin.read().encode()) if below is None else below
