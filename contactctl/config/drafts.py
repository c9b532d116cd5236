"""Files written whole or not at all: a full disk or a kill must not leave half of one."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from contactctl.domain.errors import InputError

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


def replace_file(path: Path, text: str, *, ours: str = "") -> None:
    """Put the text in the file's place in one step: whoever reads it sees the old or the new one.

    A link stays one, and a device or a pipe is written to. InputError where the file is there and
    does not begin as `ours` do: it is somebody else's. Raises OSError.
    """
    target = path.resolve()
    if target.exists() and not target.is_file():
        target.write_text(text, encoding="utf-8")
        return
    if ours and not _begins(target, ours.encode()):
        raise InputError(f"{path} exists, and contains something else", hint="name another file")
    with draft_of(target, text) as draft:
        draft.replace(target)


def _begins(path: Path, beginning: bytes) -> bool:
    """Whether the file is not there, or is empty, or begins so."""
    try:
        with path.open("rb") as there:
            return there.read(len(beginning)) in (b"", beginning)
    except FileNotFoundError:
        return True
