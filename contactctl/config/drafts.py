"""Files written whole or not at all: a full disk or a kill must not leave half of one."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

OWNER_ALONE, AS_USUAL = 0o600, 0o666  # the process's umask takes away from it


@contextmanager
def draft_of(path: Path, text: str, mode: int = AS_USUAL) -> Iterator[Path]:
    """A file beside `path` with the text, on the disk, to be put in its place; gone at the end.

    Raises OSError.
    """
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        yield draft
    finally:
        draft.unlink(missing_ok=True)


def replace_file(path: Path, text: str) -> None:
    """Put the text in the file's place in one step: whoever reads it sees the old or the new one.
    A device or a pipe is written to, and stays what it is. Raises OSError.
    """
    if path.exists() and not path.is_file():
        path.write_text(text, encoding="utf-8")
        return
    with draft_of(path, text) as draft:
        draft.replace(path)
